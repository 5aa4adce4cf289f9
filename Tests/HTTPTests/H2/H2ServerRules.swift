@testable import HTTP

/// What a server must do with what a client sends. Preface and SETTINGS were exchanged before, but for `openings`.
enum H2ServerRules {
    private typealias W = H2Wire

    private static let selfDependent = W.number(1) + [15]
    private static let whole = W.block(W.get)
    private static let long = [("x", String(repeating: "v", count: 100))]

    /// The connection's very first bytes.
    static let openings: [H2Rule] = [
        H2Rule("3.4", "preface and empty SETTINGS", W.preface + W.settings(), .fine(["settings"])),
        H2Rule(
            "3.4", "preface and SETTINGS with values", W.preface + W.settings([(3, 7), (4, 100)]), .fine(["settings"])),
        H2Rule("3.4", "another protocol", Array("GET / HTTP/1.1\r\nHost: a\r\n\r\n".utf8), .connection(.badPreface)),
        H2Rule(
            "3.4", "a preface that ends otherwise", W.preface.dropLast(2) + Array("\n\n".utf8), .connection(.badPreface)
        ),
        H2Rule("3.4", "no preface", W.settings(), .connection(.badPreface)),
        H2Rule("3.4", "HEADERS before SETTINGS", W.preface + W.headers(1, ends: true), .connection(.badPreface)),
        H2Rule("3.4", "PING before SETTINGS", W.preface + W.ping(), .connection(.badPreface)),
        H2Rule("3.4", "an acknowledgement before SETTINGS", W.preface + W.settingsAck, .connection(.badPreface)),
        H2Rule("3.4", "DATA before SETTINGS", W.preface + W.data(1, "x"), .connection(.badPreface)),
        H2Rule("3.4", "an unknown frame before SETTINGS", W.preface + W.frame(99, 0, 0), .connection(.badPreface)),
        H2Rule("3.4", "the preface twice", W.preface + W.settings() + W.preface, .connection(.frameTooLarge)),
    ]

    static let all: [H2Rule] = framing + states + data + headers + control + windows + messages

    private static let framing: [H2Rule] = [
        H2Rule("4.1", "an unknown frame on the connection", W.frame(99, 0xFF, 0, [1, 2, 3]), .fine()),
        H2Rule("4.1", "an unknown frame on an idle stream", W.frame(99, 0xFF, 77, [1, 2, 3]), .fine()),
        H2Rule("4.1", "unknown flags", W.frame(6, 0xFE, 0, Array("12345678".utf8)), .fine()),
        H2Rule(
            "4.1", "the reserved bit", W.frame(1, 5, 0x8000_0001, whole),
            .fine(["settings", "request 1 GET / none ends"])),
        H2Rule(
            "4.2", "a frame of 16,384 bytes", W.headers(1, W.post) + W.data(1, count: 16_384, ends: true),
            .fine(["settings", "request 1 POST / chunked", "data 1 16384 ends"])),
        H2Rule(
            "4.2", "a frame of 16,385 bytes", W.headers(1, W.post) + W.data(1, count: 16_385),
            .connection(.frameTooLarge)),
        H2Rule("4.2", "HEADERS of 16,385 bytes", W.frame(1, 5, 1, length: 16_385), .connection(.frameTooLarge)),
        H2Rule("4.2", "an unknown frame too large", W.frame(99, 0, 0, length: 16_385), .connection(.frameTooLarge)),
        H2Rule("4.3", "an index that names nothing", W.frame(1, 5, 1, [0x80]), .connection(.compression)),
        H2Rule("4.3", "an index beyond the table", W.frame(1, 5, 1, [0xFE]), .connection(.compression)),
        H2Rule("4.3", "a block that ends within a field", W.frame(1, 5, 1, [0, 5, 0x78]), .connection(.compression)),
        H2Rule(
            "4.3", "a table size update at the end", W.frame(1, 5, 1, whole + [0x20]), .connection(.compression)),
        H2Rule(
            "4.3", "a table larger than allowed", W.frame(1, 5, 1, [0x3F, 0xE2, 0x1F] + whole),
            .connection(.compression)),
        H2Rule(
            "4.3", "a broken block on a stream that was reset",
            W.headers(1, [("Upper", "x")]) + W.frame(1, 5, 1, [0x80]), .connection(.compression)),
        H2Rule(
            "4.3", "a malformed head leaves the table as it must",
            // The first block adds `x: y` to the table and is malformed; the second one refers to it.
            W.frame(1, 5, 1, [0x40, 1, 0x58, 1, 0x79, 0x40, 1, 0x78, 1, 0x79]) + W.frame(1, 5, 3, whole + [0xBE]),
            .stream(1, .protocolError)),
    ]

    private static let states: [H2Rule] = [
        H2Rule("5.1", "DATA on an idle stream", W.data(1, "x"), .connection(.unexpectedStream)),
        H2Rule("5.1", "RST_STREAM on an idle stream", W.reset(1), .connection(.unexpectedStream)),
        H2Rule("5.1", "WINDOW_UPDATE on an idle stream", W.window(1, 1), .connection(.unexpectedStream)),
        H2Rule("5.1", "CONTINUATION on an idle stream", W.continuation(1, W.get), .connection(.unexpectedContinuation)),
        H2Rule("5.1", "PRIORITY on an idle stream", W.priority(7), .fine()),
        H2Rule(
            "5.1", "DATA after the request's end", W.headers(1, ends: true) + W.data(1, "x"), .stream(1, .streamClosed)),
        H2Rule(
            "5.1", "HEADERS after the request's end", W.headers(1, ends: true) + W.headers(1, W.trailers, ends: true),
            .stream(1, .streamClosed)),
        H2Rule(
            "5.1", "DATA after END_STREAM in DATA", W.headers(1, W.post) + W.data(1, ends: true) + W.data(1),
            .stream(1, .streamClosed)),
        H2Rule("5.1", "WINDOW_UPDATE after the request's end", W.headers(1, ends: true) + W.window(1, 5), .fine()),
        H2Rule("5.1", "PRIORITY after the request's end", W.headers(1, ends: true) + W.priority(1, on: 3), .fine()),
        H2Rule(
            "5.1", "RST_STREAM after the request's end", W.headers(1, ends: true) + W.reset(1),
            .fine(["settings", "request 1 GET / none ends", "reset 1 cancel"])),
        H2Rule(
            "5.1", "DATA on a stream that both ended", W.headers(1, ends: true) + W.data(1, "x"),
            .connection(.streamClosed),
            responds: true),
        H2Rule(
            "5.1", "HEADERS on a stream that both ended", W.headers(1, ends: true) + W.headers(1, ends: true),
            .connection(.streamClosed), responds: true),
        H2Rule(
            "5.1", "WINDOW_UPDATE on a stream that both ended", W.headers(1, ends: true) + W.window(1, 9), .fine(),
            responds: true),
        H2Rule(
            "5.1", "a zero WINDOW_UPDATE on a stream that both ended", W.headers(1, ends: true) + W.window(1, 0),
            .fine(),
            responds: true),
        H2Rule(
            "5.1", "RST_STREAM on a stream that both ended", W.headers(1, ends: true) + W.reset(1), .fine(),
            responds: true),
        H2Rule(
            "5.1", "PRIORITY on a stream that both ended", W.headers(1, ends: true) + W.priority(1), .fine(),
            responds: true),
        H2Rule(
            "5.1", "DATA after the peer's RST_STREAM", W.headers(1) + W.reset(1) + W.data(1, "x"),
            .connection(.streamClosed)),
        H2Rule(
            "5.1", "HEADERS after the peer's RST_STREAM", W.headers(1) + W.reset(1) + W.headers(1),
            .connection(.streamClosed)),
        H2Rule("5.1", "RST_STREAM twice", W.headers(1) + W.reset(1) + W.reset(1), .fine()),
        H2Rule(
            "5.1", "DATA on a stream that we reset", W.headers(1, [(":method", "GET")]) + W.data(1, "x", ends: true),
            .stream(1, .protocolError)),
        H2Rule(
            "5.1", "HEADERS on a stream that we reset",
            W.headers(1, [(":method", "GET")]) + W.headers(1, W.trailers, ends: true) + W.headers(3, ends: true),
            .stream(1, .protocolError)),
        H2Rule(
            "5.1", "RST_STREAM on a stream that we reset", W.headers(1, [(":method", "GET")]) + W.reset(1),
            .stream(1, .protocolError)),
        H2Rule("5.1.1", "HEADERS on an even stream", W.headers(2, ends: true), .connection(.unexpectedStream)),
        H2Rule("5.1.1", "DATA on an even stream", W.data(2), .connection(.unexpectedStream)),
        H2Rule("5.1.1", "RST_STREAM on an even stream", W.headers(5) + W.reset(2), .connection(.unexpectedStream)),
        H2Rule(
            "5.1.1", "a number below one that was used", W.headers(5, ends: true) + W.headers(3, ends: true),
            .connection(.unexpectedStream)),
        H2Rule(
            "5.1.1", "DATA on a number that was left out", W.headers(5) + W.data(3, "x"), .connection(.unexpectedStream)
        ),
        H2Rule("5.1.1", "WINDOW_UPDATE on a number that was left out", W.headers(5) + W.window(3, 1), .fine()),
        H2Rule(
            "5.1.1", "numbers may be left out", W.headers(3, ends: true) + W.headers(0x7FFF_FFFF, ends: true),
            .fine(["settings", "request 3 GET / none ends", "request 2147483647 GET / none ends"])),
        H2Rule(
            "5.1.2", "one stream more than allowed", W.headers(1) + W.headers(3) + W.headers(5) + W.headers(7),
            .stream(7, .refusedStream)),
        H2Rule(
            "5.1.2", "what comes for a refused stream",
            W.headers(1) + W.headers(3) + W.headers(5) + W.headers(7, W.post) + W.data(7, "x")
                + W.headers(7, W.trailers, ends: true),
            .stream(7, .refusedStream)),
        H2Rule(
            "5.1.2", "a stream makes room when it ends",
            W.headers(1) + W.headers(3) + W.headers(5) + W.reset(3) + W.headers(7), .fine()),
        H2Rule(
            "5.3", "HEADERS that depend on themselves", W.frame(1, 0x25, 1, selfDependent + whole),
            .stream(1, .protocolError)),
        H2Rule("5.3", "PRIORITY on itself", W.headers(1) + W.priority(1, on: 1), .stream(1, .protocolError)),
        H2Rule("5.3", "PRIORITY of an idle stream on itself", W.priority(9, on: 9), .connection(.unexpectedStream)),
        H2Rule(
            "5.5", "an unknown frame within a header block", W.headers(1, whole: false) + W.frame(99, 0, 1),
            .connection(.headersInterrupted)),
        H2Rule("5.5", "unknown SETTINGS", W.settings([(0xABCD, 7)]), .fine()),
        H2Rule("9218 7.1", "PRIORITY_UPDATE", W.frame(16, 0, 0, W.number(1) + Array("u=1".utf8)), .fine()),
    ]

    private static let data: [H2Rule] = [
        H2Rule("6.1", "DATA on stream 0", W.data(0, "x"), .connection(.unexpectedStream)),
        H2Rule(
            "6.1", "padding", W.headers(1, W.post) + W.padded(1, "abc", padding: 5, ends: true),
            .fine(["settings", "request 1 POST / chunked", "data 1 3 ends"])),
        H2Rule(
            "6.1", "nothing but padding", W.headers(1, W.post) + W.padded(1, "", padding: 5, ends: true),
            .fine(["settings", "request 1 POST / chunked", "data 1 0 ends"])),
        H2Rule(
            "6.1", "padding as long as the payload", W.headers(1, W.post) + W.frame(0, 8, 1, [3, 0, 0, 0]), .fine()),
        H2Rule(
            "6.1", "padding longer than the payload", W.headers(1, W.post) + W.frame(0, 8, 1, [4, 0, 0, 0]),
            .connection(.paddingTooLong)),
        H2Rule("6.1", "padded without a length", W.headers(1, W.post) + W.frame(0, 8, 1), .connection(.frameSizeWrong)),
        H2Rule(
            "6.1", "DATA within a header block", W.headers(1, W.post, whole: false) + W.data(1, "x"),
            .connection(.headersInterrupted)),
        H2Rule("6.1", "empty DATA", W.headers(1, W.post) + W.data(1) + W.data(1, "a") + W.data(1), .fine()),
    ]

    private static let headers: [H2Rule] = [
        H2Rule("6.2", "HEADERS on stream 0", W.headers(0), .connection(.unexpectedStream)),
        H2Rule(
            "6.2", "padding and priority", W.frame(1, 0x2D, 1, [2] + W.number(3) + [9] + whole + [0, 0]),
            .fine(["settings", "request 1 GET / none ends"])),
        H2Rule("6.2", "padding longer than the block", W.frame(1, 0x0D, 1, [9, 0x82]), .connection(.paddingTooLong)),
        H2Rule("6.2", "padded without a length", W.frame(1, 0x0D, 1), .connection(.frameSizeWrong)),
        H2Rule("6.2", "priority cut short", W.frame(1, 0x25, 1, [0, 0, 0]), .connection(.frameSizeWrong)),
        H2Rule(
            "6.2", "padding that leaves no room for priority", W.frame(1, 0x2D, 1, [3, 0, 0, 0, 0, 0, 0]),
            .connection(.frameSizeWrong)),
        H2Rule(
            "6.2", "HEADERS of another stream within a block", W.headers(1, whole: false) + W.headers(3),
            .connection(.headersInterrupted)),
        H2Rule(
            "6.2", "HEADERS within their own block", W.headers(1, whole: false) + W.headers(1),
            .connection(.headersInterrupted)),
        H2Rule("6.2", "an empty block", W.frame(1, 5, 1), .stream(1, .protocolError)),
        H2Rule(
            "6.6", "PUSH_PROMISE from a client", W.headers(1) + W.frame(5, 4, 1, W.number(2)),
            .connection(.pushUnexpected)),
        H2Rule(
            "6.10", "a block in three frames",
            W.headers(1, ends: true, whole: false) + W.continuation(1, long, whole: false) + W.continuation(1, long),
            .fine(["settings", "request 1 GET / none ends"])),
        H2Rule(
            "6.10", "a field cut by CONTINUATION",
            W.frame(1, 1, 1, Array(whole.prefix(9))) + W.frame(9, 4, 1, Array(whole.dropFirst(9))),
            .fine(["settings", "request 1 GET / none ends"])),
        H2Rule("6.10", "an empty CONTINUATION", W.headers(1, whole: false) + W.continuation(1, []), .fine()),
        H2Rule(
            "6.10", "CONTINUATION without HEADERS", W.headers(1) + W.continuation(1, long),
            .connection(.unexpectedContinuation)),
        H2Rule(
            "6.10", "CONTINUATION after one that ended the block",
            W.headers(1, whole: false) + W.continuation(1, long) + W.continuation(1, long),
            .connection(.unexpectedContinuation)),
        H2Rule(
            "6.10", "CONTINUATION on stream 0", W.headers(1, whole: false) + W.continuation(0, long),
            .connection(.headersInterrupted)),
        H2Rule(
            "6.10", "CONTINUATION on stream 0 without HEADERS", W.continuation(0, long), .connection(.unexpectedStream)),
        H2Rule(
            "6.10", "CONTINUATION of another stream", W.headers(1, whole: false) + W.continuation(3, long),
            .connection(.headersInterrupted)),
        H2Rule("6.10", "PING within a block", W.headers(1, whole: false) + W.ping(), .connection(.headersInterrupted)),
        H2Rule(
            "6.10", "SETTINGS within a block", W.headers(1, whole: false) + W.settings(),
            .connection(.headersInterrupted)),
        H2Rule(
            "6.10", "too many CONTINUATIONs",
            W.headers(1, whole: false) + (0..<9).flatMap { _ in W.continuation(1, [], whole: false) },
            .connection(.continuationFlood)),
        H2Rule(
            "6.10", "a block far beyond the limit",
            W.headers(1, whole: false)
                + (0..<8).flatMap { _ in W.continuation(1, [("x", String(repeating: "v", count: 16_000))], whole: false)
                },
            .connection(.headerBlockTooLarge)),
    ]

    private static let control: [H2Rule] = [
        H2Rule("6.3", "PRIORITY on stream 0", W.priority(0), .connection(.unexpectedStream)),
        H2Rule(
            "6.3", "PRIORITY of 4 bytes", W.headers(1) + W.frame(2, 0, 1, [0, 0, 0, 0]), .stream(1, .frameSizeError)),
        H2Rule(
            "6.3", "PRIORITY of 6 bytes on an idle stream", W.frame(2, 0, 1, [0, 0, 0, 0, 0, 0]),
            .connection(.frameSizeWrong)),
        H2Rule("6.4", "RST_STREAM on stream 0", W.reset(0), .connection(.unexpectedStream)),
        H2Rule(
            "6.4", "RST_STREAM of 3 bytes", W.headers(1) + W.frame(3, 0, 1, [0, 0, 0]), .connection(.frameSizeWrong)),
        H2Rule(
            "6.4", "RST_STREAM", W.headers(1, W.post) + W.reset(1, 5),
            .fine(["settings", "request 1 POST / chunked", "reset 1 streamClosed"])),
        H2Rule(
            "7", "an unknown code", W.headers(1, W.post) + W.reset(1, 0xFFFF),
            .fine(["settings", "request 1 POST / chunked", "reset 1 internalError"])),
        H2Rule("6.5", "SETTINGS on a stream", W.frame(4, 0, 1), .connection(.unexpectedStream)),
        H2Rule("6.5", "SETTINGS of 5 bytes", W.frame(4, 0, 0, [0, 3, 0, 0, 0]), .connection(.frameSizeWrong)),
        H2Rule(
            "6.5", "an acknowledgement with payload", W.frame(4, 1, 0, [0, 3, 0, 0, 0, 0]), .connection(.frameSizeWrong)
        ),
        H2Rule("6.5", "an acknowledgement that nobody asked for", W.settingsAck + W.settingsAck, .fine()),
        H2Rule("6.5.2", "ENABLE_PUSH 1", W.settings([(2, 1)]), .fine()),
        H2Rule("6.5.2", "ENABLE_PUSH 2", W.settings([(2, 2)]), .connection(.settingsInvalid)),
        H2Rule(
            "6.5.2", "INITIAL_WINDOW_SIZE 2^31 - 1", W.settings([(4, 0x7FFF_FFFF)]),
            .fine(["settings", "settings"])),
        H2Rule(
            "6.5.2", "INITIAL_WINDOW_SIZE 2^31", W.settings([(4, 0x8000_0000)]), .connection(.initialWindowTooLarge)),
        H2Rule("6.5.2", "MAX_FRAME_SIZE 16,383", W.settings([(5, 16_383)]), .connection(.settingsInvalid)),
        H2Rule("6.5.2", "MAX_FRAME_SIZE 2^24 - 1", W.settings([(5, 0xFF_FFFF)]), .fine()),
        H2Rule("6.5.2", "MAX_FRAME_SIZE 2^24", W.settings([(5, 0x100_0000)]), .connection(.settingsInvalid)),
        H2Rule("8441 3", "ENABLE_CONNECT_PROTOCOL 2", W.settings([(8, 2)]), .connection(.settingsInvalid)),
        H2Rule(
            "8441 3", "ENABLE_CONNECT_PROTOCOL taken back", W.settings([(8, 1)]) + W.settings([(8, 0)]),
            .connection(.settingsInvalid)),
        H2Rule("6.7", "PING on a stream", W.frame(6, 0, 1, Array("12345678".utf8)), .connection(.unexpectedStream)),
        H2Rule("6.7", "PING of 7 bytes", W.frame(6, 0, 0, Array("1234567".utf8)), .connection(.frameSizeWrong)),
        H2Rule("6.7", "PING of 9 bytes", W.frame(6, 0, 0, Array("123456789".utf8)), .connection(.frameSizeWrong)),
        H2Rule("6.7", "an answer that nobody asked for", W.frame(6, 1, 0, Array("12345678".utf8)), .fine()),
        H2Rule(
            "6.8", "GOAWAY on a stream", W.frame(7, 0, 1, W.number(0) + W.number(0)), .connection(.unexpectedStream)),
        H2Rule("6.8", "GOAWAY of 7 bytes", W.frame(7, 0, 0, [0, 0, 0, 0, 0, 0, 0]), .connection(.frameSizeWrong)),
        H2Rule("6.8", "GOAWAY", W.goAway(0), .fine(["settings", "goaway noError"])),
        H2Rule(
            "6.8", "GOAWAY with debug data, and requests go on",
            W.frame(7, 0, 0, W.number(0) + W.number(2) + Array("bye".utf8)) + W.headers(1, ends: true),
            .fine(["settings", "goaway internalError", "request 1 GET / none ends"])),
    ]

    private static let windows: [H2Rule] = [
        H2Rule("6.9", "WINDOW_UPDATE of 3 bytes", W.frame(8, 0, 0, [0, 0, 1]), .connection(.frameSizeWrong)),
        H2Rule(
            "6.9", "WINDOW_UPDATE of 5 bytes", W.headers(1) + W.frame(8, 0, 1, [0, 0, 0, 0, 1]),
            .connection(.frameSizeWrong)),
        H2Rule("6.9", "an increment of 0 on the connection", W.window(0, 0), .connection(.windowIncrementZero)),
        H2Rule("6.9", "an increment of 0 on a stream", W.headers(1) + W.window(1, 0), .stream(1, .protocolError)),
        H2Rule("6.9", "the reserved bit of an increment", W.headers(1) + W.window(1, 0x8000_0001), .fine()),
        H2Rule("6.9.1", "the connection's window overflows", W.window(0, 0x7FFF_FFFF), .connection(.windowOverflow)),
        H2Rule(
            "6.9.1", "it overflows in two steps", W.window(0, 0x7FFF_0000) + W.window(0, 1),
            .connection(.windowOverflow)),
        H2Rule("6.9.1", "the connection's window at its highest", W.window(0, 0x7FFF_0000), .fine()),
        H2Rule(
            "6.9.1", "a stream's window overflows", W.headers(1) + W.window(1, 0x7FFF_FFFF),
            .stream(1, .flowControlError)),
        H2Rule("6.9.1", "a stream's window at its highest", W.headers(1) + W.window(1, 0x7FFF_0000), .fine()),
        H2Rule(
            "6.9.1", "more than the stream's window",
            W.settingsAck + W.headers(1, W.post) + W.data(1, count: 1001),
            .stream(1, .flowControlError)),
        H2Rule(
            "6.9.1", "padding counts on the stream's window",
            W.settingsAck + W.headers(1, W.post) + W.padded(1, String(repeating: "x", count: 999), padding: 1),
            .stream(1, .flowControlError)),
        H2Rule(
            "6.9.2", "SETTINGS overflow a stream's window",
            W.headers(1) + W.window(1, 0x7FFF_0000) + W.settings([(4, 65_536)]),
            .connection(.windowOverflow)),
        H2Rule(
            "6.9.2", "SETTINGS do not change the connection's window",
            W.settings([(4, 0x7FFF_FFFF)]) + W.window(0, 0x7FFF_0000), .fine()),
        H2Rule(
            "6.9.3", "more than our window before we told it",
            W.headers(1, W.post) + W.data(1, count: 1001, ends: true),
            .fine(["settings", "request 1 POST / chunked", "data 1 1001 ends"])),
    ]

    private static func request(_ more: W.Fields) -> [UInt8] { W.headers(1, W.get + more, ends: true) }

    private static func post(_ length: String, _ body: [UInt8]) -> [UInt8] {
        W.headers(1, W.post + [("content-length", length)]) + body
    }

    private static let messages: [H2Rule] = [
        H2Rule(
            "8.1", "head, body, trailers",
            W.headers(1, W.post) + W.data(1, "ab") + W.data(1, "c") + W.headers(1, W.trailers, ends: true),
            .fine(["settings", "request 1 POST / chunked", "data 1 3", "trailers 1 1 ends"])),
        H2Rule(
            "8.1", "a second head that does not end", W.headers(1, W.post) + W.headers(1, W.trailers),
            .stream(1, .protocolError)),
        H2Rule(
            "8.1", "a pseudo field in trailers", W.headers(1, W.post) + W.headers(1, [(":path", "/")], ends: true),
            .stream(1, .protocolError)),
        H2Rule(
            "8.1.1", "a body as long as promised", post("5", W.data(1, "abc") + W.data(1, "de", ends: true)),
            .fine(["settings", "request 1 POST / length(5)", "data 1 5 ends"])),
        H2Rule("8.1.1", "a body too short", post("5", W.data(1, "abc", ends: true)), .stream(1, .protocolError)),
        H2Rule("8.1.1", "a body too long", post("5", W.data(1, "abcdef")), .stream(1, .protocolError)),
        H2Rule(
            "8.1.1", "a body too long by its last frame", post("5", W.data(1, "abcde") + W.data(1, "f", ends: true)),
            .stream(1, .protocolError)),
        H2Rule("8.1.1", "padding is no body", post("5", W.padded(1, "abcde", padding: 9, ends: true)), .fine()),
        H2Rule(
            "8.1.1", "no body where one was promised", W.headers(1, W.post + [("content-length", "5")], ends: true),
            .stream(1, .protocolError)),
        H2Rule(
            "8.1.1", "trailers before the promised end",
            post("5", W.data(1, "abc") + W.headers(1, W.trailers, ends: true)), .stream(1, .protocolError)),
        H2Rule(
            "8.1.1", "trailers after the promised body",
            post("3", W.data(1, "abc") + W.headers(1, W.trailers, ends: true)), .fine()),
        H2Rule("8.2.1", "an upper-case name", request([("X-Name", "1")]), .stream(1, .protocolError)),
        H2Rule("8.2.1", "a space in a name", request([("x name", "1")]), .stream(1, .protocolError)),
        H2Rule("8.2.1", "a line feed in a value", request([("x", "a\nb")]), .stream(1, .protocolError)),
        H2Rule("8.2.1", "a space before a value", request([("x", " a")]), .stream(1, .protocolError)),
        H2Rule("8.2.2", "Connection", request([("connection", "keep-alive")]), .stream(1, .protocolError)),
        H2Rule("8.2.2", "Transfer-Encoding", request([("transfer-encoding", "chunked")]), .stream(1, .protocolError)),
        H2Rule("8.2.2", "TE that is not trailers", request([("te", "gzip")]), .stream(1, .protocolError)),
        H2Rule("8.2.2", "TE trailers", request([("te", "trailers")]), .fine()),
        H2Rule("8.3", "an unknown pseudo field", request([(":x", "1")]), .stream(1, .protocolError)),
        H2Rule(
            "8.3", "a pseudo field after others", W.headers(1, [("x", "1")] + W.get, ends: true),
            .stream(1, .protocolError)),
        H2Rule(
            "8.3", ":status in a request", W.headers(1, W.get + [(":status", "200")], ends: true),
            .stream(1, .protocolError)),
        H2Rule(
            "8.3.1", "a pseudo field twice", W.headers(1, W.get + [(":path", "/b")], ends: true),
            .stream(1, .protocolError)),
        H2Rule("8.3.1", "no :method", W.headers(1, Array(W.get.dropFirst()), ends: true), .stream(1, .protocolError)),
        H2Rule(
            "8.5", "CONNECT", W.headers(1, [(":method", "CONNECT"), (":authority", "a:443")]) + W.data(1, "x"),
            .fine(["settings", "request 1 CONNECT a:443 chunked", "data 1 1"])),
        H2Rule(
            "8.5", "CONNECT with a path",
            W.headers(1, [(":method", "CONNECT"), (":authority", "a:443"), (":path", "/")]),
            .stream(1, .protocolError)),
        H2Rule(
            "8441 4", "extended CONNECT",
            W.headers(1, [(":method", "CONNECT"), (":protocol", "websocket")] + W.get.dropFirst()),
            .fine(["settings", "request 1 CONNECT / chunked"])),
    ]
}
