import Config
import Core
import Glibc
import IO
import Testing
import Traffic

@testable import Proxy

/// Workers of the proxy's in this process, on a port that the kernel chose, before a scripted upstream.
///
/// The test's thread takes the main thread's part: it holds the workers' mailboxes and hears what they report.
final class Loopback {
    let upstream: ScriptedUpstream
    /// Where clients connect to.
    let address: SocketAddress
    let names: MetricsNames
    let metrics: [WorkerMetrics]
    let accessLog: AccessLogWriter
    private(set) var startedCount = 0
    private(set) var drainedCount = 0

    private let scratch = ScratchDirectory()
    private let rings: [FailureRing]
    private let loop: EventLoop
    private let main: Mailbox<MainMessage>
    private var receiver: Mailbox<MainMessage>.Receiver?
    private var mailboxes: [Mailbox<WorkerMessage>] = []
    private var threads: [WorkerThread] = []
    private var probes: [Mailbox<Count>] = []
    private let lentAtEnd = Count()

    /// A number that a worker tells the test's thread.
    private final class Count: Sendable {
        private let stored = Locked<Int?>(nil)
        var value: Int? { stored.withLock { $0 } }
        func add(_ number: Int) { stored.withLock { $0 = ($0 ?? 0) + number } }
    }

    /// Runs `body` while the workers serve one listener whose port goes to one service, the scripted upstream.
    static func serving(
        workers: Int = 1, _ configure: (inout Configuration) -> Void = { _ in }, _ body: (Loopback) throws -> Void
    ) throws {
        let loopback = try Loopback(workers: workers, configure)
        defer { loopback.stop() }
        try body(loopback)
    }

    private init(workers: Int, _ configure: (inout Configuration) -> Void) throws {
        _ = signal(SIGPIPE, SIG_IGN)
        upstream = try ScriptedUpstream()
        var configuration = Configuration()
        let endpoint = EndpointConfiguration(name: "scripted", target: .address(upstream.address))
        configuration.services = [ServiceConfiguration(name: "app", endpoints: [endpoint])]
        configuration.listeners = [ListenerConfiguration(name: "web", address: .ip(.loopbackV4, port: 0))]
        configuration.listeners[0].service = "app"
        var log = AccessLogConfiguration()
        log.path = .file(scratch.path + "/log")
        configuration.accessLog = log
        configure(&configuration)

        names = MetricsNames(configuration)
        let metrics = (0..<workers).map { [names] _ in WorkerMetrics(names: names, seriesMax: 64) }
        self.metrics = metrics
        rings = (0..<workers).map { _ in FailureRing() }
        accessLog = try AccessLogWriter(log)
        loop = try EventLoop()
        main = try Mailbox()
        let first = try Listener.bind(configuration.listeners[0], of: configuration, reusePort: true)
        address = first.address!
        receiver = try main.receive(on: loop) { [unowned self] in received($0) }
        let routes = try RouteTable(configuration)
        let tls = try TLSContexts(configuration)
        for index in 0..<workers {
            let socket =
                index == 0
                ? first
                : try Listener.bind(configuration.listeners[0], at: address, of: configuration, reusePort: true)
            let setup = Worker.Setup(
                index: index, workerCount: workers, configuration: configuration, routes: routes, tls: tls,
                metrics: metrics[index], failures: rings[index], accessLog: accessLog, names: names,
                mailbox: try Mailbox(), main: main)
            mailboxes.append(setup.mailbox)
            let probe = try Mailbox<Count>()
            probes.append(probe)
            threads.append(
                try WorkerThread(name: "worker-\(index)") { [lentAtEnd] in
                    do throws(IOError) {
                        let worker = try Worker(setup, sockets: [ListeningSocket(socket)])
                        let receiver = try probe.receive(on: worker.loop) { [unowned worker] in
                            $0.add(worker.buffers.lent)
                        }
                        worker.run()
                        lentAtEnd.add(worker.buffers.lent)
                        withExtendedLifetime(receiver) {}
                    } catch {
                        setup.main.post(.failed(worker: setup.index, error))
                    }
                })
        }
        #expect(hear { self.startedCount == workers })
    }

    /// Stops the workers whatever they are doing, and waits until they have.
    func stop() {
        for mailbox in mailboxes { mailbox.post(.stop) }
        for thread in threads { thread.join() }
        if !threads.isEmpty {
            #expect(accessLog.finish(nanosecondsMax: 10_000_000_000))
            #expect(lentAtEnd.value == 0, "a worker ended without having all its buffers back")
        }
        mailboxes = []
        probes = []
        threads = []
    }

    func beginDrain() {
        for mailbox in mailboxes { mailbox.post(.drain) }
    }

    /// Hears what the workers report until the condition holds; false when it did not within ten seconds.
    func hear(until condition: () -> Bool) -> Bool {
        let deadline = loop.now.advanced(by: .seconds(10))
        while !condition() {
            guard loop.now < deadline else { return false }
            loop.turn(waitMs: 100)
        }
        return true
    }

    private func received(_ message: MainMessage) {
        switch message {
        case .started: startedCount += 1
        case .drained: drainedCount += 1
        case .resolve: break
        case .failed(_, let error): Issue.record(error, "a worker failed")
        }
    }

    // MARK: What is seen from outside

    func client() throws -> Peer { try Peer.connect(to: address) }

    /// What the proxy itself failed so far, oldest first of each worker.
    var failures: [Failure] { rings.flatMap { $0.snapshot() } }

    /// The reason of the only failure, once there is one.
    var reason: Reason? {
        _ = waitUntil { !failures.isEmpty }
        return failures.count == 1 ? failures[0].reason : nil
    }

    /// Lines in the access log.
    var logLines: Int { scratch.text("log").utf8.count { $0 == ASCII.lineFeed } }

    /// Pieces of buffer memory that the running workers' connections hold.
    var buffersLent: Int {
        probes.reduce(0) { sum, probe in
            let count = Count()
            probe.post(count)
            _ = waitUntil { count.value != nil }
            return sum + (count.value ?? 0)
        }
    }

    /// Waits until no connection, request or buffer is in use on either side, as it must be once every peer has gone.
    func expectNothingLeft() {
        #expect(waitUntil { listener(.connectionsActive) == 0 }, "connections of clients are left")
        #expect(waitUntil { listener(.requestsActive) == 0 }, "requests are left")
        #expect(waitUntil { endpoint(.connectionsActive) == 0 }, "connections to the endpoint are left")
        #expect(waitUntil { endpoint(.connectionsIdle) == 0 }, "idle connections to the endpoint are left")
        #expect(waitUntil { buffersLent == 0 }, "buffers are left")
    }

    /// Of the one endpoint, over all workers.
    func endpoint(_ metric: EndpointMetric) -> UInt64 {
        metrics.reduce(0) { $0 + $1.value(metric, service: 0, endpoint: 0) }
    }

    /// Of the one listener, over all workers.
    func listener(_ metric: ListenerMetric) -> UInt64 { metrics.reduce(0) { $0 + $1.value(metric, listener: 0) } }
}
