import Core
import HTTP
import IO
import Traffic

/// One HTTP/1 connection to an endpoint: connects, carries one exchange at a time, waits in its pool between them.
///
/// Owned by its pool, used on that worker only. A parked connection that becomes readable or is hung up is dropped at
/// once: an HTTP/1 server has nothing to say unasked.
final class UpstreamConnection: Upstream, EventHandler, TimerTarget {
    private enum State {
        case connecting
        case leased
        case idle
        case closed
    }

    private let worker: Worker
    private let pool: EndpointPool
    /// Its place among its pool's connections.
    var token: Slab<UpstreamConnection>.Token?
    let address: SocketAddress
    private let wire: Wire
    private let timer = Timer()
    private var dialing = Dialing()
    private var lease: UpstreamLease
    private var state = State.connecting
    private var exchange: Exchange?
    /// The request asks for another protocol, and everything after the heads belongs to that.
    private var isTunnel = false
    // Wire totals when the exchange began.
    private var writtenBefore: UInt64 = 0
    private var readBefore: UInt64 = 0

    /// Starts to connect for `exchange`, which hears `upstreamConnected` or `upstreamFailed`, never before this returns.
    init(to address: SocketAddress, pool: EndpointPool, for exchange: Exchange, worker: Worker) throws(IOError) {
        self.worker = worker
        self.pool = pool
        self.address = address
        self.exchange = exchange
        let transport = Transport(
            try Socket.connect(to: address, unacknowledgedMax: pool.limits.unacknowledgedMax), loop: worker.loop)
        wire = Wire(transport: transport, buffers: worker.buffers)
        lease = UpstreamLease(
            usesMax: pool.limits.requestsMax, idleNanoseconds: pool.limits.idleNanoseconds,
            ageNanoseconds: pool.limits.ageNanoseconds, at: worker.loop.now)
        timer.target = self
        try transport.attach(self)
        worker.loop.schedule(timer, at: worker.loop.now.advanced(byNanoseconds: pool.limits.connectNanoseconds))
    }

    var isReused: Bool { lease.isReused }
    var hasWrittenRequest: Bool { wire.bytesWritten > writtenBefore }

    // MARK: Events

    func ready(_ readiness: Readiness) {
        wire.transport.note(readiness)
        switch state {
        case .connecting: finishConnecting()
        case .leased:
            if readiness.isReadable { exchange?.upstreamReadable(self) }
            if readiness.isWritable, state == .leased { exchange?.upstreamWritable(self) }
        case .idle:
            // Tickets of TLS are nothing to HTTP.
            if readiness.isReadable, !wire.transport.isEncrypted || wire.fill() != .wouldBlock { close(.peerClosed) }
        case .closed: break
        }
    }

    func resumed() {
        if state == .leased { exchange?.upstreamReadable(self) }
    }

    func timerFired(_ timer: Timer) {
        switch state {
        case .connecting:
            let timeout = dialing.timedOut(pool.tls)
            failConnecting(timeout.reason, timeout.why)
        case .leased: exchange?.upstreamTimedOut()
        case .idle: close(.idleTooLong)
        case .closed: break
        }
    }

    private func finishConnecting() {
        switch dialing.proceed(wire.transport, pool.tls) {
        case .pending: return
        case .failed(let reason, let why): return failConnecting(reason, why)
        case .connected: break
        }
        state = .leased
        lease.connected()
        worker.loop.schedule(timer, at: .distantFuture)
        exchange?.upstreamConnected(self)
        // A server that turns everybody away speaks before it is asked; the kernel will not say so twice.
        if state == .leased, wire.transport.isReadable { exchange?.upstreamReadable(self) }
    }

    private func failConnecting(_ reason: Reason, _ why: String) {
        let waiting = exchange
        close(.connectFailed)
        waiting?.upstreamFailedToConnect(reason, why)
    }

    // MARK: Upstream

    var requestBody: any BodySink { wire }
    var responseBody: any BodySource { wire }

    /// Gives a parked connection to an exchange.
    func checkOut(for exchange: Exchange) {
        lease.checkedOut()
        state = .leased
        self.exchange = exchange
        worker.loop.schedule(timer, at: .distantFuture)
    }

    func queueHead(_ request: RequestHead, target: Span<UInt8>) {
        writtenBefore = wire.bytesWritten
        readBefore = wire.bytesRead
        pool.nameHost(in: request)
        let output = wire.outputForWriting()
        isTunnel = request.isExtendedConnect
        let framing = isTunnel ? BodyFraming.none : request.framing
        let connection: ConnectionOptions = isTunnel ? .upgrade : []
        if isTunnel { H1Upgrade.prepare(request, key: (worker.random.next(), worker.random.next())) }
        if target.isEmpty {
            H1Writer.writeRequest(request, framing: framing, connection: connection, into: output)
        } else {
            H1Writer.writeRequest(request, target: target, framing: framing, connection: connection, into: output)
        }
        wire.beginOutgoing(framing)
    }

    /// What has come waits in its buffer.
    var isHeadUrgent: Bool { false }

    func endRequest() { wire.transport.shutdownWriting() }

    var bytesSent: UInt64 { wire.bytesWritten - writtenBefore }
    var bytesReceived: UInt64 { wire.bytesRead - readBefore }

    func readHead(into head: ResponseHead, method: Method) -> ResponseHeadOutcome {
        while true {
            if wire.hasInput {
                let input = wire.input
                do {
                    let outcome = try H1ResponseParser.parse(
                        input.readable, into: head, requestMethod: method, limits: pool.limits.head,
                        scanned: wire.scanned)
                    if case .complete(let count) = outcome {
                        wire.consumeHead(count)
                        if isTunnel, head.status < 300 {
                            if head.isSwitchingProtocols {
                                H1Upgrade.translate(head)
                            } else if !head.isInformational {
                                return .failed(.malformed(.tunnelNotOpened))
                            }
                        }
                        if !head.isInformational { wire.beginIncoming(head.framing) }
                        return .head
                    }
                    wire.scanned = input.readableCount
                } catch {
                    return .failed(.malformed(error))
                }
            }
            switch wire.fill() {
            case .bytes: continue
            case .wouldBlock: return .needMore
            case .endOfStream: return .failed(.closed)
            case .failed(let error): return .failed(.reset(error))
            }
        }
    }

    var hasResponseBytes: Bool { wire.bytesRead > readBefore }

    func awaitResponse(_ nanoseconds: UInt64) { armTimer(nanoseconds) }

    func awaitProgress(_ nanoseconds: UInt64) { armTimer(nanoseconds) }

    func suspendTimeout() { worker.loop.schedule(timer, at: .distantFuture) }

    private func armTimer(_ nanoseconds: UInt64) {
        worker.loop.schedule(timer, at: worker.loop.now.advanced(byNanoseconds: nanoseconds))
    }

    /// The exchange is over. `reusable`: request and response are complete and the server keeps the connection.
    func release(reusable: Bool, serverTimeoutSeconds: UInt32?) {
        exchange = nil
        // Bytes after the response answer no request of ours.
        let isClean = reusable && !wire.hasOutput && !wire.transport.isHungUp && hasNothingToRead
        // On a copy: an access to the property would last over the call.
        var lease = self.lease
        let action = lease.released(
            at: worker.loop.now, reusable: isClean, serverTimeoutSeconds: serverTimeoutSeconds)
        self.lease = lease
        switch action {
        case .park(let deadline):
            state = .idle
            guard pool.park(self) else { return close(.poolFull) }
            worker.rests(wire.transport)
            worker.loop.schedule(timer, at: deadline)
        case .close(let reason):
            close(reason)
        }
    }

    /// Only when the last read ended just where the response did does it take a system call to know.
    private var hasNothingToRead: Bool { !wire.hasInput && (!wire.transport.isReadable || wire.fill() == .wouldBlock) }

    /// Gives the exchange up: the server sees the connection go.
    func cancel() {
        exchange = nil
        close(.notReusable)
    }

    func close(_ reason: UpstreamLease.Reason) {
        guard state != .closed else { return }
        let wasIdle = state == .idle
        state = .closed
        _ = lease.closed(reason)
        exchange = nil
        worker.loop.cancel(timer)
        wire.close()
        pool.closed(self, wasIdle: wasIdle, reason)
    }
}
