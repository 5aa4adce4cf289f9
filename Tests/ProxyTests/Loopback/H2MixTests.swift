import Config
import Core
import HTTP
import Testing

@testable import Proxy

/// HTTP/2 on one side or both: what goes in comes out on the other side, however much at once.
@Suite struct H2MixTests {
    private static let long = [UInt8].pattern(300_000)

    @Test func aRequestAndItsResponseGoThroughWithBodiesAndTrailers() throws {
        try H2Scene.serving { scene in
            scene.answer = { server, id in
                server.respond(id, server[id].body, status: 201, fields: [("x-a", "1")], trailers: [("x-sum", "7")])
            }
            let client = try scene.client()
            let id = client.request("POST /orders?page=2", fields: "X-B: 2\r\n", body: Self.long)
            #expect(scene.until { client[id].isEnded })
            #expect(client[id].status == 201)
            #expect(client[id]["x-a"] == "1")
            #expect(client[id].body == Self.long)
            #expect(client[id].trailers.map(\.name) == ["x-sum"])
            let request = try #require(scene.servers.first?.streams.values.first)
            #expect(request.method == "POST")
            #expect(request.path == "/orders?page=2")
            #expect(request["x-b"] == "2")
            #expect(request["content-length"] == nil)
        }
    }

    @Test func anHTTP1EndpointServesAnHTTP2Client() throws {
        try H2Scene.serving({ $0.services[0].protocolName = .http }) { scene in
            scene.accepts = false
            let servers = try scene.loopback.upstream.echoing()
            let client = try scene.client()
            let short = client.request("GET /short")
            let long = client.request("PUT /long", body: Self.long)
            let sized = client.request("PUT /sized", fields: "Content-Length: 300000\r\n", body: Self.long)
            #expect(scene.until { [short, long, sized].allSatisfy { client[$0].isEnded } })
            #expect(client[short].text == "/short")
            #expect(client[short]["content-length"] == "6")
            #expect(client[long].body == Array("/long".utf8) + Self.long)
            #expect(client[sized].body == Array("/sized".utf8) + Self.long)
            // Three requests at once need three of its connections.
            #expect(scene.loopback.endpoint(.connections) == 3)
            client.close()
            scene.loopback.stop()
            servers.stop()
        }
    }

    @Test func anHTTP2EndpointServesAnHTTP1Client() throws {
        try H2Scene.serving { scene in
            scene.echo()
            let client = try scene.loopback.client()
            for length in ["Content-Length: 300000\r\n\r\n", "Transfer-Encoding: chunked\r\n\r\n493e0\r\n"] {
                try client.send("PUT /long HTTP/1.1\r\nHost: app\r\n\(length)")
                let end = Array((length.hasPrefix("T") ? "\r\n0\r\n\r\n" : "").utf8)
                var received: [UInt8] = []
                try client.sending(Self.long + end) {
                    #expect(
                        scene.until {
                            received += (try? client.readArrived()) ?? []
                            return received.count > 300_100 && received.suffix(5) == Array("0\r\n\r\n".utf8)[...]
                        })
                }
                #expect(String(decoding: received.prefix(15), as: UTF8.self) == "HTTP/1.1 200 OK")
                #expect(String(decoding: received, as: UTF8.self).contains("/long"))
            }
            #expect(scene.servers.count == 1)
            #expect(scene.servers[0].streams.count == 2)
            for stream in scene.servers[0].streams.values { #expect(stream.body == Self.long) }
            client.close()
        }
    }

    @Test(arguments: [ServiceConfiguration.ProtocolName.http2, .http])
    func manyStreamsOfManyClientsAreServedAtOnce(_ protocolName: ServiceConfiguration.ProtocolName) throws {
        try H2Scene.serving({ $0.services[0].protocolName = protocolName }) { scene in
            var servers: ScriptedUpstream.Echo?
            if protocolName == .http {
                scene.accepts = false
                servers = try scene.loopback.upstream.echoing()
            } else {
                scene.echo()
            }
            // Every stream needs an HTTP/1 connection, and the server a thread for it.
            let streams = protocolName == .http ? 20 : 100
            let clients = try (0..<4).map { _ in try scene.client() }
            #expect(scene.until { clients.allSatisfy { $0.hasSettings } })
            for round in 0..<3 {
                let body = Array(Self.long.prefix(round * 5000))
                let ids = clients.map { client in
                    (0..<streams).map { client.request("PUT /\(round)/\($0)", body: body) }
                }
                #expect(
                    scene.until { zip(clients, ids).allSatisfy { client, ids in ids.allSatisfy { client[$0].isOver } } }
                )
                for (client, ids) in zip(clients, ids) {
                    for (number, id) in ids.enumerated() {
                        #expect(client[id].body == Array("/\(round)/\(number)".utf8) + body)
                    }
                }
            }
            #expect(scene.loopback.endpoint(.requests) == UInt64(3 * 4 * streams))
            #expect(scene.loopback.failures.isEmpty)
            // Four hundred streams at once go over four connections of a hundred.
            if protocolName == .http2 { #expect(scene.servers.count <= 4) }
            for client in clients { client.close() }
            if let servers {
                scene.loopback.stop()
                servers.stop()
            }
        }
    }

    @Test func informationalResponsesAndResponsesWithoutABodyGoThrough() throws {
        try H2Scene.serving { scene in
            scene.answer = { server, id in
                if server[id].path == "/early" {
                    server.respond(id, status: 103, fields: [("link", "</style.css>")], ends: false)
                }
                server.respond(id, status: 204)
            }
            let client = try scene.client()
            let ids = [client.request("GET /early"), client.request("HEAD /")]
            #expect(scene.until { ids.allSatisfy { client[$0].isEnded } })
            #expect(ids.map { client[$0].status } == [204, 204])
        }
    }
}
