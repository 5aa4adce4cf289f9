import Config
import Core
import Testing
import Traffic

@testable import Proxy

/// Too many connections, and the end.
@Suite struct LifecycleTests {
    @Test func connectionsPastTheMaximumHear503AndOthersGoOn() throws {
        try Loopback.serving({ $0.connectionsMax = 1 }) { loopback in
            let (first, server) = try Self.asking(loopback)
            let second = try loopback.client()
            let refusal = try second.readMessage()
            #expect(refusal.status == 503)
            #expect(refusal["x-sidecar-reason"] == "overloaded")
            #expect(waitUntil { loopback.listener(.connectionsRefused) == 1 })
            try server.sendResponse("served")
            #expect(try first.readMessage().text == "served")
            first.close()
            #expect(waitUntil { loopback.listener(.connectionsActive) == 0 })
            let third = try loopback.client()
            try third.sendGet("/third")
            #expect(try server.readMessage().path == "/third")
        }
    }

    @Test func connectionsToTheEndpointPastTheMaximumAreA503() throws {
        try Loopback.serving({ $0.services[0].pool.connectionsMax = 1 }) { loopback in
            let (first, server) = try Self.asking(loopback)
            let second = try loopback.client()
            try second.sendGet()
            let refusal = try second.readMessage()
            #expect(refusal.status == 503)
            #expect(refusal["x-sidecar-reason"] == "overloaded")
            try server.sendResponse("served")
            #expect(try first.readMessage().text == "served")
        }
    }

    @Test func drainingFinishesWhatRunsAndEndsTheRest() throws {
        try Loopback.serving { loopback in
            let idle = try loopback.client()
            let (busy, server) = try Self.asking(loopback)
            loopback.beginDrain()
            #expect(idle.readEnd() == .ended)
            #expect(throws: (any Error).self) { try loopback.client() }
            #expect(loopback.drainedCount == 0)
            try server.sendResponse("the last")
            let response = try busy.readMessage()
            #expect(response.text == "the last")
            #expect(response["connection"] == "close")
            #expect(busy.readEnd() == .ended)
            #expect(loopback.hear { loopback.drainedCount == 1 })
        }
    }

    @Test func aWorkerThatIsStoppedSaysSoAndLetsGoOfEveryConnection() throws {
        try Loopback.serving { loopback in
            let idle = try loopback.client()
            let (waiting, itsServer) = try Self.asking(loopback)
            let (reading, anotherServer) = try Self.asking(loopback)
            try anotherServer.send("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf")
            _ = try reading.read(to: "half")
            loopback.stop()
            let refusal = try waiting.readMessage()
            #expect(refusal.status == 503)
            #expect(refusal["x-sidecar-reason"] == "draining")
            #expect(reading.readEnd() == .reset)
            for peer in [idle, waiting, itsServer, anotherServer] { #expect(peer.readEnd() != .timedOut) }
            #expect(loopback.failures.map(\.reason) == [.draining, .draining])
            #expect(loopback.logLines == 2)
            #expect(loopback.listener(.connectionsActive) == 0)
            #expect(loopback.listener(.requestsActive) == 0)
            #expect(loopback.endpoint(.connectionsActive) == 0)
        }
    }

    /// A client whose request its endpoint has read and not answered.
    private static func asking(_ loopback: Loopback) throws -> (client: Peer, server: Peer) {
        let client = try loopback.client()
        try client.sendGet()
        let server = try loopback.upstream.accept()
        _ = try server.readMessage()
        return (client, server)
    }
}
