import Core
import HTTP
import IO
import Traffic

/// One stream of a client's HTTP/2 connection: one request and its response.
///
/// Belongs to its session, which raises its events, and is reused.
final class DownstreamStream: Downstream, TimerTarget, Spare {
    private let session: DownstreamSession
    private let worker: Worker
    let body: H2Body
    private let timer = Timer()
    /// Nil while the object is not in use.
    private(set) var exchange: Exchange?
    private(set) var slot = 0
    private var headBytes: UInt64 = 0
    var nextSpare: DownstreamStream?

    init(_ session: DownstreamSession) {
        self.session = session
        worker = session.worker
        body = H2Body(session.link)
        timer.target = self
    }

    deinit { worker.loop.cancel(timer) }

    /// Begins with a stream whose request head waits to be decoded into `exchange`.
    func begin(slot: Int, exchange: Exchange) {
        self.slot = slot
        self.exchange = exchange
        body.begin(slot: slot, holding: true)
    }

    /// The request's head was decoded from `bytes` of frames.
    func headDecoded(_ bytes: Int) { headBytes = UInt64(bytes) }

    /// Payload stands at `range` of the connection's input.
    func payloadReceived(_ range: Range<Int>, ends: Bool) {
        body.received(range, ends: ends)
        exchange?.downstreamReadable(self)
        // If the exchange is over by now, nothing is left to settle, whoever has the object.
        body.settle()
    }

    /// The client takes payload again.
    func windowOpened() {
        if body.isBlocked { exchange?.downstreamWritable(self) }
    }

    func timerFired(_ timer: Timer) { exchange?.clientTimedOut() }

    // MARK: Downstream

    var requestBody: any BodySource { body }
    var responseBody: any BodySink { body }
    var listener: Listener { session.listener }
    var peer: SocketAddress { session.peer }
    var isSecure: Bool { session.link.transport.isEncrypted }
    var tls: ClientTLS? { session.tls }
    var bytesReceived: UInt64 { headBytes + body.payloadDecoded }
    var bytesSent: UInt64 { body.bytesQueued }

    func queueInformational(_ head: ResponseHead) { body.queue(head, ends: false) }

    func queueHead(_ head: ResponseHead, for request: RequestHead, closes: Bool) -> Bool {
        // A stream's end is not the connection's: when that is to go, its session says so.
        // Trailers may follow a body without a byte.
        let isEmpty = head.framing == .length(0) && exchange?.isResponseComplete ?? true
        body.queue(head, ends: head.framing == .none || isEmpty)
        return false
    }

    func flush() -> PushOutcome.State { body.flush() }

    func awaitClient() {
        worker.loop.schedule(timer, at: worker.loop.now.advanced(byNanoseconds: exchange?.clientIdle ?? .max))
    }

    func suspendTimeout() { worker.loop.schedule(timer, at: .distantFuture) }

    func exchangeCompleted(keepAlive: Bool, requestComplete: Bool) {
        // What was not read of the request nobody needs (RFC 9113 §8.1).
        close(.noError)
    }

    func exchangeAborted(_ reason: Reason, _ code: H2ErrorCode?) { close(code ?? H2ErrorCode(aborting: reason)) }

    /// Closes the stream whatever its state; one that is not at its end is reset.
    func close(_ code: H2ErrorCode) {
        guard let exchange else { return }
        self.exchange = nil
        suspendTimeout()
        session.closed(self, code)
        body.end()
        worker.recycle(exchange)
        session.recycle(self)
    }
}

extension H2ErrorCode {
    /// What a client is told whose response is cut.
    init(aborting reason: Reason) {
        self =
            switch reason {
            case .badRequest: .protocolError
            case .clientClosed, .responseTimeout: .cancel
            default: .internalError
            }
    }
}
