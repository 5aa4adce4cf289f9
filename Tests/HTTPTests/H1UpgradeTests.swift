import Core
import Testing

@testable import HTTP

@Suite struct H1UpgradeTests {
    /// An extended CONNECT as it comes by HTTP/2.
    private static func connect(_ name: String, _ fields: H2Wire.Fields = []) -> RequestHead {
        let owner = H2Owner(.server)
        let head: H2Wire.Fields = [
            (":method", "CONNECT"), (":protocol", name), (":scheme", "https"), (":path", "/chat"), (":authority", "a"),
        ]
        owner.feed(H2Wire.preface + H2Wire.settings() + H2Wire.headers(1, head + fields))
        precondition(owner.requestHead.isExtendedConnect, "\(owner.events)")
        return owner.requestHead
    }

    private static func keys(_ head: RequestHead) -> [String] {
        let headers = head.headers
        return headers.fields.filter {
            !$0.isRemoved && headers.name(of: $0).text.lowercased() == "sec-websocket-key"
        }.map { headers.value(of: $0).text }
    }

    @Test(
        arguments: [
            (0, 0, "AAAAAAAAAAAAAAAAAAAAAA=="), (.max, .max, "/////////////////////w=="),
            // The example of RFC 6455 §1.3: "the sample nonce".
            (0x7468_6520_7361_6D70, 0x6C65_206E_6F6E_6365, "dGhlIHNhbXBsZSBub25jZQ=="),
            (0x0001_0203_0405_0607, 0x0809_0A0B_0C0D_0E0F, "AAECAwQFBgcICQoLDA0ODw=="),
            (0xFBEF_BEFB_EFBE_FBEF, 0xBEFB_EFBE_FBEF_BEFB, "++++++++++++++++++++++++"),
        ] as [(UInt64, UInt64, String)])
    func aWebSocketsKeyIsSixteenBytesAsBase64(_ high: UInt64, _ low: UInt64, _ expected: String) {
        let head = Self.connect("websocket")
        H1Upgrade.prepare(head, key: (high, low))
        let keys = Self.keys(head)
        // The last byte has but two bits in its second digit.
        #expect(keys.count == 1 && keys[0].count == 24)
        #expect(keys[0].prefix(21) == expected.prefix(21))
        if expected.hasSuffix("==") { #expect(keys[0] == expected) }
    }

    @Test func aKeyThatTheClientSentGoes() {
        let head = Self.connect("WebSocket", [("sec-websocket-key", "mine"), ("sec-websocket-version", "13")])
        H1Upgrade.prepare(head, key: (0, 0))
        #expect(Self.keys(head) == ["AAAAAAAAAAAAAAAAAAAAAA=="])
        #expect(head.headers.contains(.host))
    }

    @Test func otherProtocolsHaveNoKey() {
        let head = Self.connect("connect-udp", [("sec-websocket-key", "mine")])
        H1Upgrade.prepare(head, key: (1, 2))
        #expect(Self.keys(head).isEmpty)
    }

    @Test func aResponseThatSwitchedProtocolsIsA200WhoseBytesGoOnUntilTheEnd() throws {
        let text = """
            HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
            Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\nSec-WebSocket-Protocol: chat\r\n\r\n
            """
        let head = ResponseHead()
        _ = try H1ResponseParser.parse(
            Array(text.utf8).span, into: head, requestMethod: .get, limits: ParsedHead.limits, scanned: 0)
        H1Upgrade.translate(head)
        #expect(head.status == 200 && head.framing == .untilClose && !head.keepAlive && head.reason.isEmpty)
        let headers = head.headers
        let names = headers.fields.filter { !$0.isRemoved }.map { headers.name(of: $0).text }
        #expect(!names.contains("Sec-WebSocket-Accept"))
        #expect(names.contains("Sec-WebSocket-Protocol"))
    }
}
