import Config
import Core
import HTTP
import Testing
import Traffic

@testable import Proxy

/// How calls end, and what of that is counted.
@Suite struct GRPCTests {
    private static let call = "TE: trailers\r\nContent-Type: application/grpc+proto\r\n"
    private static let message: [UInt8] = [0, 0, 0, 0, 2, 8, 1]

    /// Runs one call whose server answers by `answer`; what its client got.
    private static func call(
        fields: String = "", _ answer: @escaping (H2Peer, UInt32) -> Void,
        then check: (H2Scene, H2Peer.Stream) throws -> Void
    ) throws {
        try H2Scene.serving({ $0.services[0].protocolName = .grpc }) { scene in
            scene.answer = answer
            let client = try scene.client()
            let id = client.request("POST /shop.Orders/Place", fields: call + fields, body: message)
            #expect(scene.until { client[id].isOver })
            #expect(scene.until { scene.loopback.listener(.requestsActive) == 0 })
            try check(scene, client[id])
        }
    }

    /// The statuses that were counted, each once.
    private static func counted(_ scene: H2Scene) -> [Int] {
        (0..<WorkerMetrics.grpcStatuses).filter { scene.loopback.metrics[0].value(grpcStatus: $0, service: 0) == 1 }
    }

    @Test(arguments: [
        ("0", 0), ("5", 5), ("16", 16), ("17", 2), ("99999999999999999999", 2), ("", 2), ("ok", 2), ("-1", 2),
    ])
    func theStatusIsThatOfTheTrailers(_ value: String, _ expected: Int) throws {
        try Self.call { server, id in
            let fields = [("content-type", "application/grpc"), ("grpc-status", "13")]
            server.respond(id, Self.message, fields: fields, trailers: [("grpc-status", value)])
        } then: { scene, response in
            #expect(response.status == 200 && response.body == Self.message)
            #expect(response.trailers.first?.value == value)
            #expect(Self.counted(scene) == [expected])
        }
    }

    @Test func theStatusOfAResponseOfTrailersOnlyIsInItsHead() throws {
        try Self.call { server, id in
            server.respond(id, fields: [("content-type", "application/grpc"), ("grpc-status", "7")])
        } then: { scene, response in
            #expect(response["grpc-status"] == "7" && response.trailers.isEmpty)
            #expect(Self.counted(scene) == [7])
        }
    }

    @Test(arguments: [(200, 2), (400, 13), (401, 16), (403, 7), (404, 12), (429, 14), (500, 2), (503, 14)])
    func aResponseThatIsNotOfGRPCCountsByItsStatus(_ status: Int, _ expected: Int) throws {
        try Self.call { server, id in
            server.respond(id, Array("sorry".utf8), status: UInt16(status))
        } then: { scene, response in
            #expect(response.status == status)
            #expect(Self.counted(scene) == [expected])
        }
    }

    @Test func aCallThatItsEndpointResetsIsToldByAStatus() throws {
        try Self.call { server, id in
            server.reset(id, .internalError)
        } then: { scene, response in
            #expect(response.status == 200)
            #expect(response["grpc-status"] == "14")
            #expect(response["grpc-message"]?.hasPrefix("upstream_reset") == true)
            #expect(Self.counted(scene) == [14])
        }
    }

    @Test func aCallWhoseDeadlineIsOverIsToldSoAndCancelled() throws {
        try H2Scene.serving({ $0.services[0].protocolName = .grpc }) { scene in
            let client = try scene.client()
            let id = client.request(
                "POST /shop.Orders/Place", fields: Self.call + "grpc-timeout: 50m\r\n", body: Self.message)
            #expect(scene.until { client[id].isOver })
            #expect(client[id]["grpc-status"] == "4")
            #expect(scene.until { scene.servers.first?.streams.values.first?.resetCode == .cancel })
            #expect(Self.counted(scene) == [4])
        }
    }

    @Test func aCallThatItsClientCancelsIsCountedAsThat() throws {
        try H2Scene.serving({ $0.services[0].protocolName = .grpc }) { scene in
            let client = try scene.client()
            let id = client.request("POST /shop.Orders/Place", fields: Self.call, body: Self.message, ends: false)
            let (server, its) = try #require(scene.arrived("/shop.Orders/Place"))
            client.reset(id)
            #expect(scene.until { server[its].resetCode == .cancel })
            #expect(waitUntil { Self.counted(scene) == [1] })
        }
    }

    @Test func aCallWithoutAnEndpointIsToldByAStatus() throws {
        try H2Scene.serving({ $0.services[0].protocolName = .grpc }) { scene in
            scene.loopback.upstream.close()
            scene.accepts = false
            let client = try scene.client()
            let id = client.request("POST /shop.Orders/Place", fields: Self.call, body: Self.message)
            #expect(scene.until { client[id].isOver })
            #expect(client[id].status == 200 && client[id]["grpc-status"] == "14")
            #expect(client[id]["x-sidecar-reason"] == "connect_refused")
            #expect(Self.counted(scene) == [14])
        }
    }

    @Test func whatIsNoCallIsNotCountedAsOne() throws {
        try H2Scene.serving({ $0.services[0].protocolName = .grpc }) { scene in
            scene.answer = { server, id in server.respond(id, status: 404) }
            let client = try scene.client()
            let id = client.request("POST /", fields: "Content-Type: application/grpc-web\r\n", body: Self.message)
            #expect(scene.until { client[id].isOver })
            #expect(client[id].status == 404)
            #expect(Self.counted(scene) == [])
        }
    }
}
