import Core
import Testing

@testable import HTTP

@Suite struct H1RequestParserTests {
    private func head(_ text: String) throws -> ParsedHead { try #require(ParsedHead.request(text).head) }

    @Test(arguments: RequestCorpus.refused)
    func whatCouldBeReadInTwoWaysIsRefusedByItsKind(_ text: String, _ error: HTTPError) {
        #expect(ParsedHead.request(text + "\r\n\r\n") == .failed(error))
    }

    @Test(arguments: RequestCorpus.accepted)
    func everyRequestOfTheCorpusIsUnderstood(_ text: String) {
        #expect(ParsedHead.request(text).head != nil)
    }

    @Test func theHeadIsTakenApart() throws {
        let text = "\r\nPOST /a/b?c=d?e HTTP/1.1\r\nHost: shop:80\r\nX-A:  b \r\ncontent-length: 5\r\n\r\nhello"
        let outcome = ParsedHead.request(text)
        guard case .complete(let count, let head) = outcome else {
            Issue.record("\(outcome)")
            return
        }
        #expect(count == text.utf8.count - 5)
        #expect(head.startLine == ["post", "POST", "/a/b?c=d?e", "http11", "shop:80", "/a/b", "c=d?e"])
        #expect(head.fields == ["Host: shop:80 (host)", "X-A: b (other)", "content-length: 5 (contentLength)"])
        #expect(head.framing == .length(5))
        #expect(head.keepAlive)
    }

    @Test func theAuthorityOfAnAbsoluteTargetWinsOverHost() throws {
        let head = try head("GET http://a.b:81?x HTTP/1.1\r\nHost: other\r\n\r\n")
        #expect(head.form == .absolute)
        #expect(head.startLine == ["get", "GET", "http://a.b:81?x", "http11", "a.b:81", "", "x"])
    }

    @Test func connectHasAnAuthorityAndNoPath() throws {
        let head = try head("CONNECT [::1]:443 HTTP/1.1\r\nHost: x\r\n\r\n")
        #expect(head.form == .authority)
        #expect(head.startLine == ["connect", "CONNECT", "[::1]:443", "http11", "[::1]:443", "", "-"])
    }

    @Test func anEmptyHostIsAllowedAndABareQuestionMarkIsAQuery() throws {
        let head = try head("GET /? HTTP/1.1\r\nHost:\r\n\r\n")
        #expect(head.startLine == ["get", "GET", "/?", "http11", "", "/", ""])
    }

    @Test func http10ClosesUnlessAskedToStay() throws {
        #expect(try head("GET / HTTP/1.0\r\n\r\n").keepAlive == false)
        #expect(try head("GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n").keepAlive)
        #expect(try head("GET / HTTP/1.0\r\nConnection: keep-alive, close\r\n\r\n").keepAlive == false)
        #expect(try head("GET / HTTP/1.1\r\nHost: a\r\nConnection: x\r\nConnection: CLOSE\r\n\r\n").keepAlive == false)
    }

    @Test func connectionOptionsAreToldApart() throws {
        let head = try head("GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade, HTTP2-Settings\r\n\r\n")
        #expect(head.connection == [.upgrade, .other])
    }

    @Test func expectationHoldsOnlyWithABodyToCome() throws {
        let expect = "Host: a\r\nExpect: 100-continue\r\n"
        #expect(try head("POST / HTTP/1.1\r\n\(expect)Content-Length: 1\r\n\r\n").expectsContinue)
        #expect(try head("POST / HTTP/1.1\r\n\(expect)Transfer-Encoding: chunked\r\n\r\n").expectsContinue)
        #expect(try head("POST / HTTP/1.1\r\n\(expect)Content-Length: 0\r\n\r\n").expectsContinue == false)
        #expect(try head("POST / HTTP/1.1\r\n\(expect)\r\n").expectsContinue == false)
        #expect(try head("POST / HTTP/1.0\r\n\(expect)Content-Length: 1\r\n\r\n").expectsContinue == false)
    }

    @Test func framingComesFromTheFields() throws {
        #expect(try head("GET / HTTP/1.1\r\nHost: a\r\n\r\n").framing == .none)
        #expect(try head("GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 007\r\n\r\n").framing == .length(7))
        #expect(try head("GET / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n").framing == .chunked)
        let most = try head("GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 9223372036854775807\r\n\r\n")
        #expect(most.framing == .length(UInt64(Int64.max)))
    }

    @Test func aHandshakeOnAPlainPortIsRefusedByItsFirstByte() {
        #expect(ParsedHead.request("\u{16}") == .failed(.malformedStartLine))
    }

    @Test func theFirstImpossibleByteDecides() {
        #expect(ParsedHead.request("GET / HTTP/1.1\r\nHost: a b\r\n") == .failed(.malformedHost))
        #expect(ParsedHead.request("GET / HTTP/1.1\r\nHost: a\r\nX:\u{0}") == .failed(.nulByte))
        #expect(ParsedHead.request("GET / HTTX") == .failed(.malformedStartLine))
        #expect(ParsedHead.request("GET / HTTP/1.1\r\nHost: a\r\nX: y\r\n") == .needMore)
    }

    @Test func aLimitIsTheLastSizeThatPasses() {
        let text = "GET /1234 HTTP/1.1\r\nHost: a\r\nB: c\r\n\r\n"
        let line = 18
        func outcome(_ line: Int, _ bytes: Int, _ fields: Int) -> ParsedHead.Outcome {
            ParsedHead.request(
                text, limits: HeadLimits(startLineBytesMax: line, headBytesMax: bytes, fieldsMax: fields))
        }
        #expect(outcome(line, text.utf8.count, 2).head != nil)
        #expect(outcome(line - 1, text.utf8.count, 2) == .failed(.targetTooLong))
        #expect(outcome(line, text.utf8.count - 1, 2) == .failed(.headTooLarge))
        #expect(outcome(line, text.utf8.count, 1) == .failed(.tooManyFields))
    }

    @Test func aLimitIsNoticedWhenItIsPassedNotLater() {
        let limits = HeadLimits(startLineBytesMax: 20, headBytesMax: 60, fieldsMax: 10)
        #expect(ParsedHead.request("GET /" + String(repeating: "a", count: 16), limits: limits) == .needMore)
        #expect(
            ParsedHead.request("GET /" + String(repeating: "a", count: 17), limits: limits) == .failed(.targetTooLong))
        let start = "GET / HTTP/1.1\r\nHost: a\r\nX: "
        let long = start + String(repeating: "a", count: 60 - start.utf8.count - 1)
        #expect(ParsedHead.request(long, limits: limits) == .needMore)
        #expect(ParsedHead.request(long + "a", limits: limits) == .failed(.headTooLarge))
    }

    @Test func aReusedHeadForgetsTheFormerRequest() throws {
        let head = RequestHead()
        let first = Buffer("POST /x?y HTTP/1.0\r\nHost: b\r\nConnection: keep-alive\r\nContent-Length: 3\r\n\r\n")
        let second = Buffer("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        _ = try H1RequestParser.parse(first.readable, into: head, limits: ParsedHead.limits, scanned: 0)
        _ = try H1RequestParser.parse(second.readable, into: head, limits: ParsedHead.limits, scanned: 0)
        #expect(ParsedHead.request(second.text) == .complete(27, ParsedHead(head)))
    }

    @Test func anUnfinishedOrRefusedHeadIsLeftEmpty() {
        let head = RequestHead()
        for text in ["GET / HTTP/1.1\r\nHost: a\r\n", "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n"] {
            let input = Buffer(text)
            _ = try? H1RequestParser.parse(input.readable, into: head, limits: ParsedHead.limits, scanned: 0)
            #expect(head.headers.fields.isEmpty)
            #expect(head.method == .other)
        }
    }

    @Test func aHeadThatComesByteByByteCostsLinearTime() {
        // 64 KiB in single bytes: quadratic work would be two thousand million steps.
        let limits = HeadLimits(startLineBytesMax: 16384, headBytesMax: 65536, fieldsMax: 10)
        let head = RequestHead()
        let input = Buffer(capacity: 70000)
        input.append("GET / HTTP/1.1\r\nHost: a\r\nX: ")
        var scanned = 0
        var refused: HTTPError?
        while refused == nil, input.readableCount < 70000 {
            do throws(HTTPError) {
                let outcome = try H1RequestParser.parse(input.readable, into: head, limits: limits, scanned: scanned)
                #expect(outcome == .needMore)
            } catch {
                refused = error
            }
            scanned = input.readableCount
            input.append(0x61)
        }
        #expect(refused == .headTooLarge)
        #expect(scanned == 65536)
    }
}
