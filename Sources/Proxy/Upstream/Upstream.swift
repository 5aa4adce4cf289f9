import Core
import HTTP
import IO
import Traffic

/// The endpoint's side of an exchange, whichever protocol the endpoint speaks.
protocol Upstream: AnyObject {
    var requestBody: any BodySink { get }
    var responseBody: any BodySource { get }
    /// The connection carried another exchange before, so the server may have closed it meanwhile.
    var isReused: Bool { get }
    /// Some byte of the request has left.
    var hasWrittenRequest: Bool { get }
    /// Some byte of a response has come.
    var hasResponseBytes: Bool { get }
    /// A head has come that must be read now: it cannot wait where it is.
    var isHeadUrgent: Bool { get }
    /// The request ended with its head, and leaves by itself.
    var isRequestEnded: Bool { get }
    /// Payload is to come, and will be told when it does: asking now would be in vain.
    var awaitsPayload: Bool { get }
    var bytesSent: UInt64 { get }
    var bytesReceived: UInt64 { get }

    /// Queues the request's head; with the target as sent when the one given is empty.
    func queueHead(_ request: RequestHead, target: Span<UInt8>)
    /// Reads a response head, final or informational.
    func readHead(into head: ResponseHead, method: Method) -> ResponseHeadOutcome
    /// Nothing more goes through a tunnel in this direction.
    func endRequest()
    /// The exchange waits for the response head.
    func awaitResponse(_ nanoseconds: UInt64)
    /// The exchange waits for bytes of the response, or until the endpoint takes more of the request.
    func awaitProgress(_ nanoseconds: UInt64)
    func suspendTimeout()
    func release(reusable: Bool, serverTimeoutSeconds: UInt32?)
    func cancel()
}

/// What came of reading a response head.
enum ResponseHeadOutcome {
    case head
    case needMore
    case failed(BodyFailure)
}

extension Reason {
    /// The reason word for a connect that failed.
    init(connecting error: IOError) {
        self =
            error.isRefused || error.isReset ? .connectRefused : error.isTimeout ? .connectTimeout : .connectUnreachable
    }
}
