import Core
import Testing

@testable import HTTP

/// A body taken through a decoder in pieces, as a connection would.
private struct DecodedBody: Equatable {
    var payload = ""
    var trailers: [String] = []
    var rest = ""
    var isDone = false
    var consumed = 0
    var error: HTTPError?

    /// Decodes `text`, cut at `cuts`. `taking`: whether payload is taken away after each step or left standing to the
    /// end.
    init(_ framing: BodyFraming, _ text: String, cuts: [Int] = [], taking: Bool = true) {
        let bytes = Array(text.utf8)
        let buffer = Buffer(capacity: 16)
        let block = HeaderBlock()
        var decoder = H1BodyDecoder(framing)
        var standing = 0
        var start = 0
        do throws(HTTPError) {
            for end in cuts + [bytes.count] {
                buffer.append(bytes.span.extracting(start..<end))
                start = end
                let run = try decoder.decode(in: buffer, from: standing, trailers: block)
                consumed += run.consumed
                standing += run.payloadCount
                if taking {
                    payload += buffer.readable.extracting(first: standing).text
                    buffer.consume(standing)
                    standing = 0
                }
            }
        } catch {
            self.error = error
            return
        }
        payload += buffer.readable.extracting(first: standing).text
        rest = buffer.readable.extracting(droppingFirst: standing).text
        trailers = ParsedHead.lines(of: block)
        isDone = decoder.isDone
    }
}

@Suite struct H1BodyDecoderTests {
    private static let bodies = [
        "0\r\n\r\n",
        "5\r\nhello\r\n0\r\n\r\n",
        "5\r\nhello\r\n0\r\n\r\nGET / HTTP/1.1\r\n",
        "1\r\na\r\n2\r\nbc\r\n00000000000000A\r\n0123456789\r\n000\r\n\r\nx",
        "3;name=value;q=\"a b\"\r\nabc\r\n0;last\r\nX-Sum: 5 \r\nY:\r\n\r\nrest",
        "1a\r\nabcdefghijklmnopqrstuvwxyz\r\n0\r\ngrpc-status: 0\r\ngrpc-message: ok\r\n\r\n",
    ]

    private static let refused: [(String, HTTPError)] = [
        ("\r\n", .malformedChunkSize), ("x\r\n", .malformedChunkSize), ("-1\r\n", .malformedChunkSize),
        ("+1\r\n", .malformedChunkSize), ("0x1\r\n", .malformedChunkSize), (" 1\r\n", .malformedChunkSize),
        ("1 \r\na\r\n", .malformedChunkSize), ("1\na\r\n", .malformedChunkSize), ("1\r\ra", .malformedChunkSize),
        ("1\ra", .malformedChunkSize), ("1\t;x\r\n", .malformedChunkSize), (";x\r\n", .malformedChunkSize),
        ("8000000000000000\r\n", .malformedChunkSize), ("FFFFFFFFFFFFFFFF\r\n", .malformedChunkSize),
        ("00000000000000001\r\n", .malformedChunkSize), ("1,2\r\n", .malformedChunkSize),
        ("1;a\nb\r\n", .malformedChunkSize), ("1;a\u{0}\r\n", .malformedChunkSize),
        ("1;\u{7f}\r\n", .malformedChunkSize),
        ("1;a\rb\r\n", .malformedChunkSize),
        ("1;" + String(repeating: "e", count: 257) + "\r\n", .chunkExtensionTooLong),
        ("1\r\nab\r\n", .malformedChunk), ("1\r\na\n", .malformedChunk), ("1\r\na\rb", .malformedChunk),
        ("2\r\na\r\n0\r\n\r\n", .malformedChunk),
        ("0\r\n x: y\r\n\r\n", .malformedTrailer), ("0\r\nx: y\r\n z\r\n\r\n", .malformedTrailer),
        ("0\r\nx : y\r\n\r\n", .malformedTrailer), ("0\r\nx: y\n\r\n", .malformedTrailer),
        ("0\r\nx\r\n\r\n", .malformedTrailer), ("0\r\nx: \u{0}\r\n\r\n", .malformedTrailer),
        ("0\r\n\n", .malformedTrailer),
        ("0\r\n" + String(repeating: "a: b\r\n", count: 65) + "\r\n", .trailersTooLarge),
        ("0\r\nx: " + String(repeating: "y", count: 9000) + "\r\n\r\n", .trailersTooLarge),
    ]

    @Test func aLengthTakesItsBytesAndNoMore() {
        let body = DecodedBody(.length(5), "helloGET /")
        #expect(body.payload == "hello" && body.rest == "GET /" && body.isDone && body.consumed == 5)
        let short = DecodedBody(.length(5), "hel")
        #expect(short.payload == "hel" && !short.isDone)
        let empty = DecodedBody(.length(0), "x")
        #expect(empty.payload == "" && empty.rest == "x" && empty.isDone)
        #expect(DecodedBody(.none, "x").isDone)
    }

    @Test func untilCloseTakesEverythingAndEndsWithTheInput() throws {
        let body = DecodedBody(.untilClose, "anything\r\n", cuts: [3])
        #expect(body.payload == "anything\r\n" && !body.isDone && body.rest == "")
        var decoder = H1BodyDecoder(.untilClose)
        try decoder.inputEnded()
        #expect(decoder.isDone)
    }

    @Test func anEndWithinADelimitedBodyIsPremature() throws {
        for framing in [BodyFraming.length(1), .chunked] {
            var decoder = H1BodyDecoder(framing)
            #expect(throws: HTTPError.prematureEnd) { try decoder.inputEnded() }
        }
        var done = H1BodyDecoder(.length(0))
        try done.inputEnded()
        var none = H1BodyDecoder(.none)
        try none.inputEnded()
    }

    @Test func chunksBecomeOneRunAndWhatFollowsStandsRightBehind() {
        let body = DecodedBody(.chunked, Self.bodies[3])
        #expect(body.payload == "abc0123456789" && body.rest == "x" && body.isDone)
        #expect(body.consumed == Self.bodies[3].utf8.count - 1)
        let buffer = Buffer("4\r\nabcd\r\n3\r\nefg\r\n0\r\n\r\nnext")
        var decoder = H1BodyDecoder(.chunked)
        let run = try? decoder.decode(in: buffer, from: 0)
        #expect(run?.payloadCount == 7)
        #expect(buffer.text == "abcdefgnext")
    }

    @Test func trailersKeepTheirSpellingAndTheDangerousAreDropped() {
        let names = [
            "Content-Length", "transfer-encoding", "HOST", "Connection", "Authorization", "Set-Cookie", "Trailer",
        ]
        let lines = names.map { "\($0): 5\r\n" }.joined()
        let body = DecodedBody(.chunked, "0\r\n\(lines)GRPC-Status: 0\r\n\(lines)\r\n")
        #expect(body.trailers == ["GRPC-Status: 0 (grpcStatus)"])
        #expect(body.isDone && body.rest == "")
    }

    @Test func trailersAreWrittenAsTheyCame() throws {
        let buffer = Buffer("0\r\nX-Sum:  5\t\r\nhost: a\r\nY:\r\n\r\n")
        let block = HeaderBlock()
        var decoder = H1BodyDecoder(.chunked)
        _ = try decoder.decode(in: buffer, from: 0, trailers: block)
        let output = Buffer(capacity: 16)
        H1Writer.endChunks(trailers: block, into: output)
        #expect(output.text == "0\r\nX-Sum:  5\t\r\nY:\r\n\r\n")
    }

    @Test(arguments: bodies) func aChunkedBodyCutAtEveryByteIsTheSame(_ text: String) {
        let whole = DecodedBody(.chunked, text)
        #expect(whole.isDone && whole.error == nil)
        for cut in 0...text.utf8.count {
            #expect(DecodedBody(.chunked, text, cuts: [cut]) == whole, "cut at \(cut)")
            #expect(DecodedBody(.chunked, text, cuts: [cut], taking: false) == whole, "cut at \(cut), left standing")
        }
        #expect(DecodedBody(.chunked, text, cuts: Array(0..<text.utf8.count)) == whole)
        #expect(DecodedBody(.chunked, text, cuts: Array(0..<text.utf8.count), taking: false) == whole)
    }

    @Test(arguments: bodies.filter { $0.utf8.count < 70 })
    func aShortChunkedBodyCutAtEveryPairOfBytesIsTheSame(_ text: String) {
        let whole = DecodedBody(.chunked, text)
        for first in 0...text.utf8.count {
            for second in first...text.utf8.count {
                let taken = DecodedBody(.chunked, text, cuts: [first, second])
                let left = DecodedBody(.chunked, text, cuts: [first, second], taking: false)
                if taken != whole || left != whole { Issue.record("cut at \(first) and \(second)") }
            }
        }
    }

    @Test(arguments: refused)
    func aMalformedChunkedBodyIsRefusedByItsKindHoweverItIsCut(_ text: String, _ error: HTTPError) {
        #expect(DecodedBody(.chunked, text).error == error)
        for cut in stride(from: 0, to: text.utf8.count, by: text.utf8.count > 500 ? 97 : 1) {
            #expect(DecodedBody(.chunked, text, cuts: [cut]).error == error, "cut at \(cut)")
        }
        #expect(DecodedBody(.chunked, text, cuts: Array(0..<text.utf8.count)).error == error)
    }

    @Test func limitsAreTheLastSizesThatPass() {
        let most = "7fffffffffffffff"
        #expect(DecodedBody(.chunked, most + "\r\nabc").payload == "abc")
        #expect(DecodedBody(.chunked, "1;" + String(repeating: "e", count: 256) + "\r\na\r\n0\r\n\r\n").isDone)
        #expect(DecodedBody(.chunked, "0\r\n" + String(repeating: "a: b\r\n", count: 64) + "\r\n").isDone)
        let line = "x: " + String(repeating: "y", count: H1BodyDecoder.trailersBytesMax - 7) + "\r\n\r\n"
        #expect(line.utf8.count == H1BodyDecoder.trailersBytesMax)
        #expect(DecodedBody(.chunked, "0\r\n" + line).isDone)
        #expect(DecodedBody(.chunked, "0\r\ny" + line).error == .trailersTooLarge)
    }

    @Test func everyChangedByteLeavesTheDecoderAlive() {
        for text in Self.bodies {
            for position in text.utf8.indices {
                let offset = text.utf8.distance(from: text.utf8.startIndex, to: position)
                for mark in [0, 10, 13, 0x20, 0x30, 0x39, 0x3A, 0x3B, 0x61, 0x66, 0x7F] as [UInt8] {
                    var bytes = Array(text.utf8)
                    bytes[offset] = mark
                    let changed = String(decoding: bytes, as: UTF8.self)
                    let whole = DecodedBody(.chunked, changed)
                    let cut = DecodedBody(.chunked, changed, cuts: [offset + 1])
                    if cut.error != whole.error || (whole.error == nil && cut != whole) {
                        Issue.record("\(mark) at \(offset) of \(text.debugDescription)")
                    }
                }
            }
        }
    }

    @Test func payloadMayPassTheDecoderBy() throws {
        var decoder = H1BodyDecoder(.length(10))
        #expect(decoder.unframed == 10 && decoder.remaining == 10)
        decoder.skip(4)
        #expect(decoder.remaining == 6 && !decoder.isDone)
        decoder.skip(6)
        #expect(decoder.isDone && decoder.unframed == 0 && decoder.remaining == 0)

        let buffer = Buffer("a\r\n01")
        var chunks = H1BodyDecoder(.chunked)
        _ = try chunks.decode(in: buffer, from: 0)
        #expect(chunks.unframed == 8 && chunks.remaining == nil)
        chunks.skip(8)
        buffer.clear()
        buffer.append("\r\n0\r\n\r\n")
        _ = try chunks.decode(in: buffer, from: 0)
        #expect(chunks.isDone)
        #expect(H1BodyDecoder(.untilClose).unframed == .max)
    }

    @Test func aFirstChunkThatFillsTheBufferIsNotMoved() throws {
        let buffer = Buffer(capacity: 64)
        buffer.append("10\r\n0123456789abcdef")
        var decoder = H1BodyDecoder(.chunked)
        let run = try decoder.decode(in: buffer, from: 0)
        #expect(run == H1BodyDecoder.Run(payloadCount: 16, consumed: 20))
        #expect(buffer.readerIndex == 4 && buffer.text == "0123456789abcdef")
    }
}
