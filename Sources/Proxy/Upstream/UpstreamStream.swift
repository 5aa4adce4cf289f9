import Core
import HTTP
import IO
import Traffic

/// One stream of an HTTP/2 connection to an endpoint: one request and its response.
///
/// Belongs to its session, which raises its events, and is reused.
final class UpstreamStream: Upstream, TimerTarget, Spare {
    private let session: UpstreamSession
    private let worker: Worker
    let body: H2Body
    private let timer = Timer()
    /// Nil while the object is not in use.
    private(set) var exchange: Exchange?
    private(set) var slot = 0
    /// A response's head, or its trailers, wait in the session to be decoded.
    private var isHeadWaiting = false
    private var isHeadLast = false
    private var failure: BodyFailure?
    /// What the endpoint is told when the stream is given up.
    private var resetCode = H2ErrorCode.cancel
    private var headBytes: UInt64 = 0
    private(set) var isReused = false
    private(set) var hasWrittenRequest = false
    private(set) var hasResponseBytes = false
    /// The final response's head was read.
    private(set) var isHeadRead = false
    var nextSpare: UpstreamStream?

    init(_ session: UpstreamSession) {
        self.session = session
        worker = session.worker
        body = H2Body(session.link)
        timer.target = self
    }

    deinit { worker.loop.cancel(timer) }

    func begin(slot: Int, exchange: Exchange, isReused: Bool) {
        self.slot = slot
        self.exchange = exchange
        self.isReused = isReused
        isHeadWaiting = false
        failure = nil
        resetCode = .cancel
        headBytes = 0
        hasWrittenRequest = false
        hasResponseBytes = false
        isHeadRead = false
        body.begin(slot: slot, holding: false)
    }

    // MARK: Events of the session

    /// The connection stands. Whether the endpoint takes tunnels its SETTINGS say, before which none may be asked for
    /// (RFC 8441 §3): such a request waits for them.
    func connected() {
        guard let exchange else { return }
        switch session.takesTunnels {
        case _ where !exchange.isTunnel, .some(true): exchange.upstreamConnected(self)
        case .some(false): failed(.malformed(.tunnelNotOpened))
        case .none: awaitProgress(session.pool.limits.connectNanoseconds)
        }
    }

    /// The endpoint's SETTINGS have come.
    func settingsReceived() {
        if let exchange, exchange.isTunnel, !hasWrittenRequest { connected() }
    }

    /// A head came and can be decoded now, not later.
    func headReceived(ends: Bool) {
        if isHeadRead { return trailersReceived() }
        hasResponseBytes = true
        isHeadWaiting = true
        isHeadLast = ends
        exchange?.upstreamReadable(self)
    }

    /// Payload stands at `range` of the connection's input.
    func payloadReceived(_ range: Range<Int>, ends: Bool) {
        body.received(range, ends: ends)
        exchange?.upstreamReadable(self)
        // If the exchange is over by now, nothing is left to settle, whoever has the object.
        body.settle()
    }

    /// The turn that was asked for has come.
    func resumed() {
        guard let exchange else { return }
        if exchange.isUpstreamConnected { exchange.upstreamReadable(self) } else { connected() }
    }

    /// The endpoint takes payload again.
    func windowOpened() {
        if body.isBlocked { exchange?.upstreamWritable(self) }
    }

    private func trailersReceived() {
        do {
            try session.link.session.decodeTrailers(slot, into: body.trailersForReading())
            body.ended()
        } catch {
            resetCode = .protocolError
            body.failed(.malformed(error))
        }
        exchange?.upstreamReadable(self)
    }

    func failed(_ failure: BodyFailure) {
        if self.failure == nil { self.failure = failure }
        body.failed(failure)
        exchange?.upstreamReadable(self)
    }

    func timerFired(_ timer: Timer) { exchange?.upstreamTimedOut() }

    // MARK: Upstream

    var requestBody: any BodySink { body }
    var responseBody: any BodySource { body }
    var bytesSent: UInt64 { body.bytesQueued }
    var bytesReceived: UInt64 { headBytes + body.payloadDecoded }

    func queueHead(_ request: RequestHead, target: Span<UInt8>) {
        hasWrittenRequest = true
        // Trailers may follow a body without a byte.
        let isEmpty = request.framing == .length(0) && exchange?.isRequestComplete ?? true
        let ends = request.framing == .none || isEmpty
        session.pool.nameHost(in: request)
        body.queue(request, target: target, ends: ends)
    }

    func readHead(into head: ResponseHead, method: Method) -> ResponseHeadOutcome {
        guard isHeadWaiting else {
            if let failure { return .failed(failure) }
            return .needMore
        }
        isHeadWaiting = false
        do {
            try session.link.session.decodeResponse(slot, into: head, method: method)
        } catch {
            resetCode = .protocolError
            return .failed(.malformed(error))
        }
        headBytes += UInt64(head.headers.storage.writerIndex)
        isHeadRead = !head.isInformational
        if isHeadLast { body.ended() }
        return .head
    }

    var isHeadUrgent: Bool { isHeadWaiting }

    /// The stream's end says so.
    func endRequest() {}

    func awaitResponse(_ nanoseconds: UInt64) { awaitProgress(nanoseconds) }

    func awaitProgress(_ nanoseconds: UInt64) {
        worker.loop.schedule(timer, at: worker.loop.now.advanced(byNanoseconds: nanoseconds))
    }

    func suspendTimeout() { worker.loop.schedule(timer, at: .distantFuture) }

    /// The response is complete; what is left of the request nobody wants.
    func release(reusable: Bool, serverTimeoutSeconds: UInt32?) { close(.cancel) }

    func cancel() { close(resetCode) }

    /// Closes the stream; one that is not at its end is reset.
    private func close(_ code: H2ErrorCode) {
        guard exchange != nil else { return }
        exchange = nil
        suspendTimeout()
        session.closed(self, code)
        body.end()
        session.recycle(self)
    }
}
