import Config
import Core
import Testing
import Traffic

@testable import Proxy

/// One side breaks off: the other hears of it, and the reason is the right one.
@Suite struct FailureTests {
    /// How an endpoint leaves.
    enum Departure: CaseIterable { case closes, resets }

    private static func leave(_ peer: Peer, _ departure: Departure) {
        switch departure {
        case .closes: peer.close()
        case .resets: peer.reset()
        }
    }

    private static func reason(_ departure: Departure) -> Reason {
        departure == .closes ? .upstreamClosed : .upstreamReset
    }

    // MARK: The endpoint's side

    @Test(
        arguments: Departure.allCases,
        ["", "HTTP/1.1 200 OK\r\nContent-Le", "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 2"])
    func anEndpointThatLeavesBeforeItsHeadIsWholeIsA502(_ departure: Departure, _ begun: String) throws {
        try Loopback.serving { loopback in
            let client = try loopback.client()
            try client.sendGet()
            let server = try loopback.upstream.accept()
            _ = try server.readMessage()
            try server.send(begun)
            Self.leave(server, departure)
            var response = try client.readMessage()
            if response.status == 100 { response = try client.readMessage() }
            #expect(response.status == 502)
            #expect(response["x-sidecar-reason"] == Self.reason(departure).word.description)
            #expect(loopback.reason == Self.reason(departure))
            // The client's connection is none the worse for it.
            try client.sendGet("/again")
            let next = try loopback.upstream.accept()
            #expect(try next.readMessage().path == "/again")
        }
    }

    @Test(
        arguments: Departure.allCases,
        ["Content-Length: 10\r\n\r\nhalf", "Transfer-Encoding: chunked\r\n\r\n4\r\nhalf"])
    func anEndpointThatLeavesWithinItsBodyCutsTheResponse(_ departure: Departure, _ begun: String) throws {
        try Loopback.serving { loopback in
            let client = try loopback.client()
            try client.sendGet()
            let server = try loopback.upstream.accept()
            _ = try server.readMessage()
            try server.send("HTTP/1.1 200 OK\r\n\(begun)")
            #expect(try client.read(to: "half").hasPrefix("HTTP/1.1 200 OK"))
            Self.leave(server, departure)
            #expect(client.readEnd() == .reset)
            #expect(loopback.reason == Self.reason(departure))
        }
    }

    @Test func anEndpointThatAnswersNonsenseIsA502() throws {
        try Loopback.serving { loopback in
            let client = try loopback.client()
            try client.sendGet()
            let server = try loopback.upstream.accept()
            _ = try server.readMessage()
            try server.send("220 mail.example ESMTP\r\n\r\n")
            let response = try client.readMessage()
            #expect(response.status == 502)
            #expect(response["x-sidecar-reason"] == "upstream_protocol_error")
            #expect(server.readEnd() != .timedOut)
        }
    }

    @Test func anEndpointThatDoesNotListenIsA503() throws {
        try Loopback.serving { loopback in
            loopback.upstream.close()
            let client = try loopback.client()
            try client.sendGet()
            let response = try client.readMessage()
            #expect(response.status == 503)
            #expect(response["x-sidecar-reason"] == "connect_refused")
            #expect(loopback.endpoint(.connectFailures) == 1)
            #expect(loopback.endpoint(.connectionsActive) == 0)
        }
    }

    @Test func anEndpointThatSaysNothingInTimeIsA504() throws {
        try Loopback.serving({ $0.services[0].timeouts.response = .milliseconds(50) }) { loopback in
            let client = try loopback.client()
            try client.sendGet()
            let server = try loopback.upstream.accept()
            _ = try server.readMessage()
            let response = try client.readMessage()
            #expect(response.status == 504)
            #expect(response["x-sidecar-reason"] == "response_timeout")
            #expect(server.readEnd() != .timedOut)
        }
    }

    // MARK: Reused connections

    /// A client and its endpoint's connection after one exchange over it; it is parked.
    private static func parked(_ loopback: Loopback) throws -> (client: Peer, server: Peer) {
        let client = try loopback.client()
        try client.sendGet("/first")
        let server = try loopback.upstream.accept()
        _ = try server.readMessage()
        try server.sendResponse()
        _ = try client.readMessage()
        #expect(waitUntil { loopback.endpoint(.connectionsIdle) == 1 })
        return (client, server)
    }

    @Test(arguments: Departure.allCases)
    func aRequestThatMeetsAClosingReusedConnectionIsSentAgainOnAFreshOne(_ departure: Departure) throws {
        try Loopback.serving { loopback in
            let (client, server) = try Self.parked(loopback)
            try client.sendGet("/second")
            _ = try server.readMessage()
            Self.leave(server, departure)
            let fresh = try loopback.upstream.accept()
            #expect(try fresh.readMessage().path == "/second")
            try fresh.sendResponse("from the fresh one")
            #expect(try client.readMessage().text == "from the fresh one")
            #expect(loopback.failures.isEmpty)
        }
    }

    @Test func anIdempotentRequestIsSentAgainWithItsBody() throws {
        try Loopback.serving { loopback in
            let (client, server) = try Self.parked(loopback)
            try client.send("PUT / HTTP/1.1\r\nHost: app\r\nContent-Length: 4\r\n\r\nbody")
            _ = try server.readMessage()
            server.close()
            let fresh = try loopback.upstream.accept()
            #expect(try fresh.readMessage().text == "body")
        }
    }

    @Test func aRequestThatMayHaveBeenActedOnIsNotSentAgain() throws {
        try Loopback.serving { loopback in
            let (client, server) = try Self.parked(loopback)
            try client.send("POST / HTTP/1.1\r\nHost: app\r\nContent-Length: 4\r\n\r\nbody")
            _ = try server.readMessage()
            server.close()
            let response = try client.readMessage()
            #expect(response.status == 502)
            #expect(response["x-sidecar-reason"] == "upstream_closed")
            #expect(!loopback.upstream.hasConnection)
        }
    }

    @Test(arguments: Departure.allCases)
    func aParkedConnectionThatTheServerClosesIsDroppedAtOnce(_ departure: Departure) throws {
        try Loopback.serving { loopback in
            let (client, server) = try Self.parked(loopback)
            Self.leave(server, departure)
            #expect(waitUntil { loopback.endpoint(.closedByPeer) == 1 && loopback.endpoint(.connectionsIdle) == 0 })
            try client.sendGet("/second")
            let fresh = try loopback.upstream.accept()
            #expect(try fresh.readMessage().path == "/second")
        }
    }

    @Test func aParkedConnectionThatSpeaksUnaskedIsDropped() throws {
        try Loopback.serving { loopback in
            let (_, server) = try Self.parked(loopback)
            try server.sendResponse("to nobody")
            #expect(server.readEnd() != .timedOut)
            #expect(loopback.endpoint(.closedByPeer) == 1)
        }
    }

    @Test func aServersKeepAliveTimeoutEndsTheParking() throws {
        try Loopback.serving({ $0.services[0].pool.idleTimeout = .seconds(60) }) { loopback in
            let client = try loopback.client()
            try client.sendGet()
            let server = try loopback.upstream.accept()
            _ = try server.readMessage()
            try server.sendResponse(fields: "Keep-Alive: timeout=1\r\n")
            _ = try client.readMessage()
            #expect(server.readEnd() == .ended)
            #expect(loopback.endpoint(.closedIdle) == 1)
        }
    }

    // MARK: The client's side

    @Test(arguments: Departure.allCases)
    func aClientThatVanishesWithinItsBodyTakesTheEndpointsConnectionAlong(_ departure: Departure) throws {
        try Loopback.serving { loopback in
            let client = try loopback.client()
            try client.send("POST / HTTP/1.1\r\nHost: app\r\nContent-Length: 100\r\n\r\nhalf")
            let server = try loopback.upstream.accept()
            _ = try server.readHead()
            #expect(try server.read(4) == Array("half".utf8))
            Self.leave(client, departure)
            #expect(server.readEnd() != .timedOut)
            #expect(loopback.reason == .clientClosed)
            #expect(waitUntil { loopback.listener(.connectionsActive) == 0 })
        }
    }

    @Test func aClientThatResetsWhileItsAnswerIsAwaitedTakesTheEndpointsConnectionAlong() throws {
        try Loopback.serving { loopback in
            let client = try loopback.client()
            try client.sendGet()
            let server = try loopback.upstream.accept()
            _ = try server.readMessage()
            client.reset()
            #expect(server.readEnd() != .timedOut)
            #expect(loopback.reason == .clientClosed)
        }
    }

    @Test func aHeadThatIsNoRequestIsA400AndTheEnd() throws {
        try Loopback.serving { loopback in
            let client = try loopback.client()
            try client.send("GET / HTTP/1.1\r\nHost : app\r\n\r\n")
            let response = try client.readMessage()
            #expect(response.status == 400)
            #expect(response["x-sidecar-reason"] == "bad_request")
            #expect(client.readEnd() == .ended)
            #expect(!loopback.upstream.hasConnection)
        }
    }

    @Test func aHeadThatDoesNotComeInTimeIsA408() throws {
        try Loopback.serving({ $0.listeners[0].timeouts.head = .milliseconds(50) }) { loopback in
            let client = try loopback.client()
            try client.send("GET / HT")
            #expect(try client.readMessage().status == 408)
            #expect(client.readEnd() == .ended)
        }
    }
}
