import Core

/// An extended CONNECT (RFC 8441) as HTTP/1.1 says it: a GET with `Upgrade` (RFC 9110 §7.8, RFC 6455 §4.1).
package enum H1Upgrade {
    /// Makes the request ready for `H1Writer`: a WebSocket's has a key, by which its server proves that it understood.
    ///
    /// `key` is 16 random bytes. HTTP/2 has no use for one, so what the client sent goes.
    package static func prepare(_ head: RequestHead, key: (UInt64, UInt64)) {
        head.headers.remove(named: keyName.bytes)
        guard head.bytes(head.protocolName).equalsIgnoringCase(("websocket" as StaticString).bytes) else { return }
        head.headers.append(.other, keyName.bytes) { append(base64: key, to: $0) }
    }

    /// Makes of a response that switched protocols what an extended CONNECT is answered with: 200, and bytes until the end.
    package static func translate(_ head: ResponseHead) {
        head.status = 200
        head.reason = .empty
        head.framing = .untilClose
        head.keepAlive = false
        head.headers.remove(named: ("sec-websocket-accept" as StaticString).bytes)
    }

    private static var keyName: StaticString { "Sec-WebSocket-Key" }

    /// Appends sixteen bytes as base64 (RFC 4648 §4): five groups of three, and one byte with its padding.
    private static func append(base64 key: (UInt64, UInt64), to output: Buffer) {
        func byte(_ index: Int) -> UInt32 {
            UInt32((index < 8 ? key.0 : key.1) >> UInt64(56 - index % 8 * 8) & 0xFF)
        }
        func digit(_ value: UInt32) -> UInt8 {
            switch UInt8(value & 63) {
            case let value where value < 26: UInt8(ascii: "A") + value
            case let value where value < 52: UInt8(ascii: "a") + value - 26
            case let value where value < 62: UInt8(ascii: "0") + value - 52
            case 62: UInt8(ascii: "+")
            default: UInt8(ascii: "/")
            }
        }
        for group in 0..<5 {
            let bits = byte(group * 3) << 16 | byte(group * 3 + 1) << 8 | byte(group * 3 + 2)
            output.append(digit(bits >> 18), digit(bits >> 12))
            output.append(digit(bits >> 6), digit(bits))
        }
        let last = byte(15) << 16
        output.append(digit(last >> 18), digit(last >> 12))
        output.append(UInt8(ascii: "="), UInt8(ascii: "="))
    }
}
