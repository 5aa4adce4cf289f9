@testable import HTTP

/// Field lists of requests, responses and trailers: those that are heads, with what is made of them, and those that are
/// not, with why.
enum H2HeadsCorpus {
    typealias Fields = H2Wire.Fields

    private static let get = H2Wire.get
    private static let pseudo: Fields = [(":method", "GET"), (":scheme", "http"), (":path", "/")]
    private static let connect: Fields = [(":method", "CONNECT"), (":authority", "a:443")]
    private static let websocket: Fields = [(":method", "CONNECT"), (":protocol", "websocket")] + get.dropFirst()

    private static func path(_ path: String, method: String = "GET") -> Fields {
        [(":method", method), (":scheme", "https"), (":path", path), (":authority", "a")]
    }

    private static func authority(_ authority: String, host: String? = nil, scheme: String = "https") -> Fields {
        [(":method", "GET"), (":scheme", scheme), (":authority", authority), (":path", "/")]
            + (host.map { [("host", $0)] } ?? [])
    }

    private static func long(_ count: Int) -> String { String(repeating: "v", count: count) }

    /// What a request is in HTTP/1.1 when it is written with its own framing.
    static let requests: [(Fields, String)] = [
        (get, "GET / HTTP/1.1\r\nHost: a\r\n\r\n"),
        (get + [("x", "1"), ("y", ""), ("x", "2")], "GET / HTTP/1.1\r\nHost: a\r\nx: 1\r\ny: \r\nx: 2\r\n\r\n"),
        (pseudo + [("host", "b")], "GET / HTTP/1.1\r\nhost: b\r\n\r\n"),
        (pseudo + [("x", "1"), ("host", "b:80")], "GET / HTTP/1.1\r\nx: 1\r\nhost: b:80\r\n\r\n"),
        (authority("a", host: "A"), "GET / HTTP/1.1\r\nHost: a\r\n\r\n"),
        (authority("a", host: "a:443"), "GET / HTTP/1.1\r\nHost: a\r\n\r\n"),
        (authority("a:80", host: "a", scheme: "http"), "GET / HTTP/1.1\r\nHost: a:80\r\n\r\n"),
        (authority("[::1]:8443", host: "[::1]:8443"), "GET / HTTP/1.1\r\nHost: [::1]:8443\r\n\r\n"),
        (authority("[::1]", host: "[::1]:443"), "GET / HTTP/1.1\r\nHost: [::1]\r\n\r\n"),
        (path("/a/b?c=d?e"), "GET /a/b?c=d?e HTTP/1.1\r\nHost: a\r\n\r\n"),
        (path("/?"), "GET /? HTTP/1.1\r\nHost: a\r\n\r\n"),
        (path("*", method: "OPTIONS"), "OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n"),
        (path("/", method: "BREW"), "BREW / HTTP/1.1\r\nHost: a\r\n\r\n"),
        (connect, "CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n\r\n"),
        (get + [("content-length", "0")], "GET / HTTP/1.1\r\nHost: a\r\ncontent-length: 0\r\n\r\n"),
        (get + [("te", "trailers")], "GET / HTTP/1.1\r\nHost: a\r\nte: trailers\r\nConnection: TE\r\n\r\n"),
        (get + [("cookie", "a=1")], "GET / HTTP/1.1\r\nHost: a\r\ncookie: a=1\r\n\r\n"),
        (
            get + [("cookie", "a=1"), ("x", "1"), ("cookie", "b=2"), ("cookie", "c=3")],
            "GET / HTTP/1.1\r\nHost: a\r\nx: 1\r\ncookie: a=1; b=2; c=3\r\n\r\n"
        ),
        (
            get + [("x-!#$%&'*+.^_`|~0", "tab\there, \u{e9}")],
            "GET / HTTP/1.1\r\nHost: a\r\nx-!#$%&'*+.^_`|~0: tab\there, \u{e9}\r\n\r\n"
        ),
        (get + [("http2-settings", "AAMAAABkAAQAAP__")], "GET / HTTP/1.1\r\nHost: a\r\n\r\n"),
    ]

    static let refusedRequests: [(String, Fields, HTTPError)] = [
        // Smuggling: what a line of HTTP/1 would be read as otherwise.
        ("CR LF in a value", get + [("x", "a\r\nInjected: 1")], .bareCarriageReturn),
        ("CR in a value", get + [("x", "a\rb")], .bareCarriageReturn),
        ("LF in a value", get + [("x", "a\nb")], .bareLineFeed),
        ("NUL in a value", get + [("x", "a\0b")], .nulByte),
        ("DEL in a value", get + [("x", "a\u{7F}b")], .malformedFieldValue),
        ("a space before a value", get + [("x", " a")], .malformedFieldValue),
        ("a tab after a value", get + [("x", "a\t")], .malformedFieldValue),
        ("a value that is a space", get + [("x", " ")], .malformedFieldValue),
        ("CR in a name", get + [("x\r", "a")], .malformedFieldName),
        ("CR LF in a name", get + [("x: 1\r\ny", "a")], .malformedFieldName),
        ("NUL in a name", get + [("x\0", "a")], .nulByte),
        ("a colon in a name", get + [("x:y", "a")], .malformedFieldName),
        ("a space in a name", get + [("x ", "a")], .malformedFieldName),
        ("an empty name", get + [("", "a")], .malformedFieldName),
        ("a name beyond ASCII", get + [("\u{e9}", "a")], .malformedFieldName),
        ("an upper-case name", get + [("Accept", "a")], .uppercaseFieldName),
        ("an upper-case letter at the end", get + [("accept-languagE", "a")], .uppercaseFieldName),
        ("an upper-case Content-Length", get + [("Content-Length", "0")], .uppercaseFieldName),
        ("CR LF in :path", path("/ HTTP/1.1\r\nHost: b\r\n\r\n"), .bareCarriageReturn),
        ("a space in :path", path("/a b"), .malformedTarget),
        ("a space in the query", path("/a?b c"), .malformedTarget),
        ("a fragment", path("/a#b"), .malformedTarget),
        ("a fragment in the query", path("/?a#b"), .malformedTarget),
        ("a byte beyond ASCII in :path", path("/\u{e9}"), .malformedTarget),
        ("CR in :method", path("/", method: "GET\r"), .bareCarriageReturn),
        ("a space in :method", path("/", method: "GET /x HTTP/1.1"), .malformedMethod),
        ("an empty :method", path("/", method: ""), .malformedMethod),
        ("user information in :authority", authority("u@a"), .malformedHost),
        ("CR LF in :authority", authority("a\r\nx: y"), .bareCarriageReturn),
        ("a path in :authority", authority("a/b"), .malformedHost),
        ("a bad port in :authority", authority("a:99999"), .malformedHost),
        ("user information in Host", pseudo + [("host", "u@a")], .malformedHost),
        // Pseudo fields.
        ("no :method", Array(get.dropFirst()), .missingPseudoField),
        ("no :scheme", [get[0], get[2], get[3]], .missingPseudoField),
        ("no :path", [get[0], get[1], get[3]], .missingPseudoField),
        ("nothing at all", [], .missingPseudoField),
        ("no :authority and no Host", pseudo, .missingHost),
        ("an empty :authority", authority(""), .malformedHost),
        ("an empty Host", pseudo + [("host", "")], .malformedHost),
        ("an empty :path", path(""), .malformedTarget),
        ("an absolute :path", path("https://a/"), .malformedTarget),
        ("an asterisk for GET", path("*"), .malformedTarget),
        (":method twice", get + [(":method", "GET")], .malformedPseudoField),
        (":scheme twice", get + [(":scheme", "https")], .malformedPseudoField),
        (":path twice", get + [(":path", "/")], .malformedPseudoField),
        (":authority twice", get + [(":authority", "a")], .malformedPseudoField),
        ("a pseudo field after others", [get[0], get[1], get[3], ("x", "1"), get[2]], .malformedPseudoField),
        ("an unknown pseudo field", get + [(":foo", "1")], .malformedPseudoField),
        ("an upper-case pseudo field", get + [(":Path", "/")], .malformedPseudoField),
        (":status in a request", get + [(":status", "200")], .malformedPseudoField),
        ("a scheme that is none of ours", [get[0], (":scheme", "ftp"), get[2], get[3]], .unsupportedScheme),
        ("Host and :authority differ", authority("a", host: "b"), .conflictingAuthority),
        ("Host and :authority differ in the port", authority("a", host: "a:80"), .conflictingAuthority),
        ("two Hosts", pseudo + [("host", "a"), ("host", "a")], .repeatedHost),
        ("two Hosts beside :authority", authority("a", host: "a") + [("host", "b")], .conflictingAuthority),
        // CONNECT.
        ("CONNECT without a port", [(":method", "CONNECT"), (":authority", "a")], .malformedTarget),
        ("CONNECT with :scheme", connect + [(":scheme", "https")], .malformedPseudoField),
        ("CONNECT with :path", connect + [(":path", "/")], .malformedPseudoField),
        ("CONNECT without :authority", [(":method", "CONNECT"), ("host", "a:443")], .missingPseudoField),
        (":protocol without CONNECT", get + [(":protocol", "websocket")], .malformedPseudoField),
        (":protocol twice", websocket + [(":protocol", "websocket")], .malformedPseudoField),
        ("an empty :protocol", connect + [(":protocol", "")], .malformedPseudoField),
        (
            "an extended CONNECT without :path", [websocket[0], websocket[1], websocket[2], websocket[4]],
            .missingPseudoField
        ),
        // The connection's own fields.
        ("Connection", get + [("connection", "close")], .connectionSpecificField),
        ("Keep-Alive", get + [("keep-alive", "timeout=5")], .connectionSpecificField),
        ("Proxy-Connection", get + [("proxy-connection", "keep-alive")], .connectionSpecificField),
        ("Upgrade", get + [("upgrade", "websocket")], .connectionSpecificField),
        ("Transfer-Encoding", get + [("transfer-encoding", "chunked")], .connectionSpecificField),
        ("Transfer-Encoding identity", get + [("transfer-encoding", "identity")], .connectionSpecificField),
        ("TE gzip", get + [("te", "gzip")], .connectionSpecificField),
        ("TE with more", get + [("te", "trailers, gzip")], .connectionSpecificField),
        // Lengths.
        ("Content-Length twice", get + [("content-length", "0"), ("content-length", "0")], .conflictingContentLength),
        ("Content-Length as a list", get + [("content-length", "0, 0")], .malformedContentLength),
        ("a negative Content-Length", get + [("content-length", "-1")], .malformedContentLength),
        ("a signed Content-Length", get + [("content-length", "+1")], .malformedContentLength),
        ("an empty Content-Length", get + [("content-length", "")], .malformedContentLength),
        ("a Content-Length of 2^63", get + [("content-length", "9223372036854775808")], .malformedContentLength),
        ("a Content-Length of 2^64", get + [("content-length", "18446744073709551616")], .malformedContentLength),
        ("a length of what does not come", get + [("content-length", "1")], .contentLengthMismatch),
        // What may be answered.
        ("another expectation", get + [("expect", "tea")], .unsupportedExpectation),
        ("a long :path", path("/" + long(1000)), .targetTooLong),
        ("a large field", get + [("x", long(2000))], .headTooLarge),
        ("many fields", get + (0..<29).map { ("x", "\($0)") }, .tooManyFields),
    ]

    static let responses: [(Fields, HTTP.Method, String)] = [
        ([(":status", "200")], .get, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"),
        ([(":status", "404"), ("x", "1")], .get, "HTTP/1.1 404 Not Found\r\nx: 1\r\nContent-Length: 0\r\n\r\n"),
        ([(":status", "200"), ("content-length", "0")], .get, "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n"),
        ([(":status", "200"), ("content-length", "5")], .head, "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\n"),
        (
            [(":status", "304"), ("content-length", "5")], .get,
            "HTTP/1.1 304 Not Modified\r\ncontent-length: 5\r\n\r\n"
        ),
        (
            [(":status", "200"), ("set-cookie", "a"), ("set-cookie", "b")], .get,
            "HTTP/1.1 200 OK\r\nset-cookie: a\r\nset-cookie: b\r\nContent-Length: 0\r\n\r\n"
        ),
        (
            [(":status", "299"), ("host", "x")], .get,
            "HTTP/1.1 299 Unknown\r\nhost: x\r\nContent-Length: 0\r\n\r\n"
        ),
    ]

    static let refusedResponses: [(String, Fields, HTTPError)] = [
        ("no :status", [("x", "1")], .missingPseudoField),
        (":status twice", [(":status", "200"), (":status", "200")], .malformedPseudoField),
        (":status after others", [("x", "1"), (":status", "200")], .malformedPseudoField),
        (":method in a response", [(":status", "200"), (":method", "GET")], .malformedPseudoField),
        (":status of four digits", [(":status", "2000")], .malformedStatus),
        (":status of letters", [(":status", "2xx")], .malformedStatus),
        (":status below 100", [(":status", "099")], .malformedStatus),
        ("an empty :status", [(":status", "")], .malformedStatus),
        ("101", [(":status", "101")], .malformedStatus),
        ("100 that ends", [(":status", "100")], .prematureEnd),
        ("Connection", [(":status", "200"), ("connection", "close")], .connectionSpecificField),
        ("Transfer-Encoding", [(":status", "200"), ("transfer-encoding", "chunked")], .connectionSpecificField),
        ("Upgrade", [(":status", "200"), ("upgrade", "h2c")], .connectionSpecificField),
        ("an upper-case name", [(":status", "200"), ("Server", "x")], .uppercaseFieldName),
        ("CR LF in a value", [(":status", "200"), ("x", "a\r\nSet-Cookie: b")], .bareCarriageReturn),
        (
            "two lengths", [(":status", "200"), ("content-length", "1"), ("content-length", "2")],
            .conflictingContentLength
        ),
        ("a length of what does not come", [(":status", "200"), ("content-length", "1")], .contentLengthMismatch),
        ("a large field", [(":status", "200"), ("x", long(2000))], .headTooLarge),
    ]

    static let trailers: [(Fields, [String])] = [
        ([("x-sum", "1")], ["x-sum: 1 (other)"]),
        ([("x-sum", "1"), ("date", "x")], ["x-sum: 1 (other)", "date: x (date)"]),
        // What must not come after the body is left out.
        (
            [("content-length", "5"), ("host", "b"), ("authorization", "x"), ("te", "trailers"), ("x", "1")],
            ["x: 1 (other)"]
        ),
        ([("content-length", "5"), ("content-length", "x")], []),
    ]

    static let refusedTrailers: [(String, Fields, HTTPError)] = [
        (":path", [(":path", "/")], .malformedPseudoField),
        (":status", [(":status", "200")], .malformedPseudoField),
        ("an unknown pseudo field", [("x", "1"), (":y", "1")], .malformedPseudoField),
        ("Connection", [("connection", "close")], .connectionSpecificField),
        ("Transfer-Encoding", [("transfer-encoding", "chunked")], .connectionSpecificField),
        ("an upper-case name", [("X", "1")], .uppercaseFieldName),
        ("LF in a value", [("x", "1\n2")], .bareLineFeed),
        ("a large field", [("x", long(2100))], .trailersTooLarge),
        ("many fields", (0..<33).map { ("x", "\($0)") }, .trailersTooLarge),
    ]
}
