import Core
import HTTP
import IO
import Traffic

/// One stream of a client's HTTP/2 connection: one request and its response.
///
/// Leased from its worker while the stream is open and reused. Its session raises its events.
final class DownstreamStream: Downstream, TimerTarget {
    private let worker: Worker
    let body = H2Body()
    private let timer = Timer()
    /// Nil while the object is not in use.
    private(set) var session: DownstreamSession?
    private(set) var exchange: Exchange?
    private(set) var slot = 0
    private var headBytes: UInt64 = 0
    /// The next one in the worker's chain of idle streams.
    var nextIdle: DownstreamStream?

    init(worker: Worker) {
        self.worker = worker
        timer.target = self
    }

    /// Begins with a stream whose request head waits to be decoded into `exchange`.
    func begin(_ session: DownstreamSession, slot: Int, exchange: Exchange) {
        self.session = session
        self.slot = slot
        self.exchange = exchange
        body.begin(session.link, slot: slot, holding: true)
    }

    /// The request's head was decoded from `bytes` of frames.
    func headDecoded(_ bytes: Int) { headBytes = UInt64(bytes) }

    /// The stream is over: lets go of everything and returns to the worker.
    private func finish() {
        guard let exchange else { return }
        self.exchange = nil
        worker.loop.cancel(timer)
        body.end()
        session = nil
        worker.recycle(exchange)
        worker.recycle(self)
    }

    func timerFired(_ timer: Timer) { exchange?.clientTimedOut() }

    // MARK: Downstream

    var requestBody: any BodySource { body }
    var responseBody: any BodySink { body }
    /// Of a stream that is open.
    var listener: Listener {
        guard let session else { preconditionFailure("a stream without a session was asked for its listener") }
        return session.listener
    }
    var peer: SocketAddress {
        guard let session else { preconditionFailure("a stream without a session was asked for its peer") }
        return session.peer
    }
    var isSecure: Bool { session?.link.transport.isEncrypted ?? false }
    var tls: ClientTLS? { session?.tls }
    var bytesReceived: UInt64 { headBytes + body.payloadDecoded }
    var bytesSent: UInt64 { body.bytesQueued }

    func queueInformational(_ head: ResponseHead) { queue(head, ends: false) }

    func queueHead(_ head: ResponseHead, for request: RequestHead, closes: Bool) -> Bool {
        // A stream's end is not the connection's: when that is to go, its session says so.
        queue(head, ends: head.framing == .none || head.framing == .length(0))
        return false
    }

    private func queue(_ head: ResponseHead, ends: Bool) {
        guard let session else { return }
        let queue = session.link.queue
        let before = queue.output.readableCount
        queue.queueResponse(slot, head, ends: ends)
        body.headQueued(queue.output.readableCount - before, ends: ends)
    }

    func flush() -> PushOutcome.State { session?.link.isCongested ?? true ? .blocked : .drained }

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
        guard let session else { return }
        session.closed(self, code)
        finish()
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
