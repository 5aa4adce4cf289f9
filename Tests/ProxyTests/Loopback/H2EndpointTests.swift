import Config
import Core
import HTTP
import Testing
import Traffic

@testable import Proxy

/// Connections to endpoints: how many there are, what they refuse, and how they end with streams open.
@Suite struct H2EndpointTests {
    private static let part = [UInt8].pattern(10_000)

    /// So many requests over one connection to the endpoint, none of them answered; the first has gone before, so that
    /// the connection is a reused one. `bodies`: they are sent, and not ended.
    private static func asking(_ scene: H2Scene, _ client: H2Peer, _ count: Int, bodies: Bool = false) throws
        -> [UInt32]
    {
        let first = client.request("GET /first")
        let (server, its) = try #require(scene.arrived("/first"))
        server.respond(its)
        #expect(scene.until { client[first].isEnded })
        let ids = (0..<count).map {
            bodies ? client.request("POST /\($0)", body: part, ends: false) : client.request("GET /\($0)")
        }
        for number in 0..<count { _ = try #require(scene.arrived("/\(number)")) }
        #expect(scene.servers.count == 1)
        return ids
    }

    private static func number(_ server: H2Peer, _ path: String) -> UInt32? {
        server.streams.first { $0.value.path == path && $0.value.resetCode == nil }?.key
    }

    // MARK: The connection breaks off

    /// How an endpoint's connection ends at once.
    enum Departure: CaseIterable { case closes, resets, breaksTheRules }

    @Test(arguments: Departure.allCases)
    func eachStreamOfAConnectionThatBreaksOffEndsAsFarAsItHadCome(_ departure: Departure) throws {
        try H2Scene.serving { scene in
            let client = try scene.client()
            let asked = try Self.asking(scene, client, 10)
            let uploads = (0..<10).map { client.request("POST /up/\($0)", body: Self.part, ends: false) }
            for number in 0..<10 { _ = try #require(scene.arrived("/up/\(number)")) }
            let server = scene.servers[0]
            let begun = asked.prefix(5)
            for number in 0..<5 {
                server.respond(try #require(Self.number(server, "/\(number)")), Self.part, ends: false)
            }
            #expect(scene.until { begun.allSatisfy { client[$0].body == Self.part } })

            scene.echo()
            switch departure {
            case .closes: server.close()
            case .resets: server.abort()
            case .breaksTheRules: try server.peer.send([0, 0, 0, 4, 0, 0, 0, 0, 1])
            }
            let all = asked + uploads
            #expect(scene.until { all.allSatisfy { client[$0].isOver } })
            for id in begun { #expect(client[id].resetCode == .internalError) }
            // What may have been acted on is not sent again; that of an idempotent method is, on another connection.
            let again = asked.suffix(5)
            if departure == .breaksTheRules {
                for id in again { #expect(client[id]["x-sidecar-reason"] == "upstream_protocol_error") }
            } else {
                for (number, id) in again.enumerated() { #expect(client[id].text == "/\(number + 5)") }
            }
            for id in uploads { #expect(client[id].status == 502) }
            #expect(scene.loopback.failures.count == (departure == .breaksTheRules ? 20 : 15))
            #expect(client.end == nil && client.violation == nil)
        }
    }

    @Test func anEndpointThatAnswersByHTTP1IsA502() throws {
        try H2Scene.serving { scene in
            scene.accepts = false
            let client = try scene.client()
            let id = client.request()
            #expect(scene.until { scene.loopback.upstream.hasConnection })
            let server = try scene.loopback.upstream.accept()
            try server.sendResponse("no HTTP/2 here")
            #expect(scene.until { client[id].isOver })
            #expect(client[id].status == 502)
            #expect(client[id]["x-sidecar-reason"] == "upstream_protocol_error")
            #expect(server.readEnd() != .timedOut)
        }
    }

    @Test func anEndpointThatDoesNotListenIsA503ForEveryStreamThatWaits() throws {
        try H2Scene.serving { scene in
            scene.loopback.upstream.close()
            scene.accepts = false
            let client = try scene.client()
            let ids = (0..<20).map { client.request("POST /\($0)", body: Self.part) }
            #expect(scene.until { ids.allSatisfy { client[$0].isEnded } })
            for id in ids { #expect(client[id]["x-sidecar-reason"] == "connect_refused") }
            #expect(scene.loopback.endpoint(.connectFailures) == 1)
        }
    }

    // MARK: Streams that are refused

    @Test func aRefusedStreamIsSentAgainWithItsBodyOnAnotherConnection() throws {
        try H2Scene.serving { scene in
            let client = try scene.client()
            _ = try Self.asking(scene, client, 2)
            let post = client.request("POST /again", body: Self.part)
            let (server, its) = try #require(scene.arrived("/again"))
            #expect(scene.until { server[its].isEnded })
            scene.echo()
            server.reset(its, .refusedStream)
            #expect(scene.until { client[post].isEnded })
            #expect(client[post].body == Array("/again".utf8) + Self.part)
            #expect(scene.servers.count == 2)
            #expect(scene.loopback.failures.isEmpty)
        }
    }

    @Test func aRefusedStreamWhoseBodyIsStillOnItsWayIsSentAgain() throws {
        try H2Scene.serving { scene in
            let client = try scene.client()
            _ = try Self.asking(scene, client, 1)
            let post = client.request("POST /again", body: Self.part, ends: false)
            let (server, its) = try #require(scene.arrived("/again"))
            #expect(scene.until { server[its].body == Self.part })
            server.reset(its, .refusedStream)
            let (another, again) = try #require(scene.arrived("/again"))
            #expect(another !== server)
            client.send(post, Self.part, ends: true)
            #expect(scene.until { another[again].isEnded })
            #expect(another[again].body == Self.part + Self.part)
            another.respond(again, "both")
            #expect(scene.until { client[post].text == "both" })
        }
    }

    @Test func aRefusedStreamWhoseBodyIsTooLongToKeepIsA502() throws {
        try H2Scene.serving { scene in
            let client = try scene.client()
            _ = try Self.asking(scene, client, 1)
            let long = [UInt8].pattern(60_000)
            let post = client.request("POST /long", body: long)
            let (server, its) = try #require(scene.arrived("/long"))
            #expect(scene.until { server[its].body == long })
            server.reset(its, .refusedStream)
            #expect(scene.until { client[post].isOver })
            #expect(client[post].status == 502)
            #expect(client[post]["x-sidecar-reason"] == "upstream_reset")
        }
    }

    @Test func anEndpointThatRefusesEveryStreamIsGivenUpAfterFiveTries() throws {
        try H2Scene.serving { scene in
            let client = try scene.client()
            scene.answer = { server, id in server.reset(id, .refusedStream) }
            let id = client.request()
            #expect(scene.until { client[id].isOver })
            #expect(client[id].status == 502)
            #expect(client[id]["x-sidecar-reason"] == "upstream_reset")
            #expect(scene.servers.count == 5)
        }
    }

    // MARK: GOAWAY

    @Test func streamsThatGoAwayLeavesOutAreSentAgainAndTheOthersFinish() throws {
        try H2Scene.serving { scene in
            let client = try scene.client()
            let ids = try Self.asking(scene, client, 6, bodies: true)
            let server = scene.servers[0]
            // Of streams 1 to 13 the last three were never seen.
            try server.peer.send([0, 0, 8, 7, 0, 0, 0, 0, 0, 0, 0, 0, 7, 0, 0, 0, 0])
            #expect(scene.until { scene.servers.count == 2 && scene.servers[1].streams.count == 3 })
            let another = scene.servers[1]
            for (number, id) in ids.enumerated() { client.send(id, Array("\(number)".utf8), ends: true) }
            for number in 0..<6 {
                let its = number < 3 ? server : another
                let stream = try #require(Self.number(its, "/\(number)"))
                #expect(scene.until { its[stream].body == Self.part + Array("\(number)".utf8) })
                its.respond(stream, number < 3 ? "old" : "new")
            }
            #expect(scene.until { ids.allSatisfy { client[$0].isEnded } })
            #expect(ids.map { client[$0].text } == ["old", "old", "old", "new", "new", "new"])
            // The old connection has nothing left to do.
            #expect(scene.until { server.end != nil })
            #expect(scene.loopback.failures.isEmpty)
        }
    }

    @Test func afterGoAwayNewStreamsGoOverAnotherConnection() throws {
        try H2Scene.serving { scene in
            let client = try scene.client()
            let waiting = try Self.asking(scene, client, 1)[0]
            let server = scene.servers[0]
            server.session.goAway(.noError)
            // The one that the server counts as its last is the one that waits.
            try server.peer.send([])
            let next = client.request("GET /next")
            let (another, its) = try #require(scene.arrived("/next"))
            another.respond(its, "next")
            #expect(scene.until { client[next].text == "next" })
            if another === server {
                Issue.record("a stream was opened after GOAWAY")
            }
            server.respond(try #require(Self.number(server, "/0")), "late")
            #expect(scene.until { client[waiting].text == "late" })
            #expect(scene.until { server.end != nil })
        }
    }

    // MARK: How many

    @Test func anEndpointsLimitOfStreamsIsKeptToOverAllItsConnections() throws {
        try H2Scene.serving { scene in
            scene.serverLimits.streamsMax = 3
            let client = try scene.client()
            _ = try Self.asking(scene, client, 0)
            let ids = (0..<10).map { client.request("GET /\($0)") }
            for number in 0..<10 { _ = try #require(scene.arrived("/\(number)")) }
            #expect(scene.servers.count == 4)
            for server in scene.servers { #expect(server.session.streamsOpen <= 3 && server.violation == nil) }
            scene.echo()
            #expect(scene.until { ids.allSatisfy { client[$0].isEnded } })
        }
    }

    @Test func streamsPastEveryConnectionsShareAreA503() throws {
        let configure: (inout Configuration) -> Void = { configuration in
            configuration.services[0].pool.connectionsMax = 2
            configuration.services[0].http2.streamsMax = 2
        }
        try H2Scene.serving(configure) { scene in
            let client = try scene.client()
            let ids = (0..<4).map { client.request("GET /\($0)") }
            for number in 0..<4 { _ = try #require(scene.arrived("/\(number)")) }
            let refused = client.request("GET /more")
            #expect(scene.until { client[refused].isOver })
            #expect(client[refused].status == 503)
            #expect(client[refused]["x-sidecar-reason"] == "overloaded")
            scene.echo()
            #expect(scene.until { ids.allSatisfy { client[$0].isEnded } })
            let served = client.request("GET /served")
            #expect(scene.until { client[served].text == "/served" })
            #expect(scene.servers.count == 2)
        }
    }

    @Test func aConnectionThatServedItsShareOfRequestsIsReplaced() throws {
        try H2Scene.serving({ $0.services[0].pool.requestsMax = 3 }) { scene in
            scene.echo()
            let client = try scene.client()
            for number in 0..<9 {
                let id = client.request("GET /\(number)")
                #expect(scene.until { client[id].isEnded })
            }
            #expect(scene.servers.map { $0.streams.count } == [3, 3, 3])
            #expect(scene.until { scene.servers.allSatisfy { $0.end != nil } })
            #expect(scene.loopback.endpoint(.closedUsedUp) == 3)
        }
    }

    // MARK: Time

    @Test func anIdleConnectionIsClosedAndOneWithAStreamIsNot() throws {
        try H2Scene.serving({ $0.services[0].pool.idleTimeout = .milliseconds(100) }) { scene in
            let client = try scene.client()
            let id = client.request("GET /slow")
            let (server, its) = try #require(scene.arrived("/slow"))
            let begun = ContinuousClock.now
            #expect(scene.until { ContinuousClock.now > begun + .milliseconds(300) })
            #expect(server.end == nil)
            server.respond(its, "done")
            #expect(scene.until { server.end != nil })
            #expect(client[id].text == "done")
            #expect(server.goAway == .noError)
            #expect(scene.loopback.endpoint(.closedIdle) == 1)
        }
    }

    @Test func anOldConnectionIsReplacedAndItsStreamsFinish() throws {
        try H2Scene.serving({ $0.services[0].pool.ageMax = .milliseconds(100) }) { scene in
            let client = try scene.client()
            let old = client.request("GET /old")
            let (server, its) = try #require(scene.arrived("/old"))
            let begun = ContinuousClock.now
            #expect(scene.until { ContinuousClock.now > begun + .milliseconds(150) })
            let new = client.request("GET /new")
            let (another, again) = try #require(scene.arrived("/new"))
            #expect(another !== server)
            server.respond(its, "old")
            another.respond(again, "new")
            #expect(scene.until { client[old].text == "old" && client[new].text == "new" })
            #expect(scene.until { server.end != nil })
        }
    }

    @Test func anEndpointThatAnswersNoPingIsGivenUp() throws {
        let configure: (inout Configuration) -> Void = { configuration in
            configuration.services[0].http2.pingInterval = .milliseconds(100)
            configuration.services[0].http2.pingTimeout = .milliseconds(200)
        }
        try H2Scene.serving(configure) { scene in
            let client = try scene.client()
            let post = client.request("POST /", body: [])
            let (server, its) = try #require(scene.arrived())
            // While it answers, it lives.
            let begun = ContinuousClock.now
            #expect(scene.until { ContinuousClock.now > begun + .milliseconds(500) })
            #expect(server.end == nil && !client[post].isOver)
            server.respond(its, Self.part, ends: false)
            #expect(scene.until { client[post].body == Self.part })
            server.reads = false
            #expect(scene.until { client[post].resetCode != nil })
            #expect(scene.loopback.reason == .upstreamClosed)
            #expect(server.peer.readEnd() != .timedOut)
        }
    }
}
