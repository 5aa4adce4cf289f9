import Core
import Testing

@testable import HTTP

@Suite struct HeaderBlockTests {
    /// A block as a parser leaves it.
    private func block(_ lines: String) throws -> HeaderBlock {
        let input = Buffer("HTTP/1.1 200 OK\r\n" + lines + "\r\n")
        let head = ResponseHead()
        _ = try H1ResponseParser.parse(
            input.readable, into: head, requestMethod: .get, limits: ParsedHead.limits, scanned: 0)
        return head.headers
    }

    private func left(_ lines: String, keepingUpgrade: Bool = false) throws -> String {
        let block = try block(lines)
        block.removeHopByHop(keepingUpgrade: keepingUpgrade)
        let output = Buffer(capacity: 16)
        block.write(into: output)
        return output.text
    }

    private func first(_ name: StaticString, in block: HeaderBlock) -> HeaderBlock.Field? {
        block.first(named: name.bytes)
    }

    @Test func fieldsAreFoundByNameUntilTheyAreRemoved() throws {
        let block = try block("A: 1\r\nServer: x\r\na: 2\r\nSERVER: y\r\n")
        #expect(block.value(of: try #require(block.first(.server))).text == "x")
        #expect(block.value(of: try #require(first("A", in: block))).text == "1")
        #expect(block.first(.date) == nil && !block.contains(.date))
        block.remove(at: 1)
        #expect(block.value(of: try #require(block.first(.server))).text == "y")
        block.remove(.server)
        #expect(!block.contains(.server))
        block.remove(named: ("a" as StaticString).bytes)
        #expect(first("A", in: block) == nil)
        #expect(block.fields.count == 4 && block.fields.allSatisfy(\.isRemoved))
    }

    @Test func aBlockThatIsEmptiedHoldsNothing() throws {
        let block = try block("Server: x\r\n")
        block.removeAll()
        #expect(block.fields.isEmpty && !block.contains(.server) && block.storage.isEmpty)
    }

    @Test func hopByHopFieldsGoAndTheRestStaysAsSent() throws {
        let hop =
            "Connection: close\r\nKeep-Alive: timeout=5\r\nProxy-Connection: x\r\nTransfer-Encoding: chunked\r\n"
            + "Upgrade: h2c\r\nHTTP2-Settings: AA\r\nProxy-Authenticate: Basic\r\nProxy-Authorization: x\r\n"
        #expect(try left("A: 1\r\n" + hop + "Trailer: X\r\nb:2\r\n") == "A: 1\r\nTrailer: X\r\nb:2\r\n")
        #expect(try left("A: 1\r\n") == "A: 1\r\n")
    }

    @Test func fieldsNamedByConnectionGo() throws {
        #expect(
            try left("x-hop: 1\r\nA: 1\r\nConnection: X-Hop , , x-two\r\nX-HOP: 2\r\nconnection: a,keep-alive\r\n")
                == "")
    }

    @Test func fieldsOfEndToEndImportanceCannotBeNamedAway() throws {
        let kept = [
            "Host", "Via", "X-Forwarded-For", "x-forwarded-port", "Forwarded", "Authorization", "Cookie",
            "X-Request-ID",
            "Content-Type", "Content-Encoding", "Cache-Control", "X-Real-IP", "traceparent", "Date", "Expect",
        ]
        for name in kept { #expect(try left("\(name): 1\r\nConnection: \(name)\r\n") == "\(name): 1\r\n") }
        #expect(try left("Content-Length: 1\r\nConnection: content-length\r\n") == "Content-Length: 1\r\n")
    }

    @Test func ofTEOnlyTrailersStays() throws {
        #expect(try left("TE: trailers\r\nConnection: te\r\n") == "TE: trailers\r\n")
        #expect(try left("te: gzip;q=0.5, Trailers\r\nA: 1\r\n") == "A: 1\r\nTE: trailers\r\n")
        #expect(try left("te: deflate\r\nA: 1\r\n") == "A: 1\r\n")
        #expect(try left("te: trailers\r\nTE: trailers, gzip\r\n") == "te: trailers\r\n")
    }

    @Test func anUpgradeIsKeptOnDemand() throws {
        let lines = "Upgrade: websocket\r\nConnection: Upgrade, X-Hop\r\nX-Hop: 1\r\n"
        #expect(try left(lines, keepingUpgrade: true) == "Upgrade: websocket\r\n")
        #expect(try left(lines) == "")
    }
}

@Suite struct NamesTests {
    private func name(_ bytes: [UInt8]) -> HeaderName { HeaderName(bytes.span) }

    @Test func everyKnownNameIsRecognisedInAnyCaseAndInAnySurrounding() {
        for known in HeaderName.allCases where known != .other {
            let text = known.lowercased.description
            for spelling in [text, text.uppercased(), "\(text.prefix(1).uppercased())\(text.dropFirst())"] {
                let bytes = Array(spelling.utf8)
                #expect(name(bytes) == known)
                let surrounded = Array("xx\(spelling): value that follows".utf8)
                #expect(HeaderName(in: surrounded.span, from: 2, count: bytes.count) == known)
            }
        }
    }

    @Test func aNameThatDiffersInOneByteIsAnother() {
        for known in HeaderName.allCases where known != .other {
            let original = Array(known.lowercased.description.utf8)
            for position in original.indices {
                var bytes = original
                bytes[position] = bytes[position] == 0x71 ? 0x7A : 0x71
                #expect(name(bytes) == .other, "\(String(decoding: bytes, as: UTF8.self))")
                bytes[position] = original[position] ^ 0x20
                if original[position] < 0x61 { #expect(name(bytes) == .other) }
            }
            #expect(name(original + [0x73]) == .other)
            #expect(name(original.dropLast()) == .other)
        }
        #expect(name([UInt8](repeating: 0x61, count: 100)) == .other)
        #expect(name([]) == .other)
    }

    @Test func methodsAreCaseSensitive() {
        for method in HTTP.Method.allCases where method != .other {
            let name = method.name.description
            #expect(HTTP.Method(Array(name.utf8).span) == method)
            #expect(HTTP.Method(in: Array((name + " / HTTP").utf8).span, count: name.utf8.count) == method)
            #expect(HTTP.Method(Array(name.lowercased().utf8).span) == .other)
            #expect(HTTP.Method(Array((name + "X").utf8).span) == .other)
        }
        #expect(HTTP.Method(Array("_OTHER".utf8).span) == .other)
    }

    @Test func reasonsOfTheProxysOwnStatusesAreKnown() {
        for error in HTTPError.allCases { #expect(Status.reasonPhrase(error.status).description != "Unknown") }
        for status in [502, 503, 504, 508, 499, 429] as [UInt16] {
            #expect(Status.reasonPhrase(status).description != "Unknown")
        }
        #expect(Status.reasonPhrase(299).description == "Unknown")
        #expect(Status.isBodiless(204) && Status.isBodiless(101) && !Status.isBodiless(200))
    }

    @Test func errorKindsAreWordsInSnakeCase() {
        #expect(HTTPError.spaceBeforeColon.kind == "space_before_colon")
        #expect(HTTPError.transferEncodingInHTTP10.kind == "transfer_encoding_in_http10")
    }
}
