import Config
import Core
import HTTP
import Testing
import Traffic

@testable import Proxy

/// How connections of HTTP/2 clients end: with what runs finished, unless there is no time for that.
@Suite struct H2LifecycleTests {
    private static let part = [UInt8].pattern(10_000)

    /// A stream of the client's that its endpoint has read and not answered.
    private static func asking(_ scene: H2Scene, _ client: H2Peer, _ path: String = "/") throws -> (
        id: UInt32, server: H2Peer, its: UInt32
    ) {
        let id = client.request("GET \(path)")
        let (server, its) = try #require(scene.arrived(path))
        return (id, server, its)
    }

    @Test func drainingTellsClientsToGoAndFinishesTheirStreams() throws {
        try H2Scene.serving { scene in
            let idle = try scene.client()
            #expect(scene.until { idle.hasSettings })
            let busy = try scene.client()
            let (id, server, its) = try Self.asking(scene, busy)
            busy.reads = false
            scene.loopback.beginDrain()
            #expect(scene.until { idle.end == .ended })
            #expect(idle.goAway == .noError)
            // A stream that was on its way counts still.
            let late = try Self.asking(scene, busy, "/late")
            busy.reads = true
            #expect(scene.until { busy.goAway == .noError })
            #expect(scene.loopback.drainedCount == 0)
            server.respond(its, "the last")
            late.server.respond(late.its, "but one")
            #expect(scene.until { busy.end == .ended })
            #expect(busy[id].text == "the last")
            #expect(busy[late.id].text == "but one")
            #expect(scene.loopback.hear { scene.loopback.drainedCount == 1 })
        }
    }

    @Test func aWorkerThatIsStoppedEndsEveryStream() throws {
        try H2Scene.serving { scene in
            let client = try scene.client()
            let (waiting, _, _) = try Self.asking(scene, client, "/waiting")
            let (reading, server, its) = try Self.asking(scene, client, "/reading")
            server.respond(its, Self.part, ends: false)
            #expect(scene.until { client[reading].body == Self.part })
            scene.loopback.stop()
            #expect(scene.until { client.end != nil && server.end != nil })
            #expect(client[waiting].status == 503)
            #expect(client[waiting]["x-sidecar-reason"] == "draining")
            #expect(client[reading].resetCode == .internalError)
            #expect(client.goAway == .noError)
            #expect(scene.loopback.failures.map(\.reason) == [.draining, .draining])
            #expect(scene.loopback.logLines == 2)
        }
    }

    @Test func aConnectionThatIsOldEnoughIsReplacedByItsClient() throws {
        let configure: (inout Configuration) -> Void = { configuration in
            configuration.listeners[0].http2.ageMax = .milliseconds(100)
            configuration.listeners[0].http2.ageJitter = .zero
        }
        try H2Scene.serving(configure) { scene in
            let client = try scene.client()
            let (id, server, its) = try Self.asking(scene, client)
            #expect(scene.until { client.goAway == .noError })
            #expect(client.end == nil)
            server.respond(its, "finished")
            #expect(scene.until { client.end == .ended })
            #expect(client[id].text == "finished")
            #expect(scene.loopback.failures.isEmpty)
        }
    }

    @Test func streamsThatOutliveTheGraceOfTheirConnectionAreCut() throws {
        let configure: (inout Configuration) -> Void = { configuration in
            configuration.listeners[0].http2.ageMax = .milliseconds(50)
            configuration.listeners[0].http2.ageJitter = .zero
            configuration.listeners[0].http2.ageGrace = .milliseconds(50)
        }
        try H2Scene.serving(configure) { scene in
            let client = try scene.client()
            let (id, _, _) = try Self.asking(scene, client)
            #expect(scene.until { client.end != nil })
            #expect(client[id].status == 503)
            #expect(scene.loopback.reason == .draining)
        }
    }

    @Test func aConnectionThatServedItsShareOfRequestsIsEndedGracefully() throws {
        try H2Scene.serving({ $0.listeners[0].requestsMax = 3 }) { scene in
            scene.echo()
            let client = try scene.client()
            let ids = (0..<3).map { client.request("GET /\($0)") }
            #expect(scene.until { client.end == .ended })
            #expect(ids.map { client[$0].text } == ["/0", "/1", "/2"])
            #expect(client.goAway == .noError)
        }
    }

    @Test func aClientThatSaysGoAwayIsServedToTheEnd() throws {
        try H2Scene.serving { scene in
            let client = try scene.client()
            let (id, server, its) = try Self.asking(scene, client)
            client.session.goAway(.noError)
            #expect(scene.until { !client.hasOutput })
            server.respond(its, "the last")
            #expect(scene.until { client.end == .ended })
            #expect(client[id].text == "the last")
        }
    }

    @Test func anIdleClientIsToldToGo() throws {
        try H2Scene.serving({ $0.listeners[0].timeouts.keepAlive = .milliseconds(100) }) { scene in
            scene.echo()
            let client = try scene.client()
            let id = client.request()
            #expect(scene.until { client.end == .ended })
            #expect(client[id].text == "/")
            #expect(client.goAway == .noError)
        }
    }

    @Test func aClientThatAnswersNoPingIsGone() throws {
        let configure: (inout Configuration) -> Void = { configuration in
            configuration.listeners[0].http2.pingInterval = .milliseconds(100)
            configuration.listeners[0].http2.pingTimeout = .milliseconds(200)
        }
        try H2Scene.serving(configure) { scene in
            let client = try scene.client()
            let (_, server, its) = try Self.asking(scene, client)
            let begun = ContinuousClock.now
            #expect(scene.until { ContinuousClock.now > begun + .milliseconds(500) })
            #expect(client.end == nil)
            client.reads = false
            #expect(scene.until { server[its].resetCode == .cancel })
            #expect(scene.loopback.reason == .clientClosed)
            #expect(client.peer.readEnd() != .timedOut)
        }
    }

    @Test func aClientThatBreaksTheRulesIsToldWhy() throws {
        try H2Scene.serving { scene in
            let client = try scene.client()
            let (id, server, its) = try Self.asking(scene, client)
            // SETTINGS on a stream.
            try client.peer.send([0, 0, 0, 4, 0, 0, 0, 0, 1])
            #expect(scene.until { client.end == .ended })
            #expect(client.goAway == .protocolError)
            #expect(!client[id].isOver)
            #expect(scene.until { server[its].resetCode == .cancel })
            #expect(scene.until { scene.loopback.failures.count == 2 })
            #expect(Set(scene.loopback.failures.map(\.reason)) == [.badRequest, .clientClosed])
            let violations = H2Violation.allCases.filter {
                scene.loopback.metrics[0].value($0, listener: 0) > 0
            }
            #expect(violations.count == 1)
        }
    }

    @Test func bothProtocolsAreSpokenOnOnePortUnlessOneIsSwitchedOff() throws {
        try H2Scene.serving({ $0.listeners[0].http2.isEnabled = false }) { scene in
            let client = try scene.loopback.client()
            try client.send("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")
            let response = try client.readMessage()
            #expect(response.status >= 400)
            #expect(client.readEnd() != .timedOut)
        }
    }
}
