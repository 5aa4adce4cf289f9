import Config
import Core
import Glibc
import IO
import Testing

@testable import Proxy

/// Everything at once, as it is in the process: what the sanitizers are to see.
@Suite struct ConcurrencyTests {
    private static let clients = 4

    /// Requests of one client until the time is up, each checked; how many, or nil when one was answered wrongly.
    private static func converse(_ address: SocketAddress, _ name: Int, until end: ContinuousClock.Instant) -> Int? {
        let long = [UInt8].pattern(100_000)
        var count = 0
        repeat {
            guard let client = try? Peer.connect(to: address) else { return nil }
            for number in 0..<20 {
                let path = "/\(name)/\(number)"
                let body = number % 5 == 0 ? long : []
                let head = "PUT \(path) HTTP/1.1\r\nHost: app\r\nContent-Length: \(body.count)\r\n\r\n"
                guard (try? client.send(Array(head.utf8) + body)) != nil, let answer = try? client.readMessage(),
                    answer.body == Array(path.utf8) + body
                else { return nil }
                count += 1
            }
        } while ContinuousClock.now < end
        return count
    }

    @Test func clientsOnFourThreadsAreServedWhileMetricsAreReadAndTheLogIsReopened() throws {
        let configure: (inout Configuration) -> Void = { configuration in
            configuration.services[0].pool.requestsMax = 7
        }
        try Loopback.serving(workers: 2, configure) { loopback in
            let servers = try loopback.upstream.echoing()
            let end = ContinuousClock.now + .seconds(2)
            let served = Locked<[Int?]>([])
            let address = loopback.address
            let threads = try (0..<Self.clients).map { name in
                try WorkerThread(name: "client") {
                    let count = Self.converse(address, name, until: end)
                    served.withLock { $0.append(count) }
                }
            }
            var text = PrometheusText(names: loopback.names, workers: loopback.metrics, build: [])
            text.accessLog = loopback.accessLog
            var seen: UInt64 = 0
            while served.withLock({ $0.count }) < Self.clients {
                let output = Buffer(capacity: 64 * 1024)
                text.render(.prometheus, into: output)
                // A counter never goes back.
                let connections = loopback.listener(.connections)
                #expect(connections >= seen)
                seen = connections
                _ = loopback.failures
                loopback.accessLog.reopen()
                sched_yield()
            }
            for thread in threads { thread.join() }
            loopback.stop()
            servers.stop()
            let counts = served.withLock { $0 }
            #expect(!counts.contains(nil))
            let total = counts.reduce(0) { $0 + ($1 ?? 0) }
            #expect(total > 0)
            #expect(loopback.failures.isEmpty)
            // A connection to the endpoint serves seven requests, not more.
            #expect(loopback.endpoint(.requests) == UInt64(total))
            #expect(loopback.endpoint(.connections) >= UInt64(total / 7))
            #expect(loopback.logLines == total)
        }
    }
}
