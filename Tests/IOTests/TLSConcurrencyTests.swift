import Core
import Synchronization
import TestSupport
import Testing

@testable import IO

@Suite struct TLSConcurrencyTests {
    /// What the threads share, and what they count.
    private final class Shared: Sendable {
        let server: TLSServerContext
        let client: TLSClientContext
        let tickets: TLSTicketKeys
        let connected = Atomic(0)
        let resumed = Atomic(0)

        init(_ house: TLSHouse) throws {
            let other = house.authority.issue("other", names: "DNS:other.example")
            server = try house.server([house.leaf, other])
            client = try house.client()
            tickets = house.tickets
        }

        /// One worker: its own loop and sessions, everybody's contexts and keys.
        func work(_ connections: Int) throws {
            let loop = try EventLoop()
            let sessions = TLSSessionStore()
            for _ in 0..<connections {
                let pair = try TLSPair(loop, server, client, sessions: sessions)
                try pair.connect()
                guard pair.exchange("x", from: pair.server, to: pair.client) == "x" else { continue }
                connected.add(1, ordering: .relaxed)
                if pair.server.tls?.isResumed == true { resumed.add(1, ordering: .relaxed) }
            }
        }
    }

    @Test func workersShareContextsAndKeysThatRotate() throws {
        let shared = try Shared(try TLSHouse())
        let (workers, connections) = (4, 12)
        let threads = try (0..<workers).map { _ in
            try WorkerThread(name: "tls") { try? shared.work(connections) }
        }
        for _ in 0..<3 { shared.tickets.rotate() }
        for thread in threads { thread.join() }
        #expect(shared.connected.load(ordering: .relaxed) == workers * connections)
        #expect(shared.resumed.load(ordering: .relaxed) > 0)
    }
}
