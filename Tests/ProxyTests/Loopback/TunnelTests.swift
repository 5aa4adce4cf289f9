import Config
import Testing
import Traffic

@testable import Proxy

/// TLS that is passed on without being decrypted.
@Suite struct TunnelTests {
    /// A client's first message that asks for `name`, and for nothing else.
    private func hello(for name: String) -> [UInt8] {
        func u16(_ value: Int) -> [UInt8] { [UInt8(value >> 8), UInt8(value & 255)] }
        let count = name.utf8.count
        let serverName = u16(0) + u16(count + 5) + u16(count + 3) + [0] + u16(count) + Array(name.utf8)
        let body =
            [3, 3] + [UInt8](repeating: 7, count: 32) + [0] + u16(2) + [0x13, 1] + [1, 0] + u16(serverName.count)
            + serverName
        let message = [1, 0] + u16(body.count) + body
        return [22, 3, 1] + u16(message.count) + message
    }

    private func serving(_ body: (Loopback) throws -> Void) throws {
        try Loopback.serving(
            { configuration in
                configuration.listeners[0].protocolName = .tlsPassthrough
                configuration.listeners[0].service = nil
                configuration.services[0].protocolName = .tcp
                var route = RouteConfiguration(name: "shop", action: .service("app"))
                route.hosts = [.exact("shop.local")]
                route.listeners = ["web"]
                configuration.routes = [route]
            }, body)
    }

    @Test func aKnownServerNameIsPassedOnFromItsFirstByte() throws {
        try serving { loopback in
            let client = try loopback.client()
            try client.send(hello(for: "shop.local"))
            let server = try loopback.upstream.accept()
            #expect(try server.read(hello(for: "shop.local").count) == hello(for: "shop.local"))
            try server.send("answer")
            #expect(try client.read(6) == Array("answer".utf8))
            client.finishWriting()
            #expect(server.readEnd() == .ended)
            server.close()
            #expect(client.readEnd() == .ended)
        }
    }

    @Test func anUnknownServerNameIsAnsweredByAnAlertThatNoResetOvertakes() throws {
        try serving { loopback in
            let client = try loopback.client()
            try client.send(hello(for: "other.local"))
            #expect(try client.read(7) == [21, 3, 3, 0, 2, 2, 112])
            // The proxy has said its last word; what comes now must not make it reset the connection.
            try client.send([UInt8](repeating: 0, count: 100_000))
            client.finishWriting()
            #expect(client.readEnd() == .ended)
            #expect(loopback.reason == .noRoute)
            #expect(waitUntil { loopback.listener(.connectionsActive) == 0 })
            #expect(loopback.listener(.requestsActive) == 0)
            #expect(!loopback.upstream.hasConnection)
        }
    }
}
