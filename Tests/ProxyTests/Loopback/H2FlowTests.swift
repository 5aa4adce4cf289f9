import Config
import Core
import HTTP
import Testing
import Traffic

@testable import Proxy

/// Who does not take what is sent holds up nobody else, and no memory.
@Suite struct H2FlowTests {
    /// Many times what a stream's window and one buffer hold.
    private static let long = [UInt8].pattern(400_000)
    /// Pieces of buffer memory in use while a stream is stalled: the stream's own, and one for each connection's passing needs.
    private static let lentMax = 12

    /// A neighbour on the same connections is served.
    private static func expectNeighbour(_ scene: H2Scene, _ client: H2Peer) {
        let id = client.request("PUT /neighbour", body: Array("hello".utf8))
        #expect(scene.until { client[id].isOver })
        #expect(client[id].text == "/neighbourhello")
    }

    @Test func aStreamThatItsClientDoesNotTakeWaitsAlone() throws {
        try H2Scene.serving { scene in
            scene.echo()
            let client = try scene.client()
            let settle = client.request("GET /settle")
            #expect(scene.until { client[settle].isEnded })
            client.consumes = false
            let stalled = client.request("GET /stalled")
            scene.answer = { server, id in
                let request = server[id]
                let isStalled = request.path == "/stalled"
                server.respond(id, isStalled ? Self.long : Array(request.path.utf8) + request.body)
            }
            // The stream's window, of the size that the client announces.
            #expect(scene.until { client[stalled].body.count == H2Limits().streamWindow })
            client.consumes = true
            for _ in 0..<5 { Self.expectNeighbour(scene, client) }
            #expect(client[stalled].body.count == H2Limits().streamWindow)
            #expect(scene.loopback.buffersLent <= Self.lentMax)
            // The endpoint was not read further than one window of ours.
            let (server, its) = try #require(scene.arrived("/stalled"))
            #expect(!server.hasSent(its))
            client.consume(stalled)
            #expect(scene.until { client[stalled].isEnded })
            #expect(client[stalled].body == Self.long)
        }
    }

    @Test func aStreamThatItsEndpointDoesNotTakeWaitsAlone() throws {
        try H2Scene.serving { scene in
            scene.echo()
            let client = try scene.client()
            let settle = client.request("GET /settle")
            #expect(scene.until { client[settle].isEnded })
            scene.servers[0].consumes = false
            let stalled = client.request("POST /stalled", body: Self.long)
            let (server, its) = try #require(scene.arrived("/stalled"))
            #expect(scene.until { server[its].body.count == H2Limits().streamWindow })
            server.consumes = true
            for _ in 0..<5 { Self.expectNeighbour(scene, client) }
            #expect(server[its].body.count == H2Limits().streamWindow)
            #expect(!client.hasSent(stalled))
            #expect(scene.loopback.buffersLent <= Self.lentMax)
            server.consume(its)
            #expect(scene.until { client[stalled].isEnded })
            #expect(client[stalled].body == Array("/stalled".utf8) + Self.long)
        }
    }

    @Test func aClientThatDoesNotReadHoldsUpItsEndpointsStreamsOnly() throws {
        // Of all of them together more than the kernel holds of two connections.
        let longer = Self.long + Self.long + Self.long
        try H2Scene.serving { scene in
            scene.answer = { server, id in
                let isLong = server[id].path.hasPrefix("/long")
                server.respond(id, isLong ? longer : Array(server[id].path.utf8) + server[id].body)
            }
            // Windows that let everything come at once: only the socket holds it up.
            var limits = H2Limits()
            limits.streamWindow = 1 << 24
            limits.connectionWindow = 1 << 28
            let deaf = try scene.client(limits: limits)
            let other = try scene.client()
            #expect(scene.until { deaf.hasSettings && other.hasSettings })
            deaf.reads = false
            // Together they may wait for less than the window of the connection, which they share with the other client.
            let ids = (0..<12).map { deaf.request("GET /long/\($0)") }
            #expect(scene.until { scene.servers.first?.streams.count == 12 })
            for _ in 0..<5 { Self.expectNeighbour(scene, other) }
            let (server, its) = try #require(scene.arrived("/long/11"))
            #expect(!server.hasSent(its))
            deaf.reads = true
            #expect(scene.until { ids.allSatisfy { deaf[$0].isEnded } })
            for id in ids { #expect(deaf[id].body == longer) }
        }
    }

    @Test func anEndpointThatDoesNotReadHoldsUpItsStreamsOnly() throws {
        try H2Scene.serving({ $0.services[0].http2.streamsMax = 10 }) { scene in
            scene.echo()
            scene.serverLimits.streamWindow = 1 << 24
            scene.serverLimits.connectionWindow = 1 << 28
            let client = try scene.client()
            let settle = client.request("GET /settle")
            #expect(scene.until { client[settle].isEnded })
            scene.servers[0].reads = false
            let ids = (0..<10).map { client.request("PUT /long/\($0)", body: Self.long) }
            // Past ten streams another connection is made, which reads.
            for _ in 0..<5 { Self.expectNeighbour(scene, client) }
            #expect(ids.allSatisfy { !client[$0].isOver })
            scene.servers[0].reads = true
            #expect(scene.until { ids.allSatisfy { client[$0].isEnded } })
            for (number, id) in ids.enumerated() {
                #expect(client[id].body == Array("/long/\(number)".utf8) + Self.long)
            }
        }
    }

    @Test(arguments: [ServiceConfiguration.ProtocolName.http2, .http])
    func aClientThatTakesNothingForTooLongLosesItsStream(_ protocolName: ServiceConfiguration.ProtocolName) throws {
        let configure: (inout Configuration) -> Void = { configuration in
            configuration.services[0].protocolName = protocolName
            configuration.listeners[0].timeouts.idle = .milliseconds(100)
        }
        try H2Scene.serving(configure) { scene in
            scene.answer = { server, id in server.respond(id, Self.long) }
            var servers: ScriptedUpstream.Echo?
            if protocolName == .http {
                scene.accepts = false
                servers = try scene.loopback.upstream.echoing()
            }
            let client = try scene.client()
            client.consumes = false
            let id = client.request("PUT /", body: protocolName == .http ? Self.long : [])
            #expect(scene.until { client[id].resetCode != nil })
            #expect(client[id].status == 200)
            #expect(scene.loopback.reason == .clientClosed)
            #expect(client.end == nil && client.violation == nil)
            if let servers {
                client.close()
                scene.loopback.stop()
                servers.stop()
            }
        }
    }

    @Test func anEndpointThatTakesNothingForTooLongIsA504() throws {
        try H2Scene.serving({ $0.services[0].timeouts.idle = .milliseconds(100) }) { scene in
            scene.answer = { server, id in server.respond(id) }
            let client = try scene.client()
            let settle = client.request("GET /settle")
            #expect(scene.until { client[settle].isEnded })
            scene.servers[0].consumes = false
            let id = client.request("POST /stalled", body: Self.long)
            #expect(scene.until { client[id].isOver })
            #expect(client[id].status == 504)
            #expect(client[id]["x-sidecar-reason"] == "response_timeout")
            #expect(scene.servers[0].end == nil && scene.servers[0].violation == nil)
        }
    }

    @Test func manyLongBodiesBothWaysArriveWhole() throws {
        try H2Scene.serving { scene in
            scene.echo()
            let client = try scene.client()
            #expect(scene.until { client.hasSettings })
            let ids = (0..<20).map { client.request("PUT /\($0)", body: Self.long) }
            #expect(scene.until { ids.allSatisfy { client[$0].isOver } })
            for (number, id) in ids.enumerated() {
                #expect(client[id].body == Array("/\(number)".utf8) + Self.long)
            }
        }
    }
}
