import Config
import Core
import IO
import Testing

@testable import Proxy

/// The whole process but its command line, on threads of this one. Its admin port is a unix socket.
final class RunningServer {
    let configuration: Configuration
    private let thread: WorkerThread
    private let admin: Peer

    /// Returns once it is ready.
    init(_ configuration: Configuration) throws {
        self.configuration = configuration
        thread = try WorkerThread(name: "main") {
            do {
                _ = try Server(configuration, path: "").run()
            } catch {
                Issue.record(error, "the server did not start")
            }
        }
        #expect(waitUntil { (try? Peer.connect(to: configuration.admin.address)) != nil })
        admin = try Peer.connect(to: configuration.admin.address)
        #expect(waitUntil { (try? ask("GET /readyz"))?.status == 200 })
    }

    /// Asks the admin port.
    func ask(_ request: String) throws -> Message {
        try admin.send("\(request) HTTP/1.1\r\nHost: localhost\r\n\r\n")
        return try admin.readMessage()
    }

    /// The value of one sample, 0 when there is none.
    func metric(_ sample: String) throws -> Int {
        let lines = try ask("GET /metrics").text.split(separator: "\n")
        return lines.first { $0.hasPrefix(sample + " ") }.flatMap { Int($0.dropFirst(sample.count + 1)) } ?? 0
    }

    /// Ends it and waits until it has.
    func stop() throws {
        _ = try ask("POST /quitquitquit")
        thread.join()
    }
}
