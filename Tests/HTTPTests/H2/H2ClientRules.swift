@testable import HTTP

/// What a client must do with what a server sends. Streams 1 (whole request) and 3 (body to come) are open, SETTINGS
/// were exchanged, but for `openings`.
enum H2ClientRules {
    private typealias W = H2Wire

    /// The connection's very first bytes.
    static let openings: [H2Rule] = [
        H2Rule("3.4", "empty SETTINGS", W.settings(), .fine(["settings"])),
        H2Rule("3.4", "a response before SETTINGS", W.headers(1, W.ok, ends: true), .connection(.badPreface)),
        H2Rule("3.4", "an acknowledgement before SETTINGS", W.settingsAck, .connection(.badPreface)),
        H2Rule("3.4", "HTTP/1", Array("HTTP/1.1 400 Bad Request\r\n\r\n".utf8), .connection(.badPreface)),
        H2Rule("3.4", "GOAWAY before SETTINGS", W.goAway(0), .connection(.badPreface)),
    ]

    static let all: [H2Rule] = states + frames + responses

    private static let states: [H2Rule] = [
        H2Rule("5.1", "DATA on an idle stream", W.data(5, "x"), .connection(.unexpectedStream)),
        H2Rule("5.1", "HEADERS on an idle stream", W.headers(5, W.ok), .connection(.unexpectedStream)),
        H2Rule("5.1", "RST_STREAM on an idle stream", W.reset(5), .connection(.unexpectedStream)),
        H2Rule("5.1", "WINDOW_UPDATE on an idle stream", W.window(5, 1), .connection(.unexpectedStream)),
        H2Rule("5.1.1", "HEADERS on an even stream", W.headers(2, W.ok), .connection(.unexpectedStream)),
        H2Rule("5.1.1", "DATA on an even stream", W.data(2, "x"), .connection(.unexpectedStream)),
        H2Rule("5.1.1", "RST_STREAM on an even stream", W.reset(2), .connection(.unexpectedStream)),
        H2Rule(
            "5.1", "DATA after the response's end", W.headers(3, W.ok, ends: true) + W.data(3, "x"),
            .stream(3, .streamClosed)),
        H2Rule(
            "5.1", "HEADERS after the response's end", W.headers(3, W.ok, ends: true) + W.headers(3, W.ok),
            .stream(3, .streamClosed)),
        H2Rule(
            "5.1", "DATA on a stream that both ended", W.headers(1, W.ok, ends: true) + W.data(1, "x"),
            .connection(.streamClosed)),
        H2Rule("5.1", "DATA after RST_STREAM", W.reset(1) + W.data(1, "x"), .connection(.streamClosed)),
        H2Rule(
            "8.1", "RST_STREAM without error after the response", W.headers(3, W.ok, ends: true) + W.reset(3, 0),
            .fine(["settings", "response 3 200 length(0) ends", "reset 3 noError"])),
        H2Rule(
            "8.7", "a refused stream", W.reset(1, 7), .fine(["settings", "reset 1 refusedStream"])),
    ]

    private static let frames: [H2Rule] = [
        H2Rule("6.5.2", "ENABLE_PUSH 1 from a server", W.settings([(2, 1)]), .connection(.settingsInvalid)),
        H2Rule("6.5.2", "ENABLE_PUSH 0 from a server", W.settings([(2, 0)]), .fine()),
        H2Rule("6.6", "PUSH_PROMISE", W.frame(5, 4, 1, W.number(2) + W.block(W.get)), .connection(.pushUnexpected)),
        H2Rule("6.6", "PUSH_PROMISE on stream 0", W.frame(5, 4, 0, W.number(2)), .connection(.pushUnexpected)),
        H2Rule(
            "6.8", "GOAWAY that leaves out streams", W.goAway(1, 0), .fine(["settings", "goaway noError", "refused 3"])),
        H2Rule(
            "6.8", "GOAWAY that leaves out all", W.goAway(0, 11),
            .fine(["settings", "goaway enhanceYourCalm", "refused 1", "refused 3"])),
        H2Rule(
            "6.8", "GOAWAY in two steps, and the response still comes",
            W.goAway(0x7FFF_FFFF) + W.goAway(1) + W.headers(1, W.ok, ends: true),
            .fine(["settings", "goaway noError", "goaway noError", "refused 3", "response 1 200 length(0) ends"])),
        H2Rule("6.9", "an increment of 0 on a stream", W.window(3, 0), .stream(3, .protocolError)),
        H2Rule(
            "6.9.1", "more than the stream's window",
            W.settingsAck + W.headers(1, W.ok) + W.data(1, count: 1001), .stream(1, .flowControlError)),
        H2Rule("6.10", "CONTINUATION without HEADERS", W.continuation(1, W.ok), .connection(.unexpectedContinuation)),
        H2Rule("4.2", "a frame too large", W.headers(1, W.ok) + W.data(1, count: 16_385), .connection(.frameTooLarge)),
        H2Rule("7838 4", "ALTSVC", W.frame(10, 0, 0, [0, 0]), .fine()),
    ]

    private static func response(_ fields: W.Fields, _ body: [UInt8] = []) -> [UInt8] {
        W.headers(3, fields, ends: body.isEmpty) + body
    }

    private static let responses: [H2Rule] = [
        H2Rule("8.1", "DATA before a head", W.data(1, "x"), .stream(1, .protocolError)),
        H2Rule(
            "8.1", "DATA after an informational head", W.headers(1, [(":status", "103")]) + W.data(1, "x"),
            .stream(1, .protocolError)),
        H2Rule(
            "8.1", "informational heads, head, body, trailers",
            W.headers(1, [(":status", "100")]) + W.headers(1, [(":status", "103")]) + W.headers(1, W.ok)
                + W.data(1, "ab")
                + W.headers(1, W.trailers, ends: true),
            .fine([
                "settings", "response 1 100 none", "response 1 103 none", "response 1 200 chunked", "data 1 2",
                "trailers 1 1 ends",
            ])),
        H2Rule("8.1", "an informational head that ends", response([(":status", "100")]), .stream(3, .protocolError)),
        H2Rule(
            "8.1", "a second head that does not end", W.headers(1, W.ok) + W.headers(1, W.ok),
            .stream(1, .protocolError)),
        H2Rule(
            "8.1.1", "a body too short", response(W.ok + [("content-length", "3")], W.data(3, "ab", ends: true)),
            .stream(3, .protocolError)),
        H2Rule(
            "8.1.1", "a body too long", response(W.ok + [("content-length", "1")], W.data(3, "ab")),
            .stream(3, .protocolError)),
        H2Rule(
            "8.1.1", "no body where one was promised", response(W.ok + [("content-length", "1")]),
            .stream(3, .protocolError)),
        H2Rule("8.1.1", "304 with a length", response([(":status", "304"), ("content-length", "9")]), .fine()),
        H2Rule("8.1.1", "204 with a body", response([(":status", "204")], W.data(3, "x")), .stream(3, .protocolError)),
        H2Rule("8.3.2", "no :status", response([("x", "1")]), .stream(3, .protocolError)),
        H2Rule("8.3.2", ":status of two digits", response([(":status", "20")]), .stream(3, .protocolError)),
        H2Rule("8.3.2", ":path in a response", response(W.ok + [(":path", "/")]), .stream(3, .protocolError)),
        H2Rule("8.6", "101", W.headers(1, [(":status", "101")]), .stream(1, .protocolError)),
        H2Rule("8.2.2", "Connection", response(W.ok + [("connection", "close")]), .stream(3, .protocolError)),
    ]
}
