import Core
import HTTP
import IO
import Traffic

/// One client's HTTP/1 connection: reads request heads, runs one exchange at a time, keeps alive or closes.
///
/// Owned by its worker's slab, used on that worker only. Holds an exchange and buffers only while a request is under way,
/// so that an idle connection is this object, its wire and its timer.
///
///     reading ─head─▶ exchanging ─completed─▶ reading ; exchanging ─last─▶ lingering ─end or timeout─▶ closed
final class DownstreamConnection: Downstream, EventHandler, TimerTarget {
    private enum State {
        case handshaking
        /// Waits for a request head, or for the rest of one.
        case reading
        case exchanging
        /// The last response is queued; written before the connection closes.
        case flushing
        /// The last response is written: what the client still sends is dropped, so that a reset does not overtake it.
        case lingering
        case closed
    }

    /// How long, and for how many bytes, a client is listened to after its last response.
    private static let lingerMax: Duration = .seconds(2)
    private static let lingerBytesMax: UInt64 = 1 << 20

    let worker: Worker
    let listener: Listener
    let peer: SocketAddress
    private(set) var tls: ClientTLS?
    private let wire: Wire
    private let timer = Timer()
    private var token: Slab<DownstreamConnection>.Token?
    private var state = State.reading
    private var exchange: Exchange?
    private var requests: UInt32 = 0
    /// The first byte of the request being read has arrived.
    private var isHeadBegun = false
    /// Input is being worked on further up the stack.
    private var isProcessing = false
    /// Bytes of a request that was given up may be unread: closing now would reset the connection under the response.
    private var needsLinger = false
    private var lingered: UInt64 = 0
    // Wire totals when the exchange began.
    private var readBefore: UInt64 = 0
    private var writtenBefore: UInt64 = 0

    /// Takes an accepted connection. Throws when it cannot be registered; the descriptor is closed then.
    init(_ descriptor: consuming FileDescriptor, peer: SocketAddress, listener: Listener, worker: Worker)
        throws(IOError)
    {
        self.worker = worker
        self.listener = listener
        self.peer = peer
        let transport = Transport(descriptor, loop: worker.loop)
        wire = Wire(transport: transport, buffers: worker.buffers)
        timer.target = self
        try transport.attach(self)
        token = worker.downstreams.insert(self)
        listener.connectionOpened()
        worker.loop.schedule(timer, at: worker.loop.now.advanced(byNanoseconds: listener.headTimeout))
    }

    /// Begins with a new connection, which may have sent something already.
    func start() {
        wire.transport.assumeReady()
        guard let tls = listener.tls else { return processInput() }
        do { try wire.transport.beginTLS(tls.value) } catch { return close() }
        state = .handshaking
        worker.loop.schedule(timer, at: worker.loop.now.advanced(byNanoseconds: listener.handshakeTimeout))
        proceedWithHandshake()
    }

    private func proceedWithHandshake() {
        switch wire.transport.handshake() {
        case .wouldBlock: break
        case .failed(let error):
            if error.kind == .notTLS { Socket.send(PlainRequestResponse.bytes, to: wire.transport.rawDescriptor) }
            handshakeFailed("\(error)")
        case .complete:
            guard let connection = wire.transport.tls else { preconditionFailure("a handshake without TLS") }
            worker.metrics.add(connection.isResumed ? .tlsResumed : .tlsHandshakes, listener: listener.index)
            tls = ClientTLS(connection, worker.logFormat)
            state = .reading
            worker.loop.schedule(timer, at: worker.loop.now.advanced(byNanoseconds: listener.headTimeout))
            if connection.applicationProtocol == .http2 { becomeHTTP2() } else { processInput() }
        }
    }

    private func handshakeFailed(_ why: String) {
        worker.handshakeFailed(why, peer: peer, listener: listener.index)
        close()
    }

    // MARK: Events

    func ready(_ readiness: Readiness) {
        wire.transport.note(readiness)
        switch state {
        case .handshaking: proceedWithHandshake()
        case .reading:
            // With TLS a read may have waited for room to write.
            if wire.transport.isReadable { processInput() }
        case .exchanging:
            guard let exchange else { return }
            if readiness.isError || (readiness.isHungUp && exchange.isRequestComplete) { return exchange.clientGone() }
            if readiness.isReadable, !exchange.isRequestComplete { exchange.downstreamReadable(self) }
            // The exchange may be over, or another one, by now: only one that still waits to write hears of it.
            if readiness.isWritable, state == .exchanging { self.exchange?.downstreamWritable(self) }
        case .flushing: finishFlushing()
        case .lingering: linger()
        case .closed: break
        }
    }

    func resumed() {
        guard state == .exchanging else { return }
        exchange?.downstreamReadable(self)
    }

    func timerFired(_ timer: Timer) {
        switch state {
        case .handshaking: handshakeFailed("no TLS handshake in time")
        case .reading:
            guard isHeadBegun else { return close() }
            reject(.headTimeout)
        case .exchanging: exchange?.clientTimedOut()
        case .flushing, .lingering: close()
        case .closed: break
        }
    }

    /// The process drains: an idle connection closes now, a busy one after its response.
    func drain() {
        if state == .handshaking || (state == .reading && !isHeadBegun) { close() }
    }

    /// The worker ends: an exchange under way fails, and the connection closes whatever its state.
    func cut() {
        if state == .exchanging { exchange?.workerEnded() }
        close()
    }

    // MARK: Reading requests

    /// Reads and runs requests until input runs out or an exchange has to wait. Requests that are answered at once go
    /// round this loop, not down the stack.
    private func processInput() {
        guard !isProcessing else { return }
        isProcessing = true
        defer { isProcessing = false }
        while state == .reading {
            if wire.hasInput, parseHead() { continue }
            guard state == .reading else { return }
            switch wire.fill() {
            case .bytes:
                if !isHeadBegun { beginHead() }
            case .wouldBlock:
                if !isHeadBegun { becomeIdle() }
                return
            case .endOfStream, .failed:
                return close()
            }
        }
    }

    /// Parses one head from the input; false when more bytes are needed.
    private func parseHead() -> Bool {
        if requests == 0, listener.http2.isEnabled, !wire.transport.isEncrypted {
            let input = wire.input
            switch H2Preface.match(input.readable) {
            case .no: break
            case .partly: return false
            case .whole:
                becomeHTTP2()
                return true
            }
        }
        let exchange = leaseExchange()
        let input = wire.input
        if !isHeadBegun { beginHead() }
        do {
            let outcome = try H1RequestParser.parse(
                input.readable, into: exchange.request, limits: listener.headLimits, scanned: wire.scanned)
            switch outcome {
            case .needMore:
                wire.scanned = input.readableCount
                return false
            case .complete(let count):
                wire.consumeHead(count)
                beginExchange(exchange, headBytes: count)
                return true
            }
        } catch {
            reject(error)
            return true
        }
    }

    /// The client speaks HTTP/2: another object goes on with the connection.
    private func becomeHTTP2() {
        state = .closed
        worker.loop.cancel(timer)
        if let exchange { worker.recycle(exchange) }
        exchange = nil
        let session = DownstreamSession(
            wire.transport, bytes: wire.input, tls: tls, peer: peer, listener: listener, worker: worker)
        wire.handOver()
        if let token { worker.downstreams.remove(token) }
        session.start()
    }

    private func leaseExchange() -> Exchange {
        if let exchange { return exchange }
        let leased = worker.leaseExchange()
        exchange = leased
        return leased
    }

    private func beginHead() {
        isHeadBegun = true
        leaseExchange().headBegan(at: worker.loop.now)
        worker.loop.schedule(timer, at: worker.loop.now.advanced(byNanoseconds: listener.headTimeout))
    }

    private func becomeIdle() {
        if worker.isDraining { return close() }
        if let exchange {
            worker.recycle(exchange)
            self.exchange = nil
        }
        worker.rests(wire.transport)
        if requests > 0 {
            worker.loop.schedule(timer, at: worker.loop.now.advanced(byNanoseconds: listener.keepAliveTimeout))
        }
    }

    private func beginExchange(_ exchange: Exchange, headBytes: Int) {
        requests += 1
        state = .exchanging
        readBefore = wire.bytesRead - UInt64(wire.input.readableCount) - UInt64(headBytes)
        writtenBefore = wire.bytesWritten
        worker.loop.schedule(timer, at: .distantFuture)
        wire.beginIncoming(exchange.request.framing, holding: true)
        exchange.begin(self, isLast: requests >= listener.requestsMax || worker.isDraining)
    }

    /// Answers a request that cannot be read, and closes: what follows it cannot be trusted.
    private func reject(_ error: HTTPError) {
        let exchange = leaseExchange()
        state = .exchanging
        readBefore = wire.bytesRead
        writtenBefore = wire.bytesWritten
        needsLinger = true
        wire.discardInput()
        wire.beginIncoming(.none)
        exchange.reject(self, error)
    }

    // MARK: Downstream

    var requestBody: any BodySource { wire }
    var responseBody: any BodySink { wire }
    var isSecure: Bool { wire.transport.isEncrypted }
    var writesLater: Bool { false }
    var bytesReceived: UInt64 { wire.bytesRead - UInt64(wire.input.readableCount) - readBefore }
    var bytesSent: UInt64 { wire.bytesWritten - writtenBefore }

    func queueInformational(_ head: ResponseHead) {
        H1Writer.writeResponse(head, framing: .none, into: wire.outputForWriting())
    }

    func queueHead(_ head: ResponseHead, for request: RequestHead, closes: Bool) -> Bool {
        let framing = H1Writer.framing(of: head, for: request.version)
        let closes = closes || framing == .untilClose
        H1Writer.writeResponse(
            head, framing: framing, connection: H1Writer.connection(keepAlive: !closes, for: request.version),
            into: wire.outputForWriting())
        wire.beginOutgoing(framing)
        return closes
    }

    func flush() -> PushOutcome.State { wire.flush() }

    func awaitClient() {
        worker.loop.schedule(
            timer, at: worker.loop.now.advanced(byNanoseconds: exchange?.clientIdle ?? listener.idleTimeout))
    }

    func suspendTimeout() { worker.loop.schedule(timer, at: .distantFuture) }

    func exchangeCompleted(keepAlive: Bool, requestComplete: Bool) {
        wire.releaseHeld()
        isHeadBegun = false
        guard keepAlive, requestComplete, !worker.isDraining else {
            if let exchange { worker.recycle(exchange) }
            exchange = nil
            state = .flushing
            // Also what the kernel holds of further requests makes of a close a reset.
            needsLinger = needsLinger || !requestComplete || wire.hasInput || wire.transport.isReadable
            return finishFlushing()
        }
        state = .reading
        if let exchange {
            // Pipelined requests go on with the same exchange object; otherwise it is for others to use.
            exchange.reset()
        }
        processInput()
    }

    func exchangeAborted(_ reason: Reason, _ code: H2ErrorCode?) {
        if let exchange { worker.recycle(exchange) }
        exchange = nil
        // Whatever the framing: a reset cannot be taken for the end of a response.
        wire.transport.abort()
        close()
    }

    // MARK: Closing

    private func finishFlushing() {
        switch wire.flush() {
        case .blocked: worker.loop.schedule(timer, at: worker.loop.now.advanced(byNanoseconds: listener.idleTimeout))
        case .failed: close()
        case .drained:
            guard needsLinger, !wire.transport.isHungUp else { return close() }
            state = .lingering
            wire.transport.shutdownWriting()
            worker.loop.schedule(timer, after: Self.lingerMax)
            linger()
        }
    }

    private func linger() {
        while true {
            wire.discardInput()
            let before = wire.bytesRead
            switch wire.fill() {
            case .bytes:
                lingered += wire.bytesRead - before
                if lingered > Self.lingerBytesMax { return close() }
            case .wouldBlock: return
            case .endOfStream, .failed: return close()
            }
        }
    }

    func close() {
        guard state != .closed else { return }
        state = .closed
        worker.loop.cancel(timer)
        worker.closed(wire.transport)
        wire.close()
        if let exchange { worker.recycle(exchange) }
        exchange = nil
        listener.connectionClosed()
        if let token { worker.downstreams.remove(token) }
    }
}
