import Core
import HTTP

/// The body of a response that the proxy makes itself.
///
/// Belongs to an exchange and is reused with it.
final class LocalBody: BodySource {
    /// Filled before the response's head is queued.
    let buffer = Buffer(capacity: 512)

    var payload: (buffer: Buffer?, range: Range<Int>) { (buffer, buffer.readerIndex..<buffer.writerIndex) }
    var wire: Wire? { nil }
    let spliceable: UInt64 = 0
    let isBodyDecoded = true
    let trailers: HeaderBlock? = nil
    let payloadDecoded: UInt64 = 0
    let canRewind = false
    func rewind() {}
    func releaseHeld() {}
    func pull() -> PullOutcome { .complete }
    func take(_ count: Int) { buffer.consume(count) }
    func resumeNextTurn() {}
}
