import Core
import HTTP
import IO
import Traffic

/// One client's connection that is passed on to an endpoint byte by byte: TLS that is not decrypted.
///
/// Owned by its worker's slab, used on that worker only. The server name in the client's first message chooses the
/// service; then both directions are relayed, each as long as its sender sends, through the kernel where it can be.
///
///     greeting ─server name─▶ connecting ⇄ next endpoint ; connecting ─▶ relaying ─both ended─▶ closed
///     greeting ─unknown name─▶ lingering ─end or timeout─▶ closed
final class Tunnel: TimerTarget {
    private enum State {
        case greeting, connecting, relaying
        /// The client is told that nobody has this name; what it still sends is dropped, so that a reset does not overtake
        /// the alert.
        case lingering
        case closed
    }

    /// A fatal alert, `unrecognized_name` (RFC 6066 §3), in a record of its own (RFC 8446 §5.1, §6).
    private static let unrecognizedName: StaticString = "\u{15}\u{3}\u{3}\u{0}\u{2}\u{2}\u{70}"
    private static let lingerMax: Duration = .seconds(2)
    private static let lingerBytesMax: UInt64 = 1 << 20

    let worker: Worker
    private let listener: Listener
    private let plan: WorkerPlan
    private let timer = Timer()
    private var token: Slab<Tunnel>.Token?
    private var state = State.greeting
    private let client: TunnelEnd
    private var endpoint: TunnelEnd?
    private var dialing = Dialing()
    private let upward = Relay()
    private let downward = Relay()
    private var isUpwardOver = false
    private var isDownwardOver = false
    private let beganAt: Instant
    private var record: ExchangeRecord
    /// What routing and logs know of it: the server name stands for the authority.
    private let request = RequestHead()
    private var service: WorkerService?
    private var tried = TriedEndpoints()

    init(_ descriptor: consuming FileDescriptor, peer: SocketAddress, listener: Listener, worker: Worker)
        throws(IOError)
    {
        self.worker = worker
        self.listener = listener
        plan = worker.plan
        beganAt = worker.loop.now
        record = ExchangeRecord(listener: listener.index)
        if case .ip(let address, let port) = peer {
            record.clientAddress = address
            record.clientPort = port
        }
        let transport = Transport(descriptor, loop: worker.loop)
        client = TunnelEnd(Wire(transport: transport, buffers: worker.buffers))
        timer.target = self
        try transport.attach(client)
        client.tunnel = self
        token = worker.tunnels.insert(self)
        listener.connectionOpened()
        worker.metrics.requestStarted(listener: listener.index)
        worker.loop.schedule(timer, at: beganAt.advanced(byNanoseconds: listener.headTimeout))
    }

    func start() {
        client.wire.transport.assumeReady()
        readGreeting()
    }

    // MARK: Events

    func ready(_ end: TunnelEnd, _ readiness: Readiness) {
        end.wire.transport.note(readiness)
        switch state {
        case .greeting: readGreeting()
        case .connecting:
            if end === endpoint { return proceed() }
            if readiness.isError { fail(.clientClosed, "the client reset the connection") }
        case .relaying: relay()
        case .lingering: linger()
        case .closed: break
        }
    }

    func resumed() {
        if state == .relaying { relay() }
    }

    func timerFired(_ timer: Timer) {
        switch state {
        case .greeting: fail(.badRequest, "no TLS handshake began in time")
        case .connecting:
            let timeout = dialing.timedOut()
            attemptFailed(timeout.reason, timeout.why)
        case .lingering: close()
        case .relaying, .closed: break
        }
    }

    /// The worker ends.
    func cut() { fail(.draining, "the process ended before the connection did") }

    // MARK: The server name

    private func readGreeting() {
        let input = client.wire.input
        while true {
            switch TLSClientHello.parse(input.readable) {
            case .notTLS: return fail(.badRequest, "the client does not speak TLS")
            case .hello(let name, _):
                if let name { note(name) }
                return route()
            case .needMore: break
            }
            switch client.wire.fill() {
            case .bytes: continue
            case .wouldBlock: return
            case .endOfStream, .failed: return fail(.clientClosed, "the client closed before its handshake began")
            }
        }
    }

    private func note(_ name: Range<Int>) {
        let input = client.wire.input
        let storage = request.headers.storage
        let start = storage.writerIndex
        storage.append(input.readable.extracting(name))
        request.authority = ByteRange(start: start, count: name.count)
    }

    private func route() {
        if let index = listener.serviceIndex {
            service = plan.services[index]
        } else {
            let request = self.request
            let index = plan.routes.match(serverName: request.bytes(request.authority), listener: listener.index)
            guard let index, case .service(let service) = plan.routes.routes[index].action else {
                return refuseName()
            }
            record.route = index
            self.service = plan.services[service]
        }
        record.service = service?.index ?? -1
        client.wire.beginIncoming(.untilClose)
        attempt()
    }

    // MARK: The endpoint

    private func attempt() {
        guard let service else { return }
        state = .connecting
        var why = "no endpoint is eligible"
        var obstacle = Reason.noHealthyEndpoint
        while let index = pickUntried(service) {
            record.endpoint = index
            record.attempts += 1
            let pool = service.pools[index]
            do {
                let address = try pool.nextAddressToConnect()
                let transport = Transport(
                    try Socket.connect(to: address, unacknowledgedMax: pool.limits.unacknowledgedMax), loop: worker.loop
                )
                let end = TunnelEnd(Wire(transport: transport, buffers: worker.buffers))
                try transport.attach(end)
                end.tunnel = self
                endpoint = end
                dialing = Dialing()
                service.cluster.exchangeStarted(on: index)
                worker.loop.schedule(timer, at: worker.loop.now.advanced(byNanoseconds: pool.limits.connectNanoseconds))
                return
            } catch {
                obstacle = error.isExhaustion ? .overloaded : Reason(connecting: error)
                why = "\(pool): \(error)"
                worker.metrics.add(.connectFailures, service: service.index, endpoint: index)
                worker.report(connectFailed: pool)
            }
        }
        fail(obstacle, why)
    }

    private func pickUntried(_ service: WorkerService) -> Int? {
        guard tried.count < RetryPolicy.attemptsMax else { return nil }
        let picked = service.cluster.pick(tried, now: worker.loop.now, random: &worker.random)
        if let picked { tried.insert(picked) }
        return picked
    }

    private func proceed() {
        guard let endpoint else { return }
        switch dialing.proceed(endpoint.wire.transport) {
        case .pending: break
        case .failed(let reason, let why): attemptFailed(reason, why)
        case .connected:
            state = .relaying
            worker.loop.schedule(timer, at: .distantFuture)
            endpoint.wire.beginIncoming(.untilClose)
            client.wire.beginOutgoing(.untilClose)
            endpoint.wire.beginOutgoing(.untilClose)
            relay()
        }
    }

    private func attemptFailed(_ reason: Reason, _ why: String) {
        guard let service else { return }
        worker.metrics.add(.connectFailures, service: service.index, endpoint: record.endpoint)
        worker.report(connectFailed: service.pools[record.endpoint])
        guard service.cluster.hasUntried(tried), tried.count < RetryPolicy.attemptsMax else { return fail(reason, why) }
        worker.metrics.retried(service: service.index, endpoint: record.endpoint)
        closeEndpoint()
        attempt()
    }

    // MARK: The relay

    private func relay() {
        guard let endpoint else { return }
        if !isUpwardOver, relay(upward, from: client, to: endpoint) { isUpwardOver = true }
        guard state == .relaying else { return }
        if !isDownwardOver, relay(downward, from: endpoint, to: client) { isDownwardOver = true }
        if state == .relaying, isUpwardOver, isDownwardOver { finish() }
    }

    /// Moves what there is; true when this direction is over. What one side ends is ended towards the other.
    private func relay(_ relay: Relay, from source: TunnelEnd, to sink: TunnelEnd) -> Bool {
        switch relay.run(from: source.wire, to: sink.wire, pipes: worker.pipes) {
        case .complete:
            relay.end(worker.pipes)
            sink.wire.transport.shutdownWriting()
            return true
        case .sourceBlocked, .sinkBlocked: return false
        case .yielded:
            source.wire.resumeNextTurn()
            return false
        case .sourceFailed:
            // A reset is passed on as one.
            if source === client {
                fail(.clientClosed, "the client reset the connection")
            } else {
                fail(.upstreamReset, "the endpoint reset the connection")
            }
        case .sinkFailed:
            if sink === client {
                fail(.clientClosed, "the client reset the connection")
            } else {
                fail(.upstreamReset, "the endpoint reset the connection")
            }
        }
        return false
    }

    // MARK: The end

    private func fail(_ reason: Reason, _ why: String) {
        switch state {
        case .lingering: return close()
        case .closed: return
        case .greeting, .connecting, .relaying: break
        }
        Socket.resetOnClose(client.wire.transport.rawDescriptor)
        if let endpoint { Socket.resetOnClose(endpoint.wire.transport.rawDescriptor) }
        report(reason, why)
        finish()
    }

    private func report(_ reason: Reason, _ why: String) {
        record.reason = reason
        let detail = Buffer(capacity: 128)
        detail.append(why)
        worker.failed(record, request, detail)
    }

    /// No route has this name: the client is told so in words of TLS, which it has begun to speak.
    private func refuseName() {
        client.wire.outputForWriting().append(Self.unrecognizedName)
        guard client.wire.flush() == .drained else { return fail(.noRoute, "no route has this server name") }
        client.wire.transport.shutdownWriting()
        report(.noRoute, "no route has this server name")
        settle()
        state = .lingering
        worker.loop.schedule(timer, after: Self.lingerMax)
        linger()
    }

    private func linger() {
        while client.wire.bytesRead - record.receivedBytes < Self.lingerBytesMax {
            client.wire.discardInput()
            switch client.wire.fill() {
            case .bytes: continue
            case .wouldBlock: return
            case .endOfStream, .failed: return close()
            }
        }
        close()
    }

    private func closeEndpoint() {
        guard let endpoint else { return }
        self.endpoint = nil
        if let service { service.cluster.exchangeEnded(on: record.endpoint) }
        record.upstreamSentBytes += endpoint.wire.bytesWritten
        record.upstreamReceivedBytes += endpoint.wire.bytesRead
        endpoint.tunnel = nil
        endpoint.wire.close()
    }

    private func finish() {
        settle()
        close()
    }

    /// Lets go of the endpoint, and accounts for what there was.
    private func settle() {
        upward.end(worker.pipes)
        downward.end(worker.pipes)
        let pool = service.flatMap { record.endpoint < 0 ? nil : $0.pools[record.endpoint] }
        closeEndpoint()
        record.duration = worker.loop.now.nanoseconds(since: beganAt)
        record.receivedBytes = client.wire.bytesRead
        record.sentBytes = client.wire.bytesWritten
        worker.metrics.record(record)
        worker.log(record, request, endpoint: pool, tls: nil)
    }

    private func close() {
        state = .closed
        worker.loop.cancel(timer)
        client.tunnel = nil
        client.wire.close()
        listener.connectionClosed()
        if let token { worker.tunnels.remove(token) }
    }
}

/// One of a tunnel's two connections.
final class TunnelEnd: EventHandler {
    let wire: Wire
    /// Nil before the connection is the tunnel's, and after.
    weak var tunnel: Tunnel?

    init(_ wire: Wire) { self.wire = wire }

    func ready(_ readiness: Readiness) { tunnel?.ready(self, readiness) }

    func resumed() { tunnel?.resumed() }
}
