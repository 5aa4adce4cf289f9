@testable import HTTP

/// Frames as bytes, written out by hand: what a test says to a session. And the other way, what a session said, as text.
enum H2Wire {
    typealias Fields = [(String, String)]

    static let preface = Array("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8)

    static let get: Fields = [(":method", "GET"), (":scheme", "https"), (":path", "/"), (":authority", "a")]
    static let post: Fields = [(":method", "POST"), (":scheme", "https"), (":path", "/"), (":authority", "a")]
    static let ok: Fields = [(":status", "200")]
    static let trailers: Fields = [("x-sum", "1")]

    static func frame(
        _ kind: UInt8, _ flags: UInt8 = 0, _ stream: UInt32, _ payload: [UInt8] = [], length: Int? = nil
    ) -> [UInt8] {
        let length = length ?? payload.count
        return [UInt8(length >> 16), UInt8(length >> 8 & 255), UInt8(length & 255), kind, flags] + number(stream)
            + payload
    }

    static func number(_ value: UInt32) -> [UInt8] {
        [UInt8(value >> 24), UInt8(value >> 16 & 255), UInt8(value >> 8 & 255), UInt8(value & 255)]
    }

    /// Fields as literals that are not indexed, and not Huffman-encoded.
    static func block(_ fields: Fields) -> [UInt8] {
        fields.flatMap { name, value in [0] + string(name) + string(value) }
    }

    private static func string(_ text: String) -> [UInt8] {
        let bytes = Array(text.utf8)
        guard bytes.count >= 127 else { return [UInt8(bytes.count)] + bytes }
        var length: [UInt8] = [127]
        var rest = bytes.count - 127
        while rest >= 128 {
            length.append(UInt8(rest & 127 | 128))
            rest >>= 7
        }
        return length + [UInt8(rest)] + bytes
    }

    /// `ends`: END_STREAM. `whole`: END_HEADERS.
    static func headers(
        _ stream: UInt32, _ fields: Fields = get, ends: Bool = false, whole: Bool = true
    ) -> [UInt8] {
        frame(1, (ends ? 1 : 0) | (whole ? 4 : 0), stream, block(fields))
    }

    static func continuation(_ stream: UInt32, _ fields: Fields, whole: Bool = true) -> [UInt8] {
        frame(9, whole ? 4 : 0, stream, block(fields))
    }

    static func data(_ stream: UInt32, _ text: String = "", ends: Bool = false) -> [UInt8] {
        frame(0, ends ? 1 : 0, stream, Array(text.utf8))
    }

    static func data(_ stream: UInt32, count: Int, ends: Bool = false) -> [UInt8] {
        frame(0, ends ? 1 : 0, stream, [UInt8](repeating: 0x78, count: count))
    }

    /// Padding written out: its length, then the payload, then as many zeros as `padding`.
    static func padded(_ stream: UInt32, _ text: String, padding: Int, ends: Bool = false) -> [UInt8] {
        let zeros = [UInt8](repeating: 0, count: padding)
        return frame(0, ends ? 9 : 8, stream, [UInt8(padding)] + Array(text.utf8) + zeros)
    }

    static func reset(_ stream: UInt32, _ code: UInt32 = 8) -> [UInt8] { frame(3, 0, stream, number(code)) }

    static func settings(_ parameters: [(UInt16, UInt32)] = []) -> [UInt8] {
        frame(4, 0, 0, parameters.flatMap { [UInt8($0.0 >> 8), UInt8($0.0 & 255)] + number($0.1) })
    }

    static let settingsAck = frame(4, 1, 0)

    static func ping(_ payload: String = "12345678") -> [UInt8] { frame(6, 0, 0, Array(payload.utf8)) }

    static func goAway(_ last: UInt32, _ code: UInt32 = 0) -> [UInt8] { frame(7, 0, 0, number(last) + number(code)) }

    static func window(_ stream: UInt32, _ increment: UInt32) -> [UInt8] { frame(8, 0, stream, number(increment)) }

    static func priority(_ stream: UInt32, on parent: UInt32 = 0) -> [UInt8] {
        frame(2, 0, stream, number(parent) + [15])
    }

    /// Whole frames as text, one line each.
    static func lines(_ bytes: [UInt8]) -> [String] {
        var lines: [String] = []
        var rest = bytes[...]
        if rest.starts(with: preface) {
            lines.append("preface")
            rest = rest.dropFirst(preface.count)
        }
        while rest.count >= 9 {
            let header = Array(rest.prefix(9))
            let length = Int(header[0]) << 16 | Int(header[1]) << 8 | Int(header[2])
            lines.append(line(header, Array(rest.dropFirst(9).prefix(length))))
            rest = rest.dropFirst(9 + length)
        }
        precondition(rest.isEmpty, "what a session queues is whole frames")
        return lines
    }

    private static func line(_ header: [UInt8], _ payload: [UInt8]) -> String {
        let stream = read(header, 5)
        let flags = header[4]
        switch header[3] {
        case 0: return "DATA \(stream) \(payload.count)\(flags & 1 == 1 ? " ends" : "")"
        case 1: return "HEADERS \(stream)\(flags & 1 == 1 ? " ends" : "")\(flags & 4 == 0 ? " more" : "")"
        case 3: return "RST_STREAM \(stream) \(name(read(payload, 0)))"
        case 4:
            if flags & 1 == 1 { return "SETTINGS ack" }
            let parameters = stride(from: 0, to: payload.count, by: 6).map {
                "\(Int(payload[$0]) << 8 | Int(payload[$0 + 1]))=\(read(payload, $0 + 2))"
            }
            return "SETTINGS " + parameters.joined(separator: " ")
        case 6: return "PING\(flags & 1 == 1 ? " ack" : "") \(String(decoding: payload, as: UTF8.self))"
        case 7:
            let debug = String(decoding: payload.dropFirst(8), as: UTF8.self)
            return "GOAWAY \(read(payload, 0)) \(name(read(payload, 4)))\(debug.isEmpty ? "" : " " + debug)"
        case 8: return "WINDOW_UPDATE \(stream) \(read(payload, 0))"
        case 9: return "CONTINUATION \(stream)\(flags & 4 == 0 ? " more" : "")"
        default: return "frame \(header[3])"
        }
    }

    private static func name(_ code: UInt32) -> String {
        H2ErrorCode(rawValue: code).map { "\($0)" } ?? "\(code)"
    }

    private static func read(_ bytes: [UInt8], _ offset: Int) -> UInt32 {
        bytes[offset..<offset + 4].reduce(0) { $0 << 8 | UInt32($1) }
    }
}
