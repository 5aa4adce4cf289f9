import Core
import HTTP
import IO

/// Both bodies of one HTTP/2 stream: payload that came in DATA frames, and payload that leaves in them.
///
/// Belongs to a stream's object, which belongs to one connection, and is reused with it. Payload is passed on from the connection's own buffer while its
/// event is handled; what nobody took by then moves to a buffer of the stream's, so that the connection can go on
/// reading. The stream's window bounds that buffer: it is credited when payload is taken, which is the back-pressure.
final class H2Body: BodySource, BodySink {
    /// Payload kept for a second try.
    private static let heldBytesMax = 16 * 1024

    var wire: Wire? { nil }
    var spliceable: UInt64 { 0 }
    var acceptsSplice: Bool { false }
    private let link: H2Link
    private let session: H2Session
    private let output: Buffer
    private var slot = 0

    // The body that comes in.
    /// Payload that waits, or is kept for a second try.
    private let kept = Buffer()
    /// How much of it was taken already, while it is kept.
    private var keptTaken = 0
    /// How much of what follows was taken before a rewind, and so credited to the stream's window.
    private var creditedAhead = 0
    /// Payload in the connection's input, for the event being handled.
    private var passing = 0..<0
    private var isHolding = false
    private var isResumeDue = false
    private(set) var isBodyDecoded = false
    private(set) var payloadDecoded: UInt64 = 0
    private(set) var payloadTaken: UInt64 = 0
    /// Why no more comes.
    private var failure: BodyFailure?
    /// Made with the first trailers.
    private var trailerFields: HeaderBlock?

    // The body that goes out.
    private(set) var isEnded = false
    /// The peer's windows, or the connection's queue, have no room for payload that waits.
    private(set) var isBlocked = false
    private(set) var payloadWritten: UInt64 = 0
    /// Bytes of frames queued for this stream.
    private(set) var bytesQueued: UInt64 = 0

    init(_ link: H2Link) {
        self.link = link
        session = link.session
        output = link.session.output
    }

    /// Begins with a new stream. `holding` keeps payload that comes for a second try, as long as it is little.
    func begin(slot: Int, holding: Bool) {
        self.slot = slot
        isHolding = holding
        isBodyDecoded = false
        payloadDecoded = 0
        payloadTaken = 0
        isEnded = false
        isBlocked = false
        payloadWritten = 0
        bytesQueued = 0
    }

    /// Lets go of everything.
    func end() {
        link.worker.buffers.reclaim(from: kept)
        keptTaken = 0
        creditedAhead = 0
        passing = 0..<0
        isResumeDue = false
        if failure != nil { failure = nil }
        trailerFields?.removeAll()
    }

    // MARK: Events of the connection

    /// Payload has come, which stands at `range` of the connection's input until the event is handled.
    func received(_ range: Range<Int>, ends: Bool) {
        payloadDecoded += UInt64(range.count)
        if ends { isBodyDecoded = true }
        guard !range.isEmpty else { return }
        if isHolding {
            if kept.readableCount + range.count <= Self.heldBytesMax { return keep(range) }
            releaseHeld()
        }
        if kept.isEmpty { passing = range } else { keep(range) }
    }

    /// The event is handled: what was not taken must not stay in the connection's input.
    func settle() {
        guard !passing.isEmpty else { return }
        let range = passing
        passing = 0..<0
        keep(range)
    }

    /// The head of a message without a body, or its last part, has come.
    func ended() { isBodyDecoded = true }

    func failed(_ failure: BodyFailure) {
        if self.failure == nil { self.failure = failure }
    }

    /// Where trailers are put before `ended`.
    func trailersForReading() -> HeaderBlock {
        let fields = trailerFields ?? HeaderBlock(capacity: 256)
        trailerFields = fields
        return fields
    }

    private func keep(_ range: Range<Int>) {
        let input = link.input
        link.worker.buffers.lend(to: kept)
        kept.append(input.bytes(range))
    }

    // MARK: BodySource

    var payload: (buffer: Buffer?, range: Range<Int>) {
        if kept.readableCount > keptTaken { return (kept, kept.readerIndex + keptTaken..<kept.writerIndex) }
        if !passing.isEmpty { return (link.input, passing) }
        return (nil, 0..<0)
    }

    /// Nothing is there, and more is to come.
    var awaitsPayload: Bool { !isBodyDecoded && failure == nil && passing.isEmpty && kept.readableCount == keptTaken }

    var trailers: HeaderBlock? {
        guard let trailerFields, !trailerFields.fields.isEmpty else { return nil }
        return trailerFields
    }

    func pull() -> PullOutcome {
        if !payload.range.isEmpty { return .payload }
        if isBodyDecoded { return .complete }
        if let failure { return .failed(failure) }
        return .wouldBlock
    }

    func take(_ count: Int) {
        guard count > 0 else { return }
        payloadTaken += UInt64(count)
        let again = min(count, creditedAhead)
        creditedAhead -= again
        if count > again {
            link.willQueue()
            session.consumed(slot, count - again)
        }
        if kept.readableCount > keptTaken {
            keptTaken += count
            if !isHolding { dropTaken() }
        } else {
            passing = passing.lowerBound + count..<passing.upperBound
        }
    }

    private func dropTaken() {
        kept.consume(keptTaken)
        keptTaken = 0
        if kept.isEmpty { link.worker.buffers.reclaim(from: kept) }
    }

    var canRewind: Bool { isHolding || payloadTaken == 0 }

    func rewind() {
        creditedAhead += keptTaken
        keptTaken = 0
    }

    func releaseHeld() {
        guard isHolding else { return }
        isHolding = false
        dropTaken()
    }

    func resumeNextTurn() {
        isResumeDue = true
        link.transport.resumeNextTurn()
    }

    /// Whether another turn was asked for, once.
    func takeResume() -> Bool {
        defer { isResumeDue = false }
        return isResumeDue
    }

    // MARK: BodySink

    func push(_ buffer: Buffer?, _ range: Range<Int>, ends: Bool, trailers: HeaderBlock?) -> PushOutcome {
        isBlocked = false
        // Payload after the end has nowhere to go.
        guard !isEnded, ends || !range.isEmpty else { return PushOutcome(taken: range.count, state: .drained) }
        if !range.isEmpty, link.isCongested {
            isBlocked = true
            return PushOutcome(taken: 0, state: .blocked)
        }
        link.willQueue()
        let before = output.readableCount
        var taken = 0
        if let buffer, !range.isEmpty {
            let endsWithPayload = ends && trailers == nil
            taken = session.queueData(slot, buffer.bytes(range), ends: endsWithPayload)
            payloadWritten += UInt64(taken)
            isBlocked = taken < range.count
            isEnded = endsWithPayload && !isBlocked
        } else if let trailers {
            session.queueTrailers(slot, trailers)
            isEnded = true
        } else {
            _ = session.queueData(slot, ("" as StaticString).bytes, ends: true)
            isEnded = true
        }
        bytesQueued += UInt64(output.readableCount - before)
        return PushOutcome(taken: taken, state: isBlocked ? .blocked : .drained)
    }

    /// Whether the peer takes what is queued; if not, `isBlocked` says so until there is room again.
    func flush() -> PushOutcome.State {
        isBlocked = link.isCongested
        return isBlocked ? .blocked : .drained
    }

    // MARK: Heads

    func queue(_ response: ResponseHead, ends: Bool) {
        link.willQueue()
        let before = output.readableCount
        session.queueResponse(slot, response, ends: ends)
        headQueued(output.readableCount - before, ends: ends)
    }

    func queue(_ request: RequestHead, target: Span<UInt8>, ends: Bool) {
        link.willQueue()
        let before = output.readableCount
        session.queueRequest(slot, request, target: target, isSecure: link.transport.isEncrypted, ends: ends)
        headQueued(output.readableCount - before, ends: ends)
    }

    private func headQueued(_ bytes: Int, ends: Bool) {
        bytesQueued += UInt64(bytes)
        if ends { isEnded = true }
    }
}
