import Core
import Testing

@testable import HTTP

@Suite struct H1WriterTests {
    private func request(_ text: String) throws -> RequestHead {
        let head = RequestHead()
        let input = Buffer(text)
        let outcome = try H1RequestParser.parse(input.readable, into: head, limits: ParsedHead.limits, scanned: 0)
        #expect(outcome != .needMore)
        head.headers.removeHopByHop()
        return head
    }

    private func response(_ text: String, to method: HTTP.Method = .get) throws -> ResponseHead {
        let head = ResponseHead()
        let input = Buffer(text)
        let outcome = try H1ResponseParser.parse(
            input.readable, into: head, requestMethod: method, limits: ParsedHead.limits, scanned: 0)
        #expect(outcome != .needMore)
        head.headers.removeHopByHop()
        return head
    }

    private func written(
        _ head: RequestHead, framing: BodyFraming? = nil, connection: ConnectionOptions = []
    ) -> String {
        let output = Buffer(capacity: 16)
        H1Writer.writeRequest(head, framing: framing ?? head.framing, connection: connection, into: output)
        return output.text
    }

    private func written(
        _ head: ResponseHead, framing: BodyFraming? = nil, connection: ConnectionOptions = []
    ) -> String {
        let output = Buffer(capacity: 16)
        H1Writer.writeResponse(head, framing: framing ?? head.framing, connection: connection, into: output)
        return output.text
    }

    @Test func anUntouchedRequestGoesOutAsItCame() throws {
        let text = "GET /a?b HTTP/1.1\r\nhOST:  a \r\nX-B: 1\r\nx-b:2\r\nContent-Length: 04\r\n\r\n"
        #expect(written(try request(text)) == text)
    }

    @Test func anUntouchedResponseGoesOutAsItCame() throws {
        let text = "HTTP/1.1 200 All  right\r\nServer:x\r\nset-cookie: a\r\nSet-Cookie: b\r\ncontent-length: 4\r\n\r\n"
        #expect(written(try response(text)) == text)
    }

    @Test func removedLinesLeaveTheOthersAsTheyWere() throws {
        let head = try request("GET / HTTP/1.1\r\nA: 1\r\nHost: a\r\nB: 2\r\nC: 3\r\n\r\n")
        head.headers.remove(named: ("b" as StaticString).bytes)
        head.headers.append(.via, spelled: "Via", ("1.1 x" as StaticString).bytes)
        #expect(written(head) == "GET / HTTP/1.1\r\nA: 1\r\nHost: a\r\nC: 3\r\nVia: 1.1 x\r\n\r\n")
        head.headers.remove(at: 0)
        #expect(written(head) == "GET / HTTP/1.1\r\nHost: a\r\nC: 3\r\nVia: 1.1 x\r\n\r\n")
    }

    @Test func aTargetIsReplaced() throws {
        let head = try request("GET /old?q HTTP/1.1\r\nHost: a\r\n\r\n")
        let output = Buffer(capacity: 16)
        H1Writer.writeRequest(head, target: ("/new" as StaticString).bytes, framing: .none, into: output)
        #expect(output.text == "GET /new HTTP/1.1\r\nHost: a\r\n\r\n")
    }

    @Test func linesMayBeAddedBeforeTheEnd() throws {
        let head = try request("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        let output = Buffer(capacity: 16)
        H1Writer.openRequest(head, framing: .none, into: output)
        H1Writer.append("Via", "1.1 x", into: output)
        H1Writer.endHead(output)
        #expect(output.text == "GET / HTTP/1.1\r\nHost: a\r\nVia: 1.1 x\r\n\r\n")
    }

    @Test func anAbsoluteTargetIsReducedAndItsAuthorityIsTheHost() throws {
        let cases = [
            ("GET http://a:81/x?y", "GET /x?y"), ("GET http://a:81", "GET /"), ("GET http://a:81?y", "GET /?y"),
            ("OPTIONS http://a:81", "OPTIONS *"), ("OPTIONS http://a:81/", "OPTIONS /"),
            ("GET https://a:81/?", "GET /?"),
        ]
        for (sent, expected) in cases {
            let head = try request("\(sent) HTTP/1.1\r\nX: y\r\nHost: other\r\n\r\n")
            #expect(written(head) == "\(expected) HTTP/1.1\r\nHost: a:81\r\nX: y\r\n\r\n")
        }
    }

    @Test func anHTTP10RequestIsSentAs11WithAHost() throws {
        #expect(written(try request("GET / HTTP/1.0\r\nX: y\r\n\r\n")) == "GET / HTTP/1.1\r\nHost: \r\nX: y\r\n\r\n")
        #expect(written(try request("GET / HTTP/1.0\r\nHost: a\r\n\r\n")) == "GET / HTTP/1.1\r\nHost: a\r\n\r\n")
    }

    @Test func anHTTP10ClientsExpectationIsNotSentOn() throws {
        let head = try request("PUT / HTTP/1.0\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 1\r\n\r\n")
        #expect(written(head) == "PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\n")
    }

    @Test func aHeadOfAnotherCodecIsWrittenWithHostAndChunks() {
        let head = RequestHead()
        let storage = head.headers.storage
        func stored(_ text: String) -> ByteRange {
            defer { storage.append(text) }
            return ByteRange(start: storage.writerIndex, count: text.utf8.count)
        }
        head.version = .http2
        head.method = .post
        head.methodName = stored("POST")
        head.target = stored("/x")
        head.authority = stored("a:1")
        head.framing = .chunked
        head.headers.append(("te" as StaticString).bytes, ("trailers" as StaticString).bytes)
        let expected =
            "POST /x HTTP/1.1\r\nHost: a:1\r\nte: trailers\r\nTransfer-Encoding: chunked\r\nConnection: TE\r\n\r\n"
        #expect(written(head) == expected)
    }

    @Test func framingThatChangesReplacesItsLines() throws {
        let sized = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nX: y\r\n\r\n"
        let start = "POST / HTTP/1.1\r\nHost: a\r\n"
        #expect(written(try request(sized), framing: .chunked) == start + "X: y\r\nTransfer-Encoding: chunked\r\n\r\n")
        #expect(written(try request(sized), framing: .length(5)) == start + "X: y\r\nContent-Length: 5\r\n\r\n")
        #expect(written(try request(sized), framing: BodyFraming.none) == start + "X: y\r\n\r\n")
        let chunked = "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding:chunked\r\n\r\n"
        #expect(written(try request(chunked)) == start + "Transfer-Encoding: chunked\r\n\r\n")
        #expect(written(try request(chunked), framing: .length(0)) == start + "Content-Length: 0\r\n\r\n")
    }

    @Test func connectionSaysOnlyWhatIsNotTheDefault() throws {
        let text = "GET / HTTP/1.1\r\nHost: a\r\nConnection: keep-alive\r\n\r\n"
        let start = "GET / HTTP/1.1\r\nHost: a\r\n"
        #expect(written(try request(text)) == start + "\r\n")
        #expect(written(try request(text), connection: .close) == start + "Connection: close\r\n\r\n")
        #expect(
            written(try request(text), connection: [.close, .upgrade, .keepAlive])
                == start + "Connection: close, keep-alive, upgrade\r\n\r\n")
        #expect(H1Writer.connection(keepAlive: true, for: .http11) == [])
        #expect(H1Writer.connection(keepAlive: true, for: .http10) == .keepAlive)
        #expect(H1Writer.connection(keepAlive: false, for: .http11) == .close)
        #expect(H1Writer.connection(keepAlive: false, for: .http10) == .close)
    }

    @Test func http10ClientsGetNoChunks() throws {
        let chunked = try response("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        #expect(H1Writer.framing(of: chunked, for: .http10) == .untilClose)
        #expect(
            written(chunked, framing: .untilClose, connection: .close) == "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n"
        )
        let endless = try response("HTTP/1.0 200 OK\r\n\r\n")
        #expect(H1Writer.framing(of: endless, for: .http11) == .chunked)
        #expect(H1Writer.framing(of: endless, for: .http10) == .untilClose)
        #expect(written(endless, framing: .chunked) == "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        let sized = try response("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n")
        #expect(H1Writer.framing(of: sized, for: .http10) == .length(3))
    }

    @Test func aStatusLineIsMadeWhole() throws {
        #expect(
            written(try response("HTTP/1.1 200\r\nX: y\r\n\r\n"), framing: .untilClose).hasPrefix(
                "HTTP/1.1 200 OK\r\nX"))
        #expect(written(try response("HTTP/1.0 404 Gone away\r\n\r\n")) == "HTTP/1.1 404 Gone away\r\n\r\n")
        #expect(written(try response("HTTP/1.0 599 \r\n\r\n")) == "HTTP/1.1 599 Unknown\r\n\r\n")
    }

    @Test func lengthsStayWhereTheyDescribeAndGoWhereTheyMislead() throws {
        let length = "Content-Length: 9\r\n\r\n"
        let head = try response("HTTP/1.1 200 OK\r\n\(length)", to: .head)
        #expect(written(head) == "HTTP/1.1 200 OK\r\n\(length)")
        #expect(written(try response("HTTP/1.1 304 No\r\n\(length)")) == "HTTP/1.1 304 No\r\n\(length)")
        #expect(written(try response("HTTP/1.1 204 No\r\n\(length)")) == "HTTP/1.1 204 No\r\n\r\n")
        #expect(written(try response("HTTP/1.1 103 Hints\r\n\(length)")) == "HTTP/1.1 103 Hints\r\n\r\n")
    }

    @Test func aSwitchOfProtocolsKeepsItsUpgrade() throws {
        let head = ResponseHead()
        let input = Buffer("HTTP/1.1 101 S\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n")
        _ = try H1ResponseParser.parse(
            input.readable, into: head, requestMethod: .get, limits: ParsedHead.limits, scanned: 0)
        head.headers.removeHopByHop(keepingUpgrade: true)
        #expect(
            written(head, connection: .upgrade) == "HTTP/1.1 101 S\r\nUpgrade: websocket\r\nConnection: upgrade\r\n\r\n"
        )
    }

    private func own(_ status: UInt16, body: StaticString, isHead: Bool = false, keepAlive: Bool = true) -> String {
        let output = Buffer(capacity: 16)
        H1Writer.openResponse(status: status, into: output)
        H1Writer.append("x-sidecar-reason", "no_route", into: output)
        H1Writer.finishResponse(
            status: status, contentType: "text/plain", body: body.bytes, isHead: isHead,
            connection: H1Writer.connection(keepAlive: keepAlive, for: .http11), into: output)
        return output.text
    }

    @Test func theProxysOwnResponseIsWhole() {
        let head =
            "HTTP/1.1 404 Not Found\r\nx-sidecar-reason: no_route\r\nContent-Type: text/plain\r\nContent-Length: 3\r\n"
        #expect(own(404, body: "no\n") == head + "\r\nno\n")
        #expect(own(404, body: "no\n", isHead: true, keepAlive: false) == head + "Connection: close\r\n\r\n")
        #expect(own(200, body: "") == "HTTP/1.1 200 OK\r\nx-sidecar-reason: no_route\r\nContent-Length: 0\r\n\r\n")
        #expect(own(204, body: "") == "HTTP/1.1 204 No Content\r\nx-sidecar-reason: no_route\r\n\r\n")
    }

    @Test func whatIsWrittenIsUnderstoodAgain() throws {
        for text in RequestCorpus.accepted {
            let head = try request(text)
            let again = try #require(ParsedHead.request(written(head)).head, "\(text)")
            #expect(again.startLine[0...1] == ParsedHead(head).startLine[0...1])
            #expect(again.framing == head.framing)
        }
        for text in ResponseCorpus.accepted {
            let head = try response(text)
            let again = try #require(ParsedHead.response(written(head)).head, "\(text)")
            #expect(again.framing == head.framing)
        }
    }

    @Test func chunksAreWrittenAndDecodedAgain() throws {
        let output = Buffer(capacity: 16)
        H1Writer.beginChunk(26, into: output)
        output.append("abcdefghijklmnopqrstuvwxyz")
        H1Writer.endChunk(output)
        H1Writer.endChunks(into: output)
        #expect(output.text == "1a\r\nabcdefghijklmnopqrstuvwxyz\r\n0\r\n\r\n")
        var decoder = H1BodyDecoder(.chunked)
        #expect(try decoder.decode(in: output, from: 0).payloadCount == 26)
        #expect(decoder.isDone)
    }

    @Test(arguments: [1, 15, 16, 255, 256, 4096]) func aBufferBecomesAChunkInPlace(_ count: Int) {
        for headroom in [0, 2, 3, 20] {
            let buffer = Buffer(capacity: count + headroom)
            buffer.append(String(repeating: "-", count: headroom) + String(repeating: "a", count: count))
            buffer.consume(headroom)
            H1Writer.wrapChunk(buffer)
            #expect(buffer.text == String(count, radix: 16) + "\r\n" + String(repeating: "a", count: count) + "\r\n")
        }
    }
}
