import Config
import Core
import HTTP
import IO
import Synchronization
import Traffic

/// One thread that serves connections from accept to close, with everything it needs of its own and no lock.
///
/// Made, run and freed on its own thread. The main thread reaches it by its mailbox only, and reads its metrics.
final class Worker: TimerTarget {
    /// Idle exchanges that stay however long nobody needs them.
    private static let exchangesKept = 64
    /// So many of them make it worth while to have the allocator look for free pages.
    private static let trimmedMin = 1024
    /// How often those are given back that nobody needed since the last time.
    private static let trimInterval: Duration = .seconds(1)
    /// Memory for heads that an idle exchange may hold: those that large heads made grow are not kept.
    private static let idleHeadBytesMax = 32 * 1024
    /// How long a line of the access log may wait for company.
    private static let flushInterval: Duration = .milliseconds(100)

    /// What a worker is made of; prepared on the main thread.
    struct Setup: Sendable {
        let index: Int
        let workerCount: Int
        let configuration: Configuration
        let routes: RouteTable
        let tls: TLSContexts
        let metrics: WorkerMetrics
        let failures: FailureRing
        let accessLog: AccessLogWriter
        let names: MetricsNames
        let mailbox: Mailbox<WorkerMessage>
        let main: Mailbox<MainMessage>
    }

    let loop: EventLoop
    let buffers = BufferPool()
    let pipes = PipePool()
    let metrics: WorkerMetrics
    let routeScratch = RouteScratch()
    /// In a cell: every request draws from it.
    private let randomCell: Cell<Random>
    var random: Random {
        get { randomCell.value }
        _modify { yield &randomCell.value }
    }
    var reserve = DescriptorReserve()
    /// Every connection from a client.
    var downstreams = Slab<DownstreamConnection>()
    /// Those that speak HTTP/2.
    var sessions = Slab<DownstreamSession>()
    var tunnels = Slab<Tunnel>()
    var connectionCount: Int { downstreams.count + sessions.count + tunnels.count }
    /// This worker's share of the process's limit.
    let connectionsMax: Int
    private(set) var plan: WorkerPlan!
    private(set) var isDraining = false

    private let setup: Setup
    var index: Int { setup.index }
    private var listeners: [Listener] = []
    private var receiver: Mailbox<WorkerMessage>.Receiver?
    private let exchanges = Spares<Exchange>()
    private let trimTimer = Timer()
    private var untrimmed: [any Trimmable] = []
    /// Exchanges and TLS connections given back since a burst began.
    private var trimmed = 0
    /// TLS connections closed since the last trim.
    private var closures = 0
    /// HTTP/2 connections with frames that leave when the turn ends.
    private var unflushed: [H2Link] = []
    private var flushing: [H2Link] = []
    private let accessLog: AccessLog
    /// Of the access log's lines.
    let logFormat: AccessLogConfiguration.Format
    private let flushTimer = Timer()
    private var wallClock = WallClock()
    private var hasReportedDrained = false

    init(_ setup: Setup, sockets: [ListeningSocket]) throws(IOError) {
        self.setup = setup
        loop = try EventLoop()
        metrics = setup.metrics
        randomCell = Cell(Random(seed: SystemRandom.seed()))
        connectionsMax = max(1, setup.configuration.connectionsMax / setup.workerCount)
        logFormat = setup.configuration.accessLog?.format ?? .json
        accessLog = AccessLog(
            writer: setup.accessLog, format: logFormat, names: setup.names,
            metrics: setup.metrics, onlyFailures: setup.configuration.accessLog == nil)
        plan = WorkerPlan(setup.configuration, routes: setup.routes, tls: setup.tls, worker: self)
        flushTimer.target = self
        trimTimer.target = self
        receiver = try setup.mailbox.receive(on: loop) { [unowned self] in handle($0) }
        loop.turnEnded = { [unowned self] in endTurn() }
        for (index, (configuration, socket)) in zip(setup.configuration.listeners, sockets).enumerated() {
            let service = configuration.service.flatMap { name in
                setup.configuration.services.firstIndex { $0.name == name }
            }
            let listener = Listener(
                configuration, index: index, serviceIndex: service, tls: setup.tls.listeners[index], socket: socket,
                worker: self)
            try listener.open()
            listeners.append(listener)
        }
    }

    /// Serves until it is told to stop.
    func run() {
        setup.main.post(.started(worker: setup.index))
        loop.run()
        end()
        accessLog.finish()
    }

    /// Lets go of everything, so that this object and every descriptor go with the thread: listeners, connections and the
    /// loop hold each other otherwise. Who still waits for a response is told why none comes.
    private func end() {
        isDraining = true
        for listener in listeners { listener.close() }
        listeners = []
        for connection in openConnections { connection.cut() }
        for session in openSessions { session.cut() }
        for tunnel in openTunnels { tunnel.cut() }
        for service in plan.services { service.retire() }
        plan = nil
        exchanges.dropAll(but: 0)
        unflushed = []
        untrimmed = []
        loop.cancel(flushTimer)
        loop.cancel(trimTimer)
    }

    private var openConnections: [DownstreamConnection] {
        var connections: [DownstreamConnection] = []
        downstreams.forEach { connections.append($0) }
        return connections
    }

    private var openSessions: [DownstreamSession] {
        var open: [DownstreamSession] = []
        sessions.forEach { open.append($0) }
        return open
    }

    private var openTunnels: [Tunnel] {
        var open: [Tunnel] = []
        tunnels.forEach { open.append($0) }
        return open
    }

    // MARK: Objects that are reused

    func leaseExchange() -> Exchange { exchanges.take() ?? Exchange(worker: self) }

    func recycle(_ exchange: Exchange) {
        exchange.reset()
        guard exchange.headBytesHeld <= Self.idleHeadBytesMax else { return }
        exchanges.put(exchange)
        if exchanges.count > Self.exchangesKept { scheduleTrim() }
    }

    /// A client's connection has closed.
    func closed(_ transport: Transport) {
        guard transport.isEncrypted else { return }
        closures += 1
        scheduleTrim()
    }

    /// A connection may be silent from now on.
    @inline(__always)
    func rests(_ transport: Transport) {
        if transport.isEncrypted { scheduleTrim() }
    }

    /// `holder` has more spare objects than it should keep, unless it needs them again before long.
    func trimLater(_ holder: any Trimmable) {
        untrimmed.append(holder)
        scheduleTrim()
    }

    @inline(__always)
    private func scheduleTrim() {
        if trimTimer.deadline == .distantFuture { loop.schedule(trimTimer, after: Self.trimInterval) }
    }

    private func trim() {
        for holder in untrimmed { holder.trim() }
        untrimmed = []
        let before = exchanges.count
        exchanges.trim(keeping: Self.exchangesKept)
        trimmed += before - exchanges.count + closures
        let isBusy = closures > 0
        closures = 0
        if loop.trimTLS() || isBusy || exchanges.count > Self.exchangesKept { return scheduleTrim() }
        // The end of a burst: what it took in small pieces goes back to the kernel, which costs some milliseconds once.
        if trimmed >= Self.trimmedMin { FreeMemory.goesBack() }
        trimmed = 0
    }

    // MARK: Frames

    /// The frames queued on this connection leave when the turn ends.
    func flushLater(_ link: H2Link) { unflushed.append(link) }

    private func flush() {
        while !unflushed.isEmpty {
            swap(&unflushed, &flushing)
            for link in flushing { link.turnEnded() }
            flushing.removeAll(keepingCapacity: true)
        }
    }

    // MARK: What exchanges report

    func log(
        _ record: borrowing ExchangeRecord, _ request: RequestHead, endpoint: EndpointPool?, tls: ClientTLS?
    ) {
        guard accessLog.wants(record) else { return }
        let wall = wallClock.nanoseconds(at: loop.now)
        if let address = endpoint?.addressText {
            accessLog.record(record, head: request, upstreamAddress: address.readable, tls: tls, wallNanoseconds: wall)
        } else {
            let none: StaticString = ""
            accessLog.record(record, head: request, upstreamAddress: none.bytes, tls: tls, wallNanoseconds: wall)
        }
        if !accessLog.isEmpty, flushTimer.deadline == .distantFuture {
            loop.schedule(flushTimer, after: Self.flushInterval)
        }
    }

    func timerFired(_ timer: Timer) {
        if timer === trimTimer { return trim() }
        accessLog.flush()
        if !accessLog.isEmpty { loop.schedule(flushTimer, after: Self.flushInterval) }
    }

    /// An exchange failed for a reason of the proxy's own.
    func failed(_ record: borrowing ExchangeRecord, _ request: RequestHead, _ detail: Buffer) {
        setup.failures.record(
            record, head: request, detail: detail, wallNanoseconds: wallClock.nanoseconds(at: loop.now))
    }

    /// A client's connection ended because the client broke the rules of HTTP/2.
    func violated(_ violation: H2Violation, peer: SocketAddress, listener: Int) {
        metrics.violated(violation, listener: listener)
        let why = "the connection breaks the rules of HTTP/2: \(violation.word)"
        connectionFailed(.badRequest, why, peer: peer, listener: listener)
    }

    /// A client's TLS handshake came to nothing.
    func handshakeFailed(_ why: String, peer: SocketAddress, listener: Int) {
        metrics.add(.tlsFailed, listener: listener)
        connectionFailed(.tlsFailed, why, peer: peer, listener: listener)
    }

    private func connectionFailed(_ reason: Reason, _ why: String, peer: SocketAddress, listener: Int) {
        var record = ExchangeRecord(listener: listener)
        record.reason = reason
        if case .ip(let address, let port) = peer {
            record.clientAddress = address
            record.clientPort = port
        }
        let detail = Buffer(capacity: 64)
        detail.append(why)
        failed(record, RequestHead(), detail)
    }

    /// The name of this endpoint should be looked up anew.
    func report(connectFailed pool: EndpointPool) {
        if pool.isNamed { setup.main.post(.resolve(service: pool.service, endpoint: pool.endpoint)) }
    }

    // MARK: Messages

    private func handle(_ message: WorkerMessage) {
        switch message {
        case .resolved(let service, let endpoint, let addresses):
            plan.services[service].resolved(endpoint: endpoint, addresses)
        case .drain: drain()
        case .stop: loop.stop()
        }
    }

    private func drain() {
        guard !isDraining else { return }
        isDraining = true
        for listener in listeners { listener.close() }
        for connection in openConnections { connection.drain() }
        for session in openSessions { session.drain() }
    }

    private func endTurn() {
        flush()
        if isDraining, connectionCount == 0, !hasReportedDrained {
            hasReportedDrained = true
            accessLog.flush()
            setup.main.post(.drained(worker: setup.index))
        }
    }
}

/// What the main thread tells a worker.
enum WorkerMessage: Sendable {
    /// An endpoint's name has these addresses now.
    case resolved(service: Int, endpoint: Int, [SocketAddress])
    /// Accept no more, finish what runs.
    case drain
    /// Return from the loop at once.
    case stop
}

/// What a worker tells the main thread.
enum MainMessage: Sendable {
    case started(worker: Int)
    /// A connect failed: the endpoint's name may have moved.
    case resolve(service: Int, endpoint: Int)
    /// Draining, and the last connection has gone.
    case drained(worker: Int)
    case failed(worker: Int, IOError)
}
