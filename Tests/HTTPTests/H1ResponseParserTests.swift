import Core
import Testing

@testable import HTTP

@Suite struct H1ResponseParserTests {
    private func head(_ text: String, to method: HTTP.Method = .get) throws -> ParsedHead {
        try #require(ParsedHead.response(text, to: method).head)
    }

    @Test(arguments: ResponseCorpus.refused)
    func whatCouldBeReadInTwoWaysIsRefusedByItsKind(_ text: String, _ error: HTTPError) {
        #expect(ParsedHead.response(text + "\r\n\r\n") == .failed(error))
    }

    @Test(arguments: ResponseCorpus.accepted)
    func everyResponseOfTheCorpusIsUnderstood(_ text: String) {
        #expect(ParsedHead.response(text).head != nil)
    }

    @Test func theHeadIsTakenApart() throws {
        let text = "HTTP/1.1 201 Made  it\r\nServer:x\r\ncontent-length: 5\r\n\r\n"
        #expect(ParsedHead.response(text + "hello") == .complete(text.utf8.count, try head(text)))
        let head = try head(text)
        #expect(head.startLine == ["http11", "201", "Made  it"])
        #expect(head.fields == ["Server: x (server)", "content-length: 5 (contentLength)"])
        #expect(head.framing == .length(5))
        #expect(head.keepAlive)
    }

    @Test func aMissingReasonIsForgiven() throws {
        #expect(try head("HTTP/1.1 200\r\n\r\n").startLine == ["http11", "200", ""])
        #expect(try head("HTTP/1.1 200 \r\n\r\n").startLine == ["http11", "200", ""])
    }

    @Test func requestMethodAndStatusDecideWhetherABodyFollows() throws {
        let chunked = "OK\r\nTransfer-Encoding: chunked\r\n\r\n"
        #expect(try head("HTTP/1.1 200 \(chunked)").framing == .chunked)
        #expect(try head("HTTP/1.1 200 \(chunked)", to: .head).framing == .none)
        #expect(try head("HTTP/1.1 200 \(chunked)", to: .connect).framing == .none)
        #expect(try head("HTTP/1.1 407 \(chunked)", to: .connect).framing == .chunked)
        for status in [100, 103, 204, 304] { #expect(try head("HTTP/1.1 \(status) \(chunked)").framing == .none) }
    }

    @Test func aBodyWithoutFramingEndsWithItsConnection() throws {
        let head = try head("HTTP/1.1 200 OK\r\nConnection: keep-alive\r\n\r\n")
        #expect(head.framing == .untilClose)
        #expect(head.keepAlive == false)
        #expect(try self.head("HTTP/1.1 204 None\r\n\r\n").keepAlive)
    }

    @Test func connectionAndKeepAliveSayHowLongTheServerStays() throws {
        let length = "OK\r\nContent-Length: 0\r\n"
        #expect(try head("HTTP/1.1 200 \(length)Connection: close\r\n\r\n").keepAlive == false)
        #expect(try head("HTTP/1.0 200 \(length)\r\n").keepAlive == false)
        let kept = try head("HTTP/1.0 200 \(length)Connection: keep-alive\r\nKeep-Alive: timeout=7, max=9\r\n\r\n")
        #expect(kept.keepAlive)
        #expect(kept.keepAliveTimeout == 7)
        #expect(try head("HTTP/1.1 200 \(length)Keep-Alive: max=9,TIMEOUT=0\r\n\r\n").keepAliveTimeout == 0)
        #expect(try head("HTTP/1.1 200 \(length)Keep-Alive: timeout=x\r\n\r\n").keepAliveTimeout == nil)
        #expect(try head("HTTP/1.1 200 \(length)Keep-Alive: timeout=99999999999\r\n\r\n").keepAliveTimeout == nil)
        #expect(try head("HTTP/1.1 200 \(length)Keep-Alive: timeout=\r\n\r\n").keepAliveTimeout == nil)
    }

    @Test func aSwitchOfProtocolsIsToldFromOtherInterimResponses() throws {
        let input = Buffer("HTTP/1.1 101 X\r\n\r\n")
        let head = ResponseHead()
        _ = try H1ResponseParser.parse(
            input.readable, into: head, requestMethod: .get, limits: ParsedHead.limits, scanned: 0)
        #expect(head.isSwitchingProtocols && head.isInformational)
    }

    @Test func limitsHoldForResponses() {
        let text = "HTTP/1.1 200 OK\r\nA: b\r\nC: d\r\n\r\n"
        func outcome(_ line: Int, _ bytes: Int, _ fields: Int) -> ParsedHead.Outcome {
            ParsedHead.response(
                text, limits: HeadLimits(startLineBytesMax: line, headBytesMax: bytes, fieldsMax: fields))
        }
        #expect(outcome(15, text.utf8.count, 2).head != nil)
        #expect(outcome(14, text.utf8.count, 2) == .failed(.headTooLarge))
        #expect(outcome(15, text.utf8.count - 1, 2) == .failed(.headTooLarge))
        #expect(outcome(15, text.utf8.count, 1) == .failed(.tooManyFields))
    }
}
