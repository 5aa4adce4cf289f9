import Config
import Core
import Testing
import Traffic

@testable import Proxy

/// Nothing is read on one side while the other does not take it: what waits, waits with its sender.
@Suite struct BackPressureTests {
    private static let block = [UInt8].pattern(1 << 20)
    /// More than the kernel holds of two connections, both ways, however far it lets them grow.
    private static let blocks = 48

    /// Sends blocks until no room comes for a while, or all have left; returns the bytes that left.
    private static func fill(_ sender: Peer) throws -> Int {
        var sent = 0
        for _ in 0..<blocks {
            let count = try sender.sendUntilFull(block, waitMs: 300)
            sent += count
            if count < block.count { break }
        }
        return sent
    }

    /// Sends what is left after `sent` bytes while the other end reads everything; whether it arrived as it was sent.
    private static func finish(_ sender: Peer, after sent: Int, _ reader: Peer) throws -> Bool {
        try sender.sending(rest(after: sent)) {
            for _ in 0..<blocks where try reader.read(block.count) != block { return false }
            return true
        }
    }

    private static func rest(after sent: Int) -> [UInt8] {
        var rest = Array(block[(sent % block.count)...])
        for _ in sent / block.count + 1..<blocks { rest += block }
        return rest
    }

    @Test func theEndpointIsNotReadWhileTheClientDoesNotRead() throws {
        try Loopback.serving { loopback in
            let client = try loopback.client()
            try client.sendGet()
            let server = try loopback.upstream.accept()
            _ = try server.readMessage()
            try server.sendResponseHead(Self.blocks * Self.block.count)
            let sent = try Self.fill(server)
            #expect(sent < Self.blocks * Self.block.count)
            #expect(try client.readHead().status == 200)
            #expect(try Self.finish(server, after: sent, client))
        }
    }

    @Test func theEndpointIsNotReadWhileTheClientDoesNotReadThoughItSendsChunks() throws {
        try Loopback.serving { loopback in
            let client = try loopback.client()
            try client.sendGet()
            let server = try loopback.upstream.accept()
            _ = try server.readMessage()
            let size = String(Self.blocks * Self.block.count, radix: 16)
            try server.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n\(size)\r\n")
            let sent = try Self.fill(server)
            #expect(sent < Self.blocks * Self.block.count)
            #expect(try client.readHead()["transfer-encoding"] == "chunked")
            var rest = Self.rest(after: sent)
            rest += Array("\r\n0\r\n\r\n".utf8)
            try server.sending(rest) {
                var body: [UInt8] = []
                for _ in 0..<Self.blocks {
                    while body.count < Self.block.count, let chunk = try client.readChunk() { body += chunk }
                    #expect(Array(body.prefix(Self.block.count)) == Self.block)
                    body.removeFirst(min(body.count, Self.block.count))
                }
                #expect(try client.readChunk() == nil)
            }
        }
    }

    @Test func theClientIsNotReadWhileTheEndpointDoesNotRead() throws {
        try Loopback.serving { loopback in
            let client = try loopback.client()
            try client.send(
                "PUT / HTTP/1.1\r\nHost: app\r\nContent-Length: \(Self.blocks * Self.block.count)\r\n\r\n")
            let server = try loopback.upstream.accept()
            let sent = try Self.fill(client)
            #expect(sent < Self.blocks * Self.block.count)
            #expect(try server.readHead().startLine.hasPrefix("PUT"))
            #expect(try Self.finish(client, after: sent, server))
            try server.sendResponse("stored")
            #expect(try client.readMessage().text == "stored")
        }
    }

    @Test(arguments: [true, false])
    func theKernelIsMorePatientWithAPauseThanTheConfiguration(_ pauseIsARoutes: Bool) throws {
        let pause: Duration = .seconds(600)
        let configure: (inout Configuration) -> Void = { configuration in
            guard pauseIsARoutes else {
                configuration.listeners[0].timeouts.idle = pause
                return configuration.services[0].timeouts.idle = pause
            }
            configuration.listeners[0].service = nil
            configuration.routes = [RouteConfiguration(name: "all", action: .service("app"))]
            configuration.routes[0].idleTimeout = pause
        }
        try Loopback.serving(configure) { loopback in
            let client = try loopback.client()
            try client.sendGet()
            let server = try loopback.upstream.accept()
            _ = try server.readMessage()
            for peer in [client, server] {
                let patience = try #require(peer.patienceOfOtherEnd)
                #expect(patience > pause)
            }
        }
    }

    @Test func theEndpointIsLetGoWhenAClientThatTookNothingLeaves() throws {
        try Loopback.serving { loopback in
            let client = try loopback.client()
            try client.sendGet()
            let server = try loopback.upstream.accept()
            _ = try server.readMessage()
            try server.sendResponseHead(Self.blocks * Self.block.count)
            _ = try Self.fill(server)
            client.close()
            #expect(throws: Peer.Failure.reset) { for _ in 0..<Self.blocks { try server.send(Self.block) } }
            #expect(loopback.reason == .clientClosed)
        }
    }
}
