import Core
import Testing

@Suite struct JSONWriterTests {
    private func escaped(_ bytes: [UInt8]) -> String {
        let buffer = Buffer(capacity: 8)
        buffer.append(jsonEscaped: bytes.span)
        return buffer.readable.text
    }

    /// What the escaping should be, found the slow way: a character where there is one, otherwise one byte.
    private func expected(_ bytes: [UInt8]) -> String {
        var text = ""
        var position = 0
        scan: while position < bytes.count {
            for length in 1...4 where position + length <= bytes.count {
                let slice = bytes[position..<position + length]
                guard let valid = String(validating: slice, as: UTF8.self), valid.unicodeScalars.count == 1 else {
                    continue
                }
                text += expected(valid.unicodeScalars.first!)
                position += length
                continue scan
            }
            text += "\\ufffd"
            position += 1
        }
        return text
    }

    private func expected(_ scalar: Unicode.Scalar) -> String {
        switch scalar {
        case "\"": return "\\\""
        case "\\": return "\\\\"
        case "\u{8}": return "\\b"
        case "\t": return "\\t"
        case "\n": return "\\n"
        case "\u{C}": return "\\f"
        case "\r": return "\\r"
        case "\0"..."\u{1F}":
            let digits = String(scalar.value, radix: 16)
            return "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
        default: return String(scalar)
        }
    }

    @Test func everyByteIsEscapedRightAtEveryPositionOfAWord() {
        for byte in UInt8.min...UInt8.max {
            for position in 0..<20 {
                var bytes = [UInt8](repeating: 0x61, count: 20)
                bytes[position] = byte
                #expect(escaped(bytes) == expected(bytes))
            }
        }
    }

    @Test func everyPairOfBytesIsEscapedRight() {
        var wrong = 0
        for first in UInt8.min...UInt8.max {
            for second in UInt8.min...UInt8.max
            where escaped([0x61, first, second]) != expected([0x61, first, second]) {
                wrong += 1
            }
        }
        #expect(wrong == 0)
    }

    @Test func randomBytesRichInLeadAndContinuationBytesAreEscapedRight() {
        var random = Random(seed: 7)
        let alphabet: [UInt8] = [
            0x00, 0x1F, 0x20, 0x22, 0x5C, 0x7F, 0x80, 0x8F, 0x90, 0x9F, 0xA0, 0xBF, 0xC0, 0xC1, 0xC2, 0xDF, 0xE0, 0xE1,
            0xED,
            0xEF, 0xF0, 0xF1, 0xF3, 0xF4, 0xF5, 0xFF, 0x61, 0x62,
        ]
        for _ in 0..<5000 {
            let bytes = (0..<Int.random(in: 0...24, using: &random)).map { _ in alphabet.randomElement(using: &random)!
            }
            #expect(escaped(bytes) == expected(bytes))
        }
    }

    @Test func commasStandWhereTheyMust() {
        let buffer = Buffer(capacity: 8)
        var writer = JSONWriter(into: buffer)
        writer.beginObject()
        writer.member("a", UInt64.max)
        writer.member("b", -3)
        writer.key("list")
        writer.beginArray()
        writer.value("x")
        writer.beginArray()
        writer.endArray()
        writer.beginObject()
        writer.endObject()
        writer.null()
        writer.value(true)
        writer.endArray()
        writer.key("quo\"te" as String)
        writer.value(millisecondsOf: 1_234_567)
        writer.member("text", "tab\t" as String)
        writer.key("plain")
        writer.value(unescaped: { $0.append("p") })
        writer.member("last", false)
        writer.endObject()
        #expect(
            buffer.readable.text == """
                {"a":18446744073709551615,"b":-3,"list":["x",[],{},null,true],"quo\\"te":1.234,"text":"tab\\t",\
                "plain":"p","last":false}
                """)
    }
}
