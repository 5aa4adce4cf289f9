import Core
import HTTP
import IO

/// Gives the bytes of one message's body, decoded: framing is its own affair.
///
/// The bytes stay in the source's buffer until they are taken: that one buffer is the back-pressure, for nothing is read
/// while it is full.
protocol BodySource: AnyObject {
    /// Itself when it is an HTTP/1 connection, whose payload may go through a pipe.
    var wire: Wire? { get }
    /// Payload still to come that could go through a pipe now; only of a wire.
    var spliceable: UInt64 { get }
    /// The buffer that holds payload not yet taken, and where. The range is empty when there is none.
    var payload: (buffer: Buffer?, range: Range<Int>) { get }
    /// The whole body has been decoded; its last payload may still wait to be taken.
    var isBodyDecoded: Bool { get }
    /// Payload bytes decoded so far.
    var payloadDecoded: UInt64 { get }
    /// The fields after a chunked body, once it is decoded; nil when there are none.
    var trailers: HeaderBlock? { get }
    /// Gets more payload when all was taken.
    func pull() -> PullOutcome
    /// Lets go of the first `count` payload bytes.
    func take(_ count: Int)
    /// Whether all payload that was taken can be had once more.
    var canRewind: Bool { get }
    func rewind()
    /// No second try will be needed any more.
    func releaseHeld()
    /// Asks for another turn, for work cut short to let others have their share.
    func resumeNextTurn()
}

/// What a source has to give.
enum PullOutcome: Equatable {
    case payload
    case wouldBlock
    case complete
    case failed(BodyFailure)
}

/// Why a body broke off.
enum BodyFailure: Equatable {
    case malformed(HTTPError)
    /// The stream ended before the body did.
    case closed
    case reset(IOError)
    /// The peer gave this stream up. `isUnprocessed`: it says that it has done nothing with the request.
    case streamReset(H2ErrorCode, isUnprocessed: Bool)
    /// The peer broke the rules of HTTP/2, for all streams of the connection.
    case violation(H2Violation)
}

/// Takes the bytes of one message's body and frames them as its peer wants them.
protocol BodySink: AnyObject {
    /// Itself when it is an HTTP/1 connection, which may take payload from a pipe.
    var wire: Wire? { get }
    /// Whether payload may come from a pipe now; only of a wire.
    var acceptsSplice: Bool { get }
    /// Payload bytes that left so far.
    var payloadWritten: UInt64 { get }
    /// Writes what is queued and as much of the payload as the peer takes now. `ends`: nothing follows this payload, so
    /// that the last bytes and the end of the framing leave in one write.
    func push(_ buffer: Buffer?, _ range: Range<Int>, ends: Bool, trailers: HeaderBlock?) -> PushOutcome
}

struct PushOutcome {
    enum State: Equatable {
        /// Everything left, queued bytes included.
        case drained
        /// The peer takes no more for now.
        case blocked
        case failed(IOError)
    }

    /// Payload bytes that left or are queued: the source may forget them.
    var taken: Int
    var state: State
}

/// How far a relay got.
enum RelayOutcome: Equatable {
    /// The body and its end are with the kernel.
    case complete
    case sourceBlocked
    case sinkBlocked
    case sourceFailed(BodyFailure)
    case sinkFailed(IOError)
    /// It has had its share of this turn; more is to be had at once.
    case yielded
}
