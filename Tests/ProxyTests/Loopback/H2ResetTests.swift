import Config
import Core
import HTTP
import Testing
import Traffic

@testable import Proxy

/// One stream ends before its time: the other side hears of it with the right code, and its neighbours do not.
@Suite struct H2ResetTests {
    private static let part = [UInt8].pattern(10_000)

    /// The reason of the only failure, as the peers go on.
    private static func reason(_ scene: H2Scene) -> Reason? {
        _ = scene.until { !scene.loopback.failures.isEmpty }
        let failures = scene.loopback.failures
        return failures.count == 1 ? failures[0].reason : nil
    }

    /// A neighbour on the client's connection is served.
    private static func expectNeighbour(_ scene: H2Scene, _ client: H2Peer) {
        let id = client.request("GET /neighbour")
        guard let (server, its) = scene.arrived("/neighbour") else {
            Issue.record("the neighbour's request did not arrive")
            return
        }
        server.respond(its, "here")
        #expect(scene.until { client[id].text == "here" && client[id].isEnded })
        #expect(client.violation == nil && client.end == nil)
    }

    // MARK: The client's side

    /// When a client gives up: before the response, within its request's body, within the response's.
    enum Moment: CaseIterable { case asked, sending, receiving }

    @Test(arguments: Moment.allCases)
    func aStreamThatItsClientResetsIsResetAtTheEndpoint(_ moment: Moment) throws {
        try H2Scene.serving { scene in
            let client = try scene.client()
            let id =
                moment == .sending ? client.request("POST /", body: Self.part, ends: false) : client.request()
            let (server, its) = try #require(scene.arrived())
            if moment == .sending { #expect(scene.until { server[its].body == Self.part }) }
            if moment == .receiving {
                server.respond(its, Self.part, ends: false)
                #expect(scene.until { client[id].body == Self.part })
            }
            client.reset(id)
            #expect(scene.until { server[its].resetCode == .cancel })
            #expect(Self.reason(scene) == .clientClosed)
            Self.expectNeighbour(scene, client)
            #expect(scene.servers.count == 1)
        }
    }

    @Test(arguments: Moment.allCases)
    func aStreamThatItsClientResetsTakesAnHTTP1ConnectionAlong(_ moment: Moment) throws {
        try H2Scene.serving({ $0.services[0].protocolName = .http }) { scene in
            scene.accepts = false
            let client = try scene.client()
            let id =
                moment == .sending ? client.request("POST /", body: Self.part, ends: false) : client.request()
            #expect(scene.until { scene.loopback.upstream.hasConnection })
            let server = try scene.loopback.upstream.accept()
            _ = try server.readHead()
            if moment == .sending { #expect(try server.readChunk() == Self.part) }
            if moment == .receiving {
                try server.sendResponseHead(20_000)
                try server.send(Self.part)
                #expect(scene.until { client[id].body == Self.part })
            }
            client.reset(id)
            client.turn()
            #expect(server.readEnd() != .timedOut)
            #expect(Self.reason(scene) == .clientClosed)
            #expect(client.end == nil)
        }
    }

    @Test func aClientThatVanishesResetsAllItsStreams() throws {
        try H2Scene.serving { scene in
            let client = try scene.client()
            let other = try scene.client()
            for number in 0..<20 { client.request("POST /\(number)", body: Self.part, ends: false) }
            for number in 0..<20 { _ = try #require(scene.arrived("/\(number)")) }
            client.abort()
            let server = scene.servers[0]
            #expect(scene.until { server.streams.values.allSatisfy { $0.resetCode == .cancel } })
            #expect(server.streams.count == 20)
            Self.expectNeighbour(scene, other)
        }
    }

    // MARK: The endpoint's side

    @Test(arguments: [H2ErrorCode.internalError, .cancel, .enhanceYourCalm])
    func aStreamThatTheEndpointResetsWithinItsBodyIsResetWithItsCode(_ code: H2ErrorCode) throws {
        try H2Scene.serving { scene in
            let client = try scene.client()
            let id = client.request()
            let (server, its) = try #require(scene.arrived())
            server.respond(its, Self.part, ends: false)
            #expect(scene.until { client[id].body == Self.part })
            server.reset(its, code)
            #expect(scene.until { client[id].resetCode == code })
            #expect(Self.reason(scene) == .upstreamReset)
            Self.expectNeighbour(scene, client)
        }
    }

    @Test func aStreamThatTheEndpointResetsBeforeItsHeadIsA502() throws {
        try H2Scene.serving { scene in
            let client = try scene.client()
            let id = client.request("POST /", body: Self.part, ends: false)
            let (server, its) = try #require(scene.arrived())
            server.reset(its, .internalError)
            #expect(scene.until { client[id].isOver })
            #expect(client[id].status == 502)
            #expect(client[id]["x-sidecar-reason"] == "upstream_reset")
            Self.expectNeighbour(scene, client)
        }
    }

    @Test func anEarlyResponseEndsTheRequest() throws {
        try H2Scene.serving { scene in
            let client = try scene.client()
            let id = client.request("POST /", body: Self.part, ends: false)
            let (server, its) = try #require(scene.arrived())
            server.respond(its, Array("enough".utf8), status: 413)
            server.reset(its, .noError)
            #expect(scene.until { client[id].isEnded || client[id].resetCode != nil })
            #expect(client[id].status == 413)
            #expect(client[id].text == "enough")
            #expect(scene.until { client[id].resetCode == .noError })
            Self.expectNeighbour(scene, client)
        }
    }

    @Test func anHTTP1EndpointThatLeavesWithinItsBodyResetsTheStream() throws {
        try H2Scene.serving({ $0.services[0].protocolName = .http }) { scene in
            scene.accepts = false
            let client = try scene.client()
            let id = client.request()
            #expect(scene.until { scene.loopback.upstream.hasConnection })
            let server = try scene.loopback.upstream.accept()
            _ = try server.readMessage()
            try server.sendResponseHead(20_000)
            try server.send(Self.part)
            #expect(scene.until { client[id].body == Self.part })
            server.close()
            #expect(scene.until { client[id].resetCode == .internalError })
            #expect(Self.reason(scene) == .upstreamClosed)
            #expect(client.end == nil)
        }
    }

    @Test func anHTTP1ClientThatVanishesResetsTheStream() throws {
        try H2Scene.serving { scene in
            let client = try scene.loopback.client()
            try client.send("POST / HTTP/1.1\r\nHost: app\r\nContent-Length: 20000\r\n\r\n")
            try client.send(Self.part)
            let (server, its) = try #require(scene.arrived())
            client.close()
            #expect(scene.until { server[its].resetCode == .cancel })
            #expect(Self.reason(scene) == .clientClosed)
        }
    }

    @Test func aStreamThatIsResetCutsAnHTTP1Response() throws {
        try H2Scene.serving { scene in
            let client = try scene.loopback.client()
            try client.sendGet()
            let (server, its) = try #require(scene.arrived())
            server.respond(its, Self.part, ends: false)
            #expect(scene.until { client.hasUnread })
            #expect(try client.readHead().status == 200)
            server.reset(its, .internalError)
            server.turn()
            #expect(client.readEnd() == .reset)
            #expect(Self.reason(scene) == .upstreamReset)
        }
    }
}
