import Config
import Core
import Testing

@testable import Proxy

/// Too many connections, and the end.
@Suite struct LifecycleTests {
    @Test func connectionsPastTheMaximumHear503AndOthersGoOn() throws {
        try Loopback.serving({ $0.connectionsMax = 1 }) { loopback in
            let first = try loopback.client()
            try first.sendGet("/first")
            let server = try loopback.upstream.accept()
            _ = try server.readMessage()
            let second = try loopback.client()
            let refusal = try second.readMessage()
            #expect(refusal.status == 503)
            #expect(refusal["x-sidecar-reason"] == "overloaded")
            #expect(loopback.listener(.connectionsRefused) == 1)
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
            let first = try loopback.client()
            try first.sendGet()
            let server = try loopback.upstream.accept()
            _ = try server.readMessage()
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
            let busy = try loopback.client()
            try busy.sendGet()
            let server = try loopback.upstream.accept()
            _ = try server.readMessage()
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

    @Test func aWorkerThatIsStoppedLetsGoOfEveryConnection() throws {
        try Loopback.serving { loopback in
            let idle = try loopback.client()
            let busy = try loopback.client()
            try busy.sendGet()
            let server = try loopback.upstream.accept()
            _ = try server.readMessage()
            loopback.stop()
            #expect(idle.readEnd() != .timedOut)
            #expect(busy.readEnd() != .timedOut)
            #expect(server.readEnd() != .timedOut)
        }
    }
}
