import Config
import Core
import IO
import Synchronization
import Testing

@testable import Proxy

/// The whole process but its command line: main thread, admin port and workers, on unix sockets.
@Suite struct ServerTests {
    private static func ask(_ admin: Peer, _ request: String) throws -> Message {
        try admin.send("\(request) HTTP/1.1\r\nHost: localhost\r\n\r\n")
        return try admin.readMessage()
    }

    @Test func theAdminPortAnswersWhileWorkersServeAndEndsTheServerWhenAsked() throws {
        let scratch = ScratchDirectory()
        let upstream = try ScriptedUpstream()
        let servers = try upstream.echoing()
        let web = SocketAddress.unix(scratch.path + "/web")
        let configuration = Configuration.serving(upstream, on: web, adminOn: .unix(scratch.path + "/admin"))
        let exitCode = Mutex<Int32?>(nil)
        let process = try WorkerThread(name: "main") {
            guard let server = try? Server(configuration, path: "") else { return }
            let code = server.run()
            exitCode.withLock { $0 = code }
        }
        #expect(waitUntil { (try? Peer.connect(to: configuration.admin.address)) != nil })
        let admin = try Peer.connect(to: configuration.admin.address)
        var state = try Self.ask(admin, "GET /readyz")
        for _ in 0..<10_000 where state.status != 200 { state = try Self.ask(admin, "GET /readyz") }
        #expect(state.status == 200)

        let answered = Atomic(0)
        let clients = try (0..<4).map { name in
            try WorkerThread(name: "client") {
                for number in 0..<50 {
                    guard let client = try? Peer.connect(to: web) else { return }
                    for part in 0..<4 {
                        try? client.sendGet("/\(name)/\(number)/\(part)")
                        guard (try? client.readMessage())?.text == "/\(name)/\(number)/\(part)" else { return }
                        answered.add(1, ordering: .relaxed)
                    }
                }
            }
        }
        for page in ["/metrics", "/failures", "/services", "/config", "/readyz?verbose", "/livez", "/metrics"] {
            #expect(try Self.ask(admin, "GET \(page)").status == 200)
        }
        for client in clients { client.join() }
        #expect(answered.load(ordering: .relaxed) == 4 * 50 * 4)
        let connections = "sidecar_downstream_connections_total{listener=\"web\"} 200\n"
        #expect(try Self.ask(admin, "GET /metrics").text.contains(connections))

        #expect(try Self.ask(admin, "POST /quitquitquit").status == 200)
        process.join()
        #expect(exitCode.withLock { $0 } == 0)
        servers.stop()
        #expect(throws: (any Error).self) { try Peer.connect(to: web) }
    }
}

extension Configuration {
    /// One listener before one service of two workers, quiet.
    fileprivate static func serving(
        _ upstream: ScriptedUpstream, on address: SocketAddress, adminOn admin: SocketAddress
    ) -> Configuration {
        var configuration = Configuration()
        configuration.workers = .count(2)
        configuration.logLevel = .error
        configuration.admin.address = admin
        let endpoint = EndpointConfiguration(name: "scripted", target: .address(upstream.address))
        configuration.services = [ServiceConfiguration(name: "app", endpoints: [endpoint])]
        configuration.listeners = [ListenerConfiguration(name: "web", address: address)]
        configuration.listeners[0].service = "app"
        return configuration
    }
}
