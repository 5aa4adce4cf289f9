package import Config
package import Core
import Glibc
import IO
import Logging
import Traffic

/// The process: workers, the admin port, name resolution and signals.
///
/// Lives on the main thread, which serves no traffic. Workers are reached by their mailboxes.
package final class Server {
    /// Why it could not start.
    package enum StartError: Error, CustomStringConvertible {
        case badRoutes(String)
        case badTLS(String)
        case addressInUse(SocketAddress)
        case system(String)

        package var description: String {
            switch self {
            case .badRoutes(let problems): problems
            case .badTLS(let problem): problem
            case .addressInUse(let address): "\(address) is in use"
            case .system(let what): what
            }
        }
    }

    /// What the operators see of the life cycle.
    enum Phase: String { case starting, ready, draining, stopped }

    /// One worker, seen from here.
    private struct WorkerHandle {
        let mailbox: Mailbox<WorkerMessage>
        let metrics: WorkerMetrics
        let failures: FailureRing
        let thread: WorkerThread
        var isStarted = false
        var isDrained = false
    }

    let configuration: Configuration
    let configurationPath: String
    let loop: EventLoop
    let logger: Logger
    let dnsMetrics = DNSMetrics()
    let names: MetricsNames
    private(set) var phase = Phase.starting
    private(set) var resolvedNames: ResolvedNames?
    private(set) var accessLog: AccessLogWriter!
    /// Nanoseconds of the wall clock when the process was started.
    let startedAt: UInt64

    private let routes: RouteTable
    let tls: TLSUpkeep
    private let mailbox: Mailbox<MainMessage>
    private var receiver: Mailbox<MainMessage>.Receiver?
    private var signals: Signals?
    private var handles: [WorkerHandle] = []
    private var admin: AdminListener?
    private var drainTimer: DrainTimer?
    private var exitsWhenDrained = false
    private var exitCode: Int32 = 0
    /// Endpoints whose names were never answered for yet.
    private var unresolved = Set<String>()
    private var terminations = 0
    private var areFilesRemoved = false

    /// Binds every address, starts the workers and the admin port. On return the process is listening.
    ///
    /// Signals are blocked first, so that every thread started later inherits that.
    package init(_ configuration: Configuration, path: String) throws(StartError) {
        LargeBlocks.goBackWhenFreed()
        self.configuration = configuration
        logger = ProcessLog.logger(configuration.logLevel)
        do { routes = try RouteTable(configuration) } catch { throw .badRoutes(error.description) }
        do { tls = try TLSUpkeep(configuration, logger) } catch { throw .badTLS(error.description) }
        configurationPath = path
        names = MetricsNames(configuration)
        startedAt = WallClock.now
        do {
            loop = try EventLoop()
            mailbox = try Mailbox()
            signals = try Signals { [unowned self] in received($0) }
            try signals?.attach(to: loop)
            receiver = try mailbox.receive(on: loop) { [unowned self] in handle($0) }
        } catch {
            throw .system("\(error)")
        }
        try openAccessLog()
        let sockets = try bind()
        do {
            admin = try AdminListener(
                ListeningSocket(
                    BoundSocket(try Socket.listen(on: configuration.admin.address, backlog: 128, reusePort: false))),
                server: self)
        } catch {
            throw Self.startError(error, configuration.admin.address)
        }
        do { try startWorkers(sockets) } catch { throw .system("\(error)") }
        watchNames()
        tls.start(on: loop)
    }

    /// Serves until it is told to end; returns the exit code.
    package func run() -> Int32 {
        loop.run()
        for handle in handles { handle.mailbox.post(.stop) }
        for handle in handles { handle.thread.join() }
        admin?.close()
        removeListenersFiles()
        Socket.removeFile(of: configuration.admin.address)
        if !accessLog.finish(nanosecondsMax: 1_000_000_000) {
            logger.warning("the access log's reader is too slow: its last lines are lost")
        }
        logger.info("stopped", metadata: ["exit": "\(exitCode)"])
        return exitCode
    }

    // MARK: Starting

    /// Without an `access_log` key only what the proxy itself had to fail is logged, where a container's logs go.
    private static var failuresOnly: AccessLogConfiguration {
        var configuration = AccessLogConfiguration()
        configuration.path = .stderr
        return configuration
    }

    private func openAccessLog() throws(StartError) {
        do {
            accessLog = try AccessLogWriter(configuration.accessLog ?? Self.failuresOnly)
        } catch {
            throw .system("access_log: \(error)")
        }
    }

    private var workerCount: Int {
        switch configuration.workers {
        case .auto: CPUQuota.workers
        case .count(let count): count
        }
    }

    /// One socket per worker and listener.
    private func bind() throws(StartError) -> [[BoundSocket]] {
        var sockets = (0..<workerCount).map { _ in [BoundSocket]() }
        for listener in configuration.listeners {
            do {
                if workerCount > 1 { try Socket.requireFree(listener.address) }
                let first = try Listener.bind(listener, of: configuration, reusePort: workerCount > 1)
                sockets[0].append(first)
                // With port 0 the kernel chose for the first; the others must have the same.
                let address = first.address ?? listener.address
                for index in 1..<max(1, workerCount) where index < workerCount {
                    if case .unix = listener.address {
                        sockets[index].append(BoundSocket(try first.duplicated()))
                    } else {
                        sockets[index].append(
                            try Listener.bind(listener, at: address, of: configuration, reusePort: true))
                    }
                }
                logger.info("listening", metadata: ["listener": "\(listener.name)", "address": "\(address)"])
            } catch {
                throw Self.startError(error, listener.address)
            }
        }
        return sockets
    }

    private static func startError(_ error: IOError, _ address: SocketAddress) -> StartError {
        error.isAddressInUse ? .addressInUse(address) : .system("\(address): \(error)")
    }

    private func startWorkers(_ sockets: [[BoundSocket]]) throws(IOError) {
        for (index, sockets) in sockets.enumerated() {
            let mailbox = try Mailbox<WorkerMessage>()
            let metrics = WorkerMetrics(names: names, seriesMax: configuration.metrics.seriesMax)
            let failures = FailureRing()
            let setup = Worker.Setup(
                index: index, workerCount: workerCount, configuration: configuration, routes: routes,
                tls: tls.contexts, metrics: metrics, failures: failures, accessLog: accessLog, names: names,
                mailbox: mailbox, main: self.mailbox)
            let thread = try WorkerThread(name: "worker-\(index)") {
                do throws(IOError) {
                    let worker = try Worker(setup, sockets: sockets.map(ListeningSocket.init))
                    worker.run()
                } catch {
                    setup.main.post(.failed(worker: index, error))
                }
            }
            handles.append(WorkerHandle(mailbox: mailbox, metrics: metrics, failures: failures, thread: thread))
        }
    }

    // MARK: Names

    private func watchNames() {
        let named = configuration.services.enumerated().flatMap { service, configuration in
            configuration.endpoints.enumerated().compactMap { endpoint, configuration in
                if case .host(let name, let port) = configuration.target {
                    (name, port, service, endpoint)
                } else {
                    nil
                }
            }
        }
        guard !named.isEmpty else { return }
        do {
            let resolver = try Resolver(
                loop: loop, servers: configuration.dns.servers, timeout: configuration.dns.timeout)
            let names = ResolvedNames(loop: loop, resolver: resolver, random: Random(seed: SystemRandom.seed()))
            resolvedNames = names
            for (name, port, service, endpoint) in named {
                unresolved.insert(name)
                names.watch(name) { [unowned self] addresses, failure in
                    if let failure {
                        logger.warning("name not resolved", metadata: ["name": "\(name)", "why": "\(failure)"])
                    }
                    for handle in handles {
                        let sockets = addresses.map { SocketAddress.ip($0, port: port) }
                        handle.mailbox.post(.resolved(service: service, endpoint: endpoint, sockets))
                    }
                    unresolved.remove(name)
                    becomeReadyIfStarted()
                }
            }
        } catch {
            logger.error("no resolver", metadata: ["why": "\(error)"])
        }
    }

    // MARK: Messages and signals

    private func handle(_ message: MainMessage) {
        switch message {
        case .started(let worker):
            handles[worker].isStarted = true
            becomeReadyIfStarted()
        case .resolve(let service, let endpoint):
            if case .host(let name, _) = configuration.services[service].endpoints[endpoint].target {
                resolvedNames?.refresh(name)
            }
        case .drained(let worker):
            handles[worker].isDrained = true
            if handles.allSatisfy(\.isDrained) { drained() }
        case .failed(let worker, let error):
            logger.error("worker failed", metadata: ["worker": "\(worker)", "why": "\(error)"])
            stop(exitCode: 1)
        }
    }

    private func becomeReadyIfStarted() {
        guard phase == .starting, unresolved.isEmpty, handles.allSatisfy(\.isStarted) else { return }
        phase = .ready
        logger.info("ready", metadata: ["workers": "\(handles.count)", "admin": "\(configuration.admin.address)"])
    }

    private func received(_ signal: Signals.Signal) {
        switch signal {
        case .terminate, .interrupt:
            terminations += 1
            if terminations > 1 { return stop(exitCode: 0) }
            drain(thenExit: true)
        case .user1:
            accessLog.reopen()
        case .hangUp:
            logger.warning("SIGHUP: nothing to reload from")
        }
    }

    // MARK: The end

    /// Not ready from now on; accepts no more and finishes what runs. With `thenExit` the process ends when that is done,
    /// or when `drain_timeout` is over.
    func drain(thenExit: Bool) {
        exitsWhenDrained = exitsWhenDrained || thenExit
        if phase != .draining {
            phase = .draining
            removeListenersFiles()
            logger.info("draining", metadata: ["timeout": "\(configuration.drainTimeout)"])
            for handle in handles { handle.mailbox.post(.drain) }
        } else if handles.allSatisfy(\.isDrained) {
            return drained()
        }
        guard thenExit, drainTimer == nil else { return }
        drainTimer = DrainTimer(loop: loop, after: configuration.drainTimeout) { [unowned self] in
            logger.warning("drain_timeout is over: remaining connections are cut")
            stop(exitCode: 0)
        }
    }

    /// Removes the files of the listeners' unix sockets, once: another process may have the same paths next.
    private func removeListenersFiles() {
        guard !areFilesRemoved else { return }
        areFilesRemoved = true
        for listener in configuration.listeners { Socket.removeFile(of: listener.address) }
    }

    private func drained() {
        if exitsWhenDrained { stop(exitCode: 0) }
    }

    private func stop(exitCode: Int32) {
        self.exitCode = exitCode
        phase = .stopped
        loop.stop()
    }

    // MARK: Questions of the admin port

    /// Brings the counters of name resolution up to date; they are kept on this thread.
    func updateDNSMetrics() {
        guard let counters = resolvedNames?.counters else { return }
        dnsMetrics.set(.queries, counters.queries)
        dnsMetrics.set(.failures, counters.failures)
    }

    var metrics: [WorkerMetrics] { handles.map(\.metrics) }
    var failures: [FailureRing] { handles.map(\.failures) }

    /// Why it is not ready, empty when it is.
    var unreadiness: [String] {
        var reasons: [String] = []
        switch phase {
        case .draining, .stopped: reasons.append("draining")
        case .starting:
            let waiting = handles.count { !$0.isStarted }
            if waiting > 0 { reasons.append("\(waiting) of \(handles.count) workers have not started") }
            for name in unresolved.sorted() { reasons.append("the name \(name) has not been looked up yet") }
        case .ready: break
        }
        return reasons
    }
}

/// Calls back once after a while, on the main loop.
private final class DrainTimer: TimerTarget {
    private let timer = Timer()
    private let action: () -> Void

    init(loop: EventLoop, after duration: Duration, _ action: @escaping () -> Void) {
        self.action = action
        timer.target = self
        loop.schedule(timer, after: duration)
    }

    func timerFired(_ timer: Timer) { action() }
}
