package import Core

/// An extended CONNECT (RFC 8441) as HTTP/1.1 says it: a GET with `Upgrade` (RFC 9110 §7.8, RFC 6455 §4.1).
package enum H1Upgrade {
    /// Writes the request's head. `key` is what a WebSocket's server proves that it understood: 16 random bytes.
    ///
    /// `target` is the one to send; as received when it is empty. Call `removeHopByHop` before.
    package static func writeRequest(
        _ head: RequestHead, target: Span<UInt8>, key: (UInt64, UInt64), into output: Buffer
    ) {
        output.append("GET ")
        output.append(target.isEmpty ? head.bytes(head.target) : target)
        output.append(" HTTP/1.1\r\n")
        if !head.headers.contains(.host) {
            output.append("Host: ")
            output.append(head.bytes(head.authority))
            output.appendLineEnd()
        }
        head.headers.remove(.contentLength)
        head.headers.remove(named: keyName.bytes)
        head.headers.write(into: output)
        output.append("Connection: Upgrade\r\nUpgrade: ")
        output.append(head.bytes(head.protocolName))
        output.appendLineEnd()
        if head.bytes(head.protocolName).equalsIgnoringCase(("websocket" as StaticString).bytes) {
            output.append(keyName)
            output.append(": ")
            append(base64: key, to: output)
            output.appendLineEnd()
        }
        output.appendLineEnd()
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
        output.append("==")
    }
}
