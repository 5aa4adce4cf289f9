import Core
import Testing

@testable import HTTP

/// Field lists become heads and heads field lists (RFC 9113 §8), through two sessions and HPACK.
@Suite struct H2HeadsTests {
    private static var limits: H2Limits {
        var limits = H2Limits()
        limits.headBytesMax = 2048
        limits.fieldsMax = 32
        limits.targetBytesMax = 1000
        return limits
    }

    /// A server's session in which the block of stream 1 waits.
    private func server(_ fields: H2Wire.Fields, ends: Bool = true, limits: H2Limits = limits) -> (H2Session, Buffer) {
        let session = H2Session(.server, limits: limits)
        let input = Buffer(capacity: 64)
        session.start()
        input.append((H2Wire.preface + H2Wire.settings() + H2Wire.headers(1, fields, ends: ends)).span)
        #expect(session.next(input, now: .zero) == .settings)
        #expect(session.next(input, now: .zero) == .head(0, isNew: true, ends: ends))
        return (session, input)
    }

    /// A client's session in which the block of stream 1 waits.
    private func client(_ fields: H2Wire.Fields, ends: Bool = true) -> (H2Session, Buffer) {
        let owner = H2Owner(.client, limits: Self.limits)
        owner.request("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n", ends: false)
        let input = Buffer(capacity: 64)
        input.append((H2Wire.settings() + H2Wire.headers(1, fields, ends: ends)).span)
        #expect(owner.session.next(input, now: .zero) == .settings)
        #expect(owner.session.next(input, now: .zero) == .head(0, isNew: true, ends: ends))
        return (owner.session, input)
    }

    /// What `queue` makes a session send on stream 1, as fields.
    private func fields(_ role: H2Session.Role, _ queue: (H2Session, Int) -> Void) -> [String] {
        let session = H2Session(role, limits: H2Limits())
        let slot: Int
        if role == .client {
            slot = session.open()
        } else {
            slot = session.streams.hold(H2Stream(id: 1, flags: [.headed], sendWindow: 65_535))
        }
        queue(session, slot)
        let block = HeaderBlock()
        let output = session.output
        let payload = output.readable.extracting(droppingFirst: 9)
        let kind = output.readable[3]
        #expect(kind == H2Frame.Kind.headers)
        let decoder = HPACKDecoder(tableBytesMax: 4096)
        var position = 0
        var lines: [String] = []
        while let field = try? decoder.next(payload, &position, into: block.storage) {
            let storage = block.storage
            lines.append(
                storage.bytes(field.nameStart..<field.nameStart + field.nameCount).text + ": "
                    + storage.bytes(field.valueStart..<field.valueStart + field.valueCount).text)
        }
        #expect(position == payload.count)
        return lines
    }

    private func parsed(_ text: String) -> RequestHead {
        let head = RequestHead()
        let outcome = try? H1RequestParser.parse(
            Array(text.utf8).span, into: head, limits: ParsedHead.limits, scanned: 0)
        #expect(outcome == .complete(text.utf8.count), "\(text)")
        return head
    }

    private func parsedResponse(_ text: String) -> ResponseHead {
        let head = ResponseHead()
        let outcome = try? H1ResponseParser.parse(
            Array(text.utf8).span, into: head, requestMethod: .get, limits: ParsedHead.limits, scanned: 0)
        #expect(outcome == .complete(text.utf8.count), "\(text)")
        return head
    }

    // MARK: Reading

    @Test func aRequestCanBeWrittenAsHTTP1() throws {
        for (fields, text) in H2HeadsCorpus.requests {
            let (session, _) = server(fields)
            let head = RequestHead()
            try session.decodeRequest(0, into: head)
            #expect(head.version == .http2 && [.none, .length(0)].contains(head.framing) && head.keepAlive)
            head.headers.removeHopByHop()
            let output = Buffer(capacity: 64)
            H1Writer.writeRequest(head, framing: head.framing, into: output)
            #expect(output.text == text)
            // And what was written is understood as the same.
            let again = parsed(text)
            #expect(again.method == head.method && again.targetForm == head.targetForm)
            #expect(again.bytes(again.path).text == head.bytes(head.path).text)
            #expect(again.bytes(again.query).text == head.bytes(head.query).text && again.hasQuery == head.hasQuery)
            #expect(again.bytes(again.authority).text == head.bytes(head.authority).text)
        }
    }

    @Test func aRequestThatIsMalformedSaysWhy() {
        for (what, fields, expected) in H2HeadsCorpus.refusedRequests {
            let (session, input) = server(fields)
            let head = RequestHead()
            head.headers.append(("x" as StaticString).bytes, ("old" as StaticString).bytes)
            #expect(throws: expected, "\(what)") { try session.decodeRequest(0, into: head) }
            #expect(head.headers.fields.isEmpty && head.headers.storage.isEmpty && head.method == .other, "\(what)")
            // The connection is none the worse for it.
            #expect(session.next(input, now: .zero) == .needMore, "\(what)")
        }
    }

    @Test func aRequestsPartsAreFound() throws {
        let head = RequestHead()
        let (session, _) = server(
            [(":method", "POST"), (":path", "/a/b?c=d"), (":scheme", "https"), (":authority", "h:1")]
                + [("content-length", "7"), ("expect", "100-Continue"), ("x-y", "z")], ends: false)
        try session.decodeRequest(0, into: head)
        #expect(head.method == .post && head.bytes(head.methodName).text == "POST" && head.targetForm == .origin)
        #expect(head.bytes(head.target).text == "/a/b?c=d" && head.bytes(head.path).text == "/a/b")
        #expect(head.hasQuery && head.bytes(head.query).text == "c=d" && head.bytes(head.authority).text == "h:1")
        #expect(head.isSecureScheme && head.protocolName.isEmpty && !head.isExtendedConnect)
        #expect(head.framing == .length(7) && head.expectsContinue && head.connection.isEmpty)
        let host = try #require(head.headers.first(.host))
        let headers = head.headers
        let value = headers.value(of: host).text
        #expect(value == "h:1" && head.headers.fields.first?.name == .host)
        #expect(head.headers.fields.count == 4)
    }

    @Test func aBodyWithoutALengthIsSentOnInChunks() throws {
        let head = RequestHead()
        let (session, _) = server(H2Wire.post, ends: false)
        try session.decodeRequest(0, into: head)
        #expect(head.framing == .chunked && !head.expectsContinue)
        let output = Buffer(capacity: 64)
        H1Writer.writeRequest(head, framing: head.framing, into: output)
        #expect(output.text == "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n")
    }

    @Test func anExtendedConnectIsAnUpgradeInHTTP1() throws {
        let head = RequestHead()
        let fields: H2Wire.Fields = [
            (":method", "CONNECT"), (":protocol", "websocket"), (":scheme", "https"), (":path", "/chat?x"),
            (":authority", "a"), ("sec-websocket-version", "13"),
        ]
        let (session, _) = server(fields, ends: false)
        try session.decodeRequest(0, into: head)
        #expect(
            head.isExtendedConnect && head.bytes(head.protocolName).text == "websocket" && head.targetForm == .origin)
        let output = Buffer(capacity: 64)
        H1Writer.writeRequest(head, framing: .none, connection: .upgrade, into: output)
        let rest = "Upgrade: websocket\r\nHost: a\r\nsec-websocket-version: 13\r\nConnection: upgrade\r\n\r\n"
        #expect(output.text == "GET /chat?x HTTP/1.1\r\n" + rest)
        output.clear()
        H1Writer.writeRequest(
            head, target: ("/y" as StaticString).bytes, framing: .none, connection: .upgrade, into: output)
        #expect(output.text == "GET /y HTTP/1.1\r\n" + rest)

        var limits = Self.limits
        limits.allowsExtendedConnect = false
        let (strict, _) = server(fields, limits: limits)
        #expect(throws: HTTPError.malformedPseudoField) { try strict.decodeRequest(0, into: head) }
    }

    @Test func aResponseCanBeWrittenAsHTTP1() throws {
        for (fields, method, text) in H2HeadsCorpus.responses {
            let (session, _) = client(fields)
            let head = ResponseHead()
            try session.decodeResponse(0, into: head, method: method)
            #expect(head.version == .http2 && [.none, .length(0)].contains(head.framing) && head.keepAlive)
            let output = Buffer(capacity: 64)
            H1Writer.writeResponse(head, framing: head.framing, into: output)
            #expect(output.text == text)
        }
    }

    @Test func aResponseThatIsMalformedSaysWhy() {
        for (what, fields, expected) in H2HeadsCorpus.refusedResponses {
            let (session, input) = client(fields)
            let head = ResponseHead()
            #expect(throws: expected, "\(what)") { try session.decodeResponse(0, into: head, method: .get) }
            #expect(head.headers.fields.isEmpty && head.status == 0, "\(what)")
            #expect(session.next(input, now: .zero) == .needMore, "\(what)")
        }
    }

    @Test func aResponsesFramingIsItsLengthOrChunks() throws {
        let head = ResponseHead()
        let (measured, _) = client([(":status", "200"), ("content-length", "9")], ends: false)
        try measured.decodeResponse(0, into: head, method: .get)
        #expect(head.framing == .length(9))
        let (open, _) = client([(":status", "200")], ends: false)
        try open.decodeResponse(0, into: head, method: .get)
        #expect(head.framing == .chunked)
        let (tunnel, _) = client([(":status", "200")], ends: false)
        try tunnel.decodeResponse(0, into: head, method: .connect)
        #expect(head.framing == .untilClose)
        let (empty, _) = client([(":status", "200")], ends: true)
        try empty.decodeResponse(0, into: head, method: .get)
        #expect(head.framing == .length(0))
    }

    @Test func trailersAreLinesWithoutPseudoFields() throws {
        let block = HeaderBlock()
        for (fields, expected) in H2HeadsCorpus.trailers {
            let (session, _) = server(fields)
            try session.decodeTrailers(0, into: block)
            #expect(ParsedHead.lines(of: block) == expected)
        }
        for (what, fields, expected) in H2HeadsCorpus.refusedTrailers {
            let (session, _) = server(fields)
            #expect(throws: expected, "\(what)") { try session.decodeTrailers(0, into: block) }
            #expect(block.fields.isEmpty, "\(what)")
        }
    }

    @Test func aBrokenBlockEndsTheConnection() {
        let session = H2Session(.server, limits: H2Limits())
        let input = Buffer(capacity: 64)
        input.append((H2Wire.preface + H2Wire.settings() + H2Wire.frame(1, 5, 1, [0x82, 0x80])).span)
        _ = session.next(input, now: .zero)
        #expect(session.next(input, now: .zero) == .head(0, isNew: true, ends: true))
        #expect(throws: HTTPError.malformedFieldSection) { try session.decodeRequest(0, into: RequestHead()) }
        #expect(session.next(input, now: .zero) == .failed(.compression))
    }

    // MARK: Writing

    @Test(arguments: [
        (
            "GET /a?b HTTP/1.1\r\nHost: h:1\r\nAccept: x\r\n\r\n",
            ":method: GET|:scheme: http|:authority: h:1|:path: /a?b|accept: x"
        ),
        ("GET http://h/a?b HTTP/1.1\r\nHost: other\r\n\r\n", ":method: GET|:scheme: http|:authority: h|:path: /a?b"),
        ("GET http://h HTTP/1.1\r\nHost: h\r\n\r\n", ":method: GET|:scheme: http|:authority: h|:path: /"),
        ("GET http://h?q HTTP/1.1\r\nHost: h\r\n\r\n", ":method: GET|:scheme: http|:authority: h|:path: /?q"),
        ("OPTIONS http://h HTTP/1.1\r\nHost: h\r\n\r\n", ":method: OPTIONS|:scheme: http|:authority: h|:path: *"),
        ("OPTIONS * HTTP/1.1\r\nHost: h\r\n\r\n", ":method: OPTIONS|:scheme: http|:authority: h|:path: *"),
        ("GET / HTTP/1.0\r\n\r\n", ":method: GET|:scheme: http|:path: /"),
        ("GET / HTTP/1.1\r\nHost:\r\n\r\n", ":method: GET|:scheme: http|:path: /"),
        ("CONNECT h:443 HTTP/1.1\r\nHost: h:443\r\n\r\n", ":method: CONNECT|:authority: h:443"),
        (
            "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\nX-A: 1\r\nx-a: 2\r\nCookie: a=1; b=2\r\n\r\n",
            ":method: POST|:scheme: http|:authority: h|:path: /|content-length: 3|x-a: 1|x-a: 2|cookie: a=1; b=2"
        ),
        (
            "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\nConnection: upgrade\r\nUpgrade: h2c\r\n"
                + "Keep-Alive: 5\r\nProxy-Connection: close\r\nHTTP2-Settings: AA\r\nTE: gzip, trailers\r\nTE: trailers\r\n\r\n",
            ":method: POST|:scheme: http|:authority: h|:path: /|te: trailers"
        ),
        ("GET / HTTP/1.1\r\nHost: h\r\nTE: gzip\r\n\r\n", ":method: GET|:scheme: http|:authority: h|:path: /"),
    ])
    func aRequestOfHTTP1IsSentAsFields(_ text: String, _ expected: String) {
        let head = parsed(text)
        let lines = fields(.client) { $0.queueRequest($1, head, isSecure: false, ends: true) }
        #expect(lines.joined(separator: "|") == expected)
    }

    @Test func whatAFilterChangedIsSent() {
        let head = parsed("GET /a HTTP/1.1\r\nHost: a\r\nX: 1\r\nY: 2\r\n\r\n")
        head.headers.remove(.host)
        head.headers.append(.host, spelled: "Host", ("b" as StaticString).bytes)
        head.headers.remove(named: ("x" as StaticString).bytes)
        head.headers.append(.via, spelled: "Via", ("1.1 p" as StaticString).bytes)
        let lines = fields(.client) {
            $0.queueRequest($1, head, target: ("/new" as StaticString).bytes, isSecure: true, ends: true)
        }
        #expect(lines == [":method: GET", ":scheme: https", ":authority: b", ":path: /new", "y: 2", "via: 1.1 p"])
    }

    @Test func aRequestOfHTTP2IsSentOnAsItCame() throws {
        let sent: H2Wire.Fields = [
            (":method", "CONNECT"), (":scheme", "https"), (":authority", "a"), (":path", "/x"),
            (":protocol", "websocket"),
            ("te", "trailers"), ("x", "1"),
        ]
        let (session, _) = server(sent, ends: false)
        let head = RequestHead()
        try session.decodeRequest(0, into: head)
        let lines = fields(.client) { $0.queueRequest($1, head, isSecure: true, ends: false) }
        #expect(lines == sent.map { "\($0): \($1)" })
    }

    @Test func aSecretStaysOne() {
        // x-key is a literal that must never be indexed (RFC 7541 §6.2.3).
        let block = H2Wire.block(H2Wire.get) + [0x10, 5] + Array("x-key".utf8) + [1, 0x73]
        let owner = H2Owner(.server)
        owner.feed(H2Wire.preface + H2Wire.settings() + H2Wire.frame(1, 5, 1, block))
        let head = owner.requestHead
        let key = head.headers.first(named: ("x-key" as StaticString).bytes)
        #expect(key?.isNeverIndexed == true && head.headers.fields.filter(\.isNeverIndexed).count == 1)
        let session = H2Session(.client, limits: H2Limits())
        session.queueRequest(session.open(), head, isSecure: true, ends: true)
        let output = session.output.text
        #expect(output.contains("\u{10}\u{5}x-key\u{1}s"))
    }

    @Test func aResponseOfHTTP1IsSentAsFields() {
        let head = parsedResponse(
            "HTTP/1.1 200 All right\r\nServer: x\r\nConnection: close\r\nTransfer-Encoding: chunked\r\nSet-Cookie: a\r\n\r\n"
        )
        #expect(
            fields(.server) { $0.queueResponse($1, head, ends: false) } == [
                ":status: 200", "server: x", "set-cookie: a",
            ])
        let empty = parsedResponse("HTTP/1.1 204 None\r\nContent-Length: 0\r\nX: 1\r\n\r\n")
        #expect(fields(.server) { $0.queueResponse($1, empty, ends: true) } == [":status: 204", "x: 1"])
    }

    @Test func trailersAreSentAsFieldsOrAsAnEmptyFrame() {
        let block = HeaderBlock()
        block.append(("X-Sum" as StaticString).bytes, ("1" as StaticString).bytes)
        #expect(fields(.server) { $0.queueTrailers($1, block) } == ["x-sum: 1"])
        block.remove(at: 0)
        let owner = H2Owner(.server)
        owner.feed(H2Wire.preface + H2Wire.settings() + H2Wire.headers(1, ends: true))
        owner.session.queueTrailers(0, block)
        owner.collect()
        #expect(owner.sent.last == "DATA 1 0 ends")
        #expect(owner.session.isClosedOnWire(0))
    }
}
