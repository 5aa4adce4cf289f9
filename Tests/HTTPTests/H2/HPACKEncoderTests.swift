import Core
import Testing

@testable import HTTP

/// What the encoder writes, and that decoders read it.
@Suite struct HPACKEncoderTests {
    private let output = Buffer(capacity: 64)

    /// A block of ordinary fields; pseudo fields go by their names.
    private func block(_ fields: [(String, String)], with encoder: HPACKEncoder) -> [UInt8] {
        output.clear()
        encoder.beginBlock(into: output)
        for (name, value) in fields { append(name, value, with: encoder) }
        return (0..<output.readableCount).map { output.readable[$0] }
    }

    private func append(_ name: String, _ value: String, with encoder: HPACKEncoder) {
        let name = Array(name.utf8)
        let value = Array(value.utf8)
        switch HPACKPseudo(name.span) {
        case .none: encoder.append(HeaderName(name.span), name: name.span, value: value.span, into: output)
        case .status: encoder.append(status: UInt16(String(decoding: value, as: UTF8.self))!, into: output)
        case let pseudo: encoder.append(pseudo, value.span, into: output)
        }
    }

    private func hex(_ bytes: [UInt8]) -> String { bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined() }

    @Test func whatTheStaticTableHoldsIsAByte() {
        let encoder = HPACKEncoder(tableBytesMax: 4096)
        let fields = [
            (":method", "GET"), (":method", "POST"), (":path", "/"), (":path", "/index.html"), (":scheme", "http"),
            (":scheme", "https"), (":status", "200"), (":status", "204"), (":status", "206"), (":status", "304"),
            (":status", "400"), (":status", "404"), (":status", "500"), ("Accept-Encoding", "gzip, deflate"),
            ("Age", ""),
        ]
        #expect(hex(block(fields, with: encoder)) == "828384858687" + "88898a8b8c8d8e" + "9095")
        #expect(encoder.table.count == 0)
    }

    @Test(arguments: HPACKExample.all) func theExamplesOfTheStandardComeBack(_ example: HPACKExample) {
        let encoder = HPACKEncoder(tableBytesMax: 4096)
        encoder.peerAllows(tableBytes: example.tableBytesMax)
        let decoder = HPACKDecoder(tableBytesMax: 4096)
        for round in 0..<3 {
            for block in example.blocks {
                let fields = block.fields.map { Self.split($0.hasPrefix("!") ? String($0.dropFirst()) : $0) }
                let trace = HPACKTrace.decoding(self.block(fields, with: encoder), with: decoder)
                #expect(trace.error == nil)
                #expect(trace.fields.map(Self.withoutMark) == block.fields.map(Self.withoutMark), "round \(round)")
                #expect(decoder.table.contents == encoder.table.contents)
            }
        }
    }

    private static func withoutMark(_ field: String) -> String {
        field.hasPrefix("!") ? String(field.dropFirst()) : field
    }

    private static func split(_ field: String) -> (String, String) {
        let name =
            field.first == ":" ? ":" + field.dropFirst().prefix { $0 != ":" } : String(field.prefix { $0 != ":" })
        return (name, String(field.dropFirst(name.count + 2)))
    }

    /// Checked against the decoder of the Python package `hpack`.
    @Test func aConnectionIsWrittenAsItAlwaysWas() {
        let encoder = HPACKEncoder(tableBytesMax: 4096)
        let request = [
            (":method", "GET"), (":scheme", "https"), (":authority", "api.example.com"), (":path", "/users?id=17"),
            ("User-Agent", "test/1.0"), ("Accept", "application/json"), ("X-Tenant", "Blue"),
            ("Authorization", "Bearer t"),
            ("Cookie", "a=1"), ("Content-Length", "12"),
        ]
        for written in Self.written.dropLast() { #expect(hex(block(request, with: encoder)) == written) }
        encoder.peerAllows(tableBytes: 100)
        encoder.peerAllows(tableBytes: 1000)
        #expect(hex(block(request, with: encoder)) == Self.written.last)
    }

    private static let written = [
        "8287418b1d665cbe474d7415721e9f040c2f75736572733f69643d31370f2b08746573742f312e30538b1d75d0620d26"
            + "3d4c7441ea0008782d74656e616e7404426c75651f080842656172657220741f1103613d310f0d023132",
        "8287bf040c2f75736572733f69643d31377a8649509602b83fbf4086f2b24b50ea4f83bb45a51f080842656172657220"
            + "741f1103613d310f0d023132",
        "8287c1040c2f75736572733f69643d3137bfc0be1f080842656172657220741f1103613d310f0d023132",
        "3f453fc9078287418b1d665cbe474d7415721e9f040c2f75736572733f69643d3137c0538b1d75d0620d263d4c7441ea"
            + "c01f080842656172657220741f1103613d310f0d023132",
    ]

    @Test(arguments: ["authorization", "Proxy-Authorization", "cookie", "Set-Cookie"])
    func credentialsAreNeverIndexedByAnyone(_ name: String) {
        let encoder = HPACKEncoder(tableBytesMax: 4096)
        let decoder = HPACKDecoder(tableBytesMax: 4096)
        for value in ["secret", "secret", "secret", ""] {
            let trace = HPACKTrace.decoding(block([(name, value)], with: encoder), with: decoder)
            #expect(trace.fields == ["!\(name.lowercased()): \(value)"])
        }
        #expect(encoder.table.count == 0)
    }

    @Test func whatCameNeverIndexedGoesOnSo() {
        let encoder = HPACKEncoder(tableBytesMax: 4096)
        let name = Array("Server".utf8)
        encoder.append(.server, name: name.span, value: name.span, isNeverIndexed: true, into: output)
        let trace = HPACKTrace.decoding(output.readable, with: HPACKDecoder(tableBytesMax: 4096))
        #expect(trace.fields == ["!server: Server"])
        #expect(encoder.table.count == 0)
    }

    @Test(arguments: [
        ("content-length", "10"), ("etag", "\"a\""), ("last-modified", "Mon, 21 Oct 2013 20:13:21 GMT"),
        ("location", "/a"),
        ("x-request-id", "1"), (":path", "/a?b"), (":path", "/" + String(repeating: "a", count: 64)),
        ("server", String(repeating: "a", count: 257)), ("x-other", String(repeating: "a", count: 257)),
    ]) func whatChangesOrIsLongIsNotIndexed(_ name: String, _ value: String) {
        let encoder = HPACKEncoder(tableBytesMax: 4096)
        let decoder = HPACKDecoder(tableBytesMax: 4096)
        for _ in 0..<3 {
            let trace = HPACKTrace.decoding(block([(name, value)], with: encoder), with: decoder)
            #expect(trace.fields == ["\(name): \(value)"])
        }
        #expect(encoder.table.count == 0)
    }

    @Test func valuesOfUnknownNamesAreIndexedWhenTheyComeAgain() {
        let encoder = HPACKEncoder(tableBytesMax: 4096)
        for value in 0..<500 { _ = block([("traceparent", "00-\(value)"), ("x-tenant", "blue")], with: encoder) }
        #expect(encoder.table.contents == ["x-tenant: blue"])
        #expect(block([("X-Tenant", "blue")], with: encoder) == [0xBE])
    }

    @Test func theNewestTableSizeIsToldWithTheSmallestBeforeIt() {
        let encoder = HPACKEncoder(tableBytesMax: 4096)
        let expected: [(sizes: [Int], hex: String)] = [
            ([], ""), ([4096], ""), ([65536], ""), ([0], "20"), ([0], ""), ([4096], "3fe11f"), ([0, 4096], "203fe11f"),
            ([100, 50, 200], "3f133fa901"), ([100, 200], "3f453fa901"), ([300, 100], "3f45"), ([20, 300, 10], "2a"),
        ]
        for (sizes, updates) in expected {
            for size in sizes { encoder.peerAllows(tableBytes: size) }
            #expect(hex(block([], with: encoder)) == updates)
        }
        #expect(hex(block([], with: HPACKEncoder(tableBytesMax: 1000))) == "3fc907")
        #expect(hex(block([("server", "a")], with: HPACKEncoder(tableBytesMax: 0))) == "200f270161")
    }

    /// Lists of fields with repeating and new names and values, under table sizes that come and go.
    @Test func randomListsComeBackUnderChangingTableSizes() {
        var random = Random(seed: 62)
        var indexed = 0
        for tableBytesMax in [4096, 700, 120, 0, 16384] {
            let encoder = HPACKEncoder(tableBytesMax: tableBytesMax)
            let decoder = HPACKDecoder(tableBytesMax: 16384)
            for _ in 0..<400 {
                for _ in 0..<Int.random(in: 0...3, using: &random) where Int.random(in: 0..<20, using: &random) == 0 {
                    encoder.peerAllows(tableBytes: .random(in: 0...16384, using: &random))
                }
                let fields = Self.randomFields(&random)
                let block = block(fields, with: encoder)
                let trace = HPACKTrace.decoding(block, with: decoder)
                #expect(trace.error == nil)
                #expect(trace.fields.map(Self.withoutMark) == fields.map { "\($0.0.lowercased()): \($0.1)" })
                #expect(decoder.table.contents == encoder.table.contents)
                #expect(decoder.table.size <= max(tableBytesMax, 0))
                indexed += block.count { $0 >= 0xBE }
            }
        }
        #expect(indexed > 1000)
    }

    private static func randomFields(_ random: inout Random) -> [(String, String)] {
        var fields = [
            (":method", ["GET", "POST", "BREW"].randomElement(using: &random)!),
            (":path", ["/", "/a", "/a?b", "/c/d"].randomElement(using: &random)!),
            (":status", "\(Int.random(in: 100...999, using: &random))"), (":protocol", "websocket"),
        ].shuffled(using: &random)
        let names = [
            "accept", "Server", "X-A", "x-b", "X-Custom-Header-That-Is-Longer-Than-Most", "cookie", "etag",
            "user-agent",
            "VIA", "date", "#", "from",
        ]
        for _ in 0..<Int.random(in: 0...8, using: &random) {
            let count = Bool.random(using: &random) ? 3 : Int.random(in: 0...300, using: &random)
            let repeats = Bool.random(using: &random)
            let value = String(
                decoding: (0..<count).map { index in
                    repeats ? UInt8(97 + (index + count) % 3) : UInt8.random(in: 32...126, using: &random)
                }, as: UTF8.self)
            fields.append((names.randomElement(using: &random)!, value))
        }
        return fields
    }

    @Test func aBusyTableKeepsItsMemory() {
        let encoder = HPACKEncoder(tableBytesMax: 4096)
        #expect(encoder.allocatedBytes == 0)
        _ = block([("server", "a"), ("content-type", "text/plain"), ("vary", "accept")], with: encoder)
        #expect(encoder.allocatedBytes < 1024)
        var allocated = 0
        for round in 0..<20_000 {
            _ = block([("server", "number \(round)")], with: encoder)
            if round == 1000 { allocated = encoder.allocatedBytes }
        }
        #expect(encoder.allocatedBytes == allocated)
        #expect(encoder.table.size > 3900)
    }

    /// As many entries as there is room for (each counts 37 bytes at most), all of which are found again.
    @Test func everyEntryOfAFullTableIsFound() {
        let encoder = HPACKEncoder(tableBytesMax: 4096)
        for last in 0..<700 {
            _ = block([("via", String(last, radix: 36))], with: encoder)
            for value in max(0, last - 109)...last {
                let age = last - value
                let expected = age < 65 ? [0xBE + UInt8(age)] : [0xFF, UInt8(age - 65)]
                if block([("Via", String(value, radix: 36))], with: encoder) != expected {
                    Issue.record("\(value) after \(last)")
                }
            }
        }
    }
}
