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
        let rest = Array(block[(sent % block.count)...])
        let whole = blocks - sent / block.count - 1
        return try sender.sending(rest + (0..<whole).flatMap { _ in block }) {
            for _ in 0..<blocks where try reader.read(block.count) != block { return false }
            return true
        }
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
