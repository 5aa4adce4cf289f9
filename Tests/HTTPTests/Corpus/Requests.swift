@testable import HTTP

/// Requests that must be understood, and heads that must be refused with the kind of error beside them.
enum RequestCorpus {
    static let accepted: [String] = [
        "GET / HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET / HTTP/1.0\r\n\r\n",
        "GET /index.html?a=1&b=%20#".dropLast() + " HTTP/1.1\r\nHost: 127.0.0.1:8080\r\n\r\n",
        "\r\n\r\nPOST /orders HTTP/1.1\r\nHost: shop.local\r\nContent-Length: 5\r\n\r\nhello",
        "POST /upload HTTP/1.1\r\nhost: shop.local\r\ntransfer-encoding: Chunked\r\nTrailer: X-Sum\r\n\r\n0\r\n\r\n",
        "PUT /x HTTP/1.1\r\nHost: a\r\nExpect: 100-Continue\r\nContent-Length: 9223372036854775807\r\n\r\n",
        "OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n",
        "CONNECT db.shop.local:3306 HTTP/1.1\r\nHost: db.shop.local:3306\r\n\r\n",
        "GET http://Shop.local:80/a/b?c HTTP/1.1\r\nHost: other\r\nProxy-Connection: keep-alive\r\n\r\n",
        "GET HTTPS://[2001:db8::1]:8443 HTTP/1.1\r\nHost: [2001:db8::1]:8443\r\n\r\n",
        "GET /chat HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: keep-alive, Upgrade\r\n\r\n",
        "GET / HTTP/1.0\r\nHost: a\r\nConnection: Keep-Alive\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\nconnection: close\r\nConnection: x-mine ,, TE\r\nTE: trailers\r\n\r\n",
        "PURGE /~x/'(a)*,;=:@&!$ HTTP/1.1\r\nHost:a\r\nX-Empty:\r\nX-Tab:\t a\tb \t\r\nX-High: \u{e4}\u{20ac}\r\n\r\n",
        "GET /very/long/" + String(repeating: "abcdefghij", count: 60)
            + " HTTP/1.1\r\nHost: a\r\nCookie: " + String(repeating: "k=v; ", count: 100) + "\r\n\r\n",
        """
        GET /static/app/main.3f2a9c.js?v=20240131&lang=en HTTP/1.1\r
        Host: shop.example.com\r
        Connection: keep-alive\r
        sec-ch-ua: "Chromium";v="124", "Not-A.Brand";v="99"\r
        User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/124.0.0.0\r
        Accept: text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8\r
        Referer: https://shop.example.com/static/index.html\r
        Accept-Encoding: gzip, deflate, br, zstd\r
        Cookie: session=0123456789abcdef0123456789abcdef; theme=dark\r
        X-Request-ID: 7d0c2f\r
        Authorization: Bearer eyJhbGciOiJub25lIn0.e30.\r
        \r

        """,
    ]

    static let refused: [(String, HTTPError)] = [
        // Start line.
        ("\u{16}\u{3}\u{1}\u{2}\u{0}\u{1}", .malformedStartLine),
        (" GET / HTTP/1.1\r\nHost: a", .malformedStartLine),
        ("\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\nGET / HTTP/1.1\r\nHost: a", .malformedStartLine),
        ("\nGET / HTTP/1.1\r\nHost: a", .bareLineFeed),
        ("\rGET / HTTP/1.1\r\nHost: a", .bareCarriageReturn),
        ("GET\r\nHost: a", .malformedStartLine),
        ("GET\nHost: a", .bareLineFeed),
        ("G\u{0}T / HTTP/1.1\r\nHost: a", .nulByte),
        ("G(T / HTTP/1.1\r\nHost: a", .malformedMethod),
        ("G\u{e4}T / HTTP/1.1\r\nHost: a", .malformedMethod),
        ("GET\t/ HTTP/1.1\r\nHost: a", .malformedMethod),
        ("GET  / HTTP/1.1\r\nHost: a", .malformedTarget),
        ("GET /\tx HTTP/1.1\r\nHost: a", .malformedTarget),
        ("GET /\u{e4} HTTP/1.1\r\nHost: a", .malformedTarget),
        ("GET /\u{7f} HTTP/1.1\r\nHost: a", .malformedTarget),
        ("GET /?\u{1} HTTP/1.1\r\nHost: a", .malformedTarget),
        ("GET /?\u{0} HTTP/1.1\r\nHost: a", .nulByte),
        ("GET /#f HTTP/1.1\r\nHost: a", .malformedTarget),
        ("GET /?q#f HTTP/1.1\r\nHost: a", .malformedTarget),
        ("GET x HTTP/1.1\r\nHost: a", .malformedTarget),
        ("GET * HTTP/1.1\r\nHost: a", .malformedTarget),
        ("OPTIONS *x HTTP/1.1\r\nHost: a", .malformedTarget),
        ("GET ftp://a/ HTTP/1.1\r\nHost: a", .malformedTarget),
        ("GET http:/a/ HTTP/1.1\r\nHost: a", .malformedTarget),
        ("GET http:///x HTTP/1.1\r\nHost: a", .malformedTarget),
        ("GET http://u:p@a/ HTTP/1.1\r\nHost: a", .malformedTarget),
        ("GET http://a:99999/ HTTP/1.1\r\nHost: a", .malformedTarget),
        ("GET http://:80/ HTTP/1.1\r\nHost: a", .malformedTarget),
        ("CONNECT / HTTP/1.1\r\nHost: a", .malformedTarget),
        ("CONNECT a HTTP/1.1\r\nHost: a", .malformedTarget),
        ("CONNECT a: HTTP/1.1\r\nHost: a", .malformedTarget),
        ("CONNECT http://a:80/ HTTP/1.1\r\nHost: a", .malformedTarget),
        ("GET /\r\nHost: a", .malformedStartLine),
        ("GET / \r\nHost: a", .malformedStartLine),
        ("GET / HTTP/1.1 \r\nHost: a", .malformedStartLine),
        ("GET / x HTTP/1.1\r\nHost: a", .malformedStartLine),
        ("GET / http/1.1\r\nHost: a", .malformedStartLine),
        ("GET / HTTP/11\r\nHost: a", .malformedStartLine),
        ("GET / HTTP/1.1\nHost: a", .bareLineFeed),
        ("GET / HTTP/1.1\rHost: a", .bareCarriageReturn),
        ("GET / HTTP/1.2\r\nHost: a", .unsupportedVersion),
        ("GET / HTTP/0.9\r\nHost: a", .unsupportedVersion),
        ("GET / HTTP/3.0\r\nHost: a", .unsupportedVersion),
        ("PRI * HTTP/2.0\r\n\r\nSM", .unsupportedVersion),
        // Fields.
        ("GET / HTTP/1.1\r\n Host: a", .malformedFieldName),
        ("GET / HTTP/1.1\r\n\tHost: a", .malformedFieldName),
        ("GET / HTTP/1.1\r\nHost: a\r\n b", .obsoleteFolding),
        ("GET / HTTP/1.1\r\nHost: a\r\n\t\r\n", .obsoleteFolding),
        ("GET / HTTP/1.1\r\nHost : a", .spaceBeforeColon),
        ("GET / HTTP/1.1\r\nHost\t: a", .spaceBeforeColon),
        ("GET / HTTP/1.1\r\n: a", .malformedFieldName),
        ("GET / HTTP/1.1\r\nHost: a\r\nNo(pe: 1", .malformedFieldName),
        ("GET / HTTP/1.1\r\nHost: a\r\nNo\u{e4}: 1", .malformedFieldName),
        ("GET / HTTP/1.1\r\nHost: a\r\nnonsense\r\nb: c", .malformedFieldName),
        ("GET / HTTP/1.1\r\nHost: a\r\nN\u{0}: 1", .nulByte),
        ("GET / HTTP/1.1\r\nHost: a\r\nN\n: 1", .bareLineFeed),
        ("GET / HTTP/1.1\r\nHost: a\r\nX: 1\u{0}2", .nulByte),
        ("GET / HTTP/1.1\r\nHost: a\r\nX: 1\n", .bareLineFeed),
        ("GET / HTTP/1.1\r\nHost: a\r\nX: 1\r2", .bareCarriageReturn),
        ("GET / HTTP/1.1\r\nHost: a\r\nX: 1\r\r\n", .bareCarriageReturn),
        ("GET / HTTP/1.1\r\nHost: a\r\nX: 1\u{1}2", .malformedFieldValue),
        ("GET / HTTP/1.1\r\nHost: a\r\nX: 1\u{7f}2", .malformedFieldValue),
        ("GET / HTTP/1.1\r\nHost: a\r\n\rX: 1", .bareCarriageReturn),
        ("GET / HTTP/1.1\r\nHost: a\r\n\n", .bareLineFeed),
        // Host.
        ("GET / HTTP/1.1\r\nX: y", .missingHost),
        ("GET / HTTP/1.1\r\nHost: a\r\nhost: a", .repeatedHost),
        ("GET / HTTP/1.0\r\nHost: a\r\nHost: b", .repeatedHost),
        ("GET http://a/ HTTP/1.1\r\nX: y", .missingHost),
        ("GET http://a/ HTTP/1.1\r\nHost: b c", .malformedHost),
        ("GET / HTTP/1.1\r\nHost: a b", .malformedHost),
        ("GET / HTTP/1.1\r\nHost: a/b", .malformedHost),
        ("GET / HTTP/1.1\r\nHost: u@a", .malformedHost),
        ("GET / HTTP/1.1\r\nHost: a:b", .malformedHost),
        ("GET / HTTP/1.1\r\nHost: a:65536", .malformedHost),
        ("GET / HTTP/1.1\r\nHost: a:1:2", .malformedHost),
        ("GET / HTTP/1.1\r\nHost: :80", .malformedHost),
        ("GET / HTTP/1.1\r\nHost: [::1", .malformedHost),
        ("GET / HTTP/1.1\r\nHost: [::g]", .malformedHost),
        ("GET / HTTP/1.1\r\nHost: [1.2.3.4]", .malformedHost),
        ("GET / HTTP/1.1\r\nHost: [::1]x", .malformedHost),
        ("GET / HTTP/1.1\r\nHost: a%4", .malformedHost),
        ("GET / HTTP/1.1\r\nHost: a%zz", .malformedHost),
        ("GET / HTTP/1.1\r\nHost: \u{e4}", .malformedHost),
        ("GET / HTTP/1.1\r\nHost: a\\b", .malformedHost),
        // Framing.
        ("POST / HTTP/1.1\r\nHost: a\r\nContent-Length:", .malformedContentLength),
        ("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: -1", .malformedContentLength),
        ("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: +1", .malformedContentLength),
        ("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0x1", .malformedContentLength),
        ("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1 2", .malformedContentLength),
        ("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5, 5", .malformedContentLength),
        ("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5,", .malformedContentLength),
        ("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9223372036854775808", .malformedContentLength),
        ("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 18446744073709551616", .malformedContentLength),
        ("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999999999999999999", .malformedContentLength),
        ("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nContent-Length: 5", .conflictingContentLength),
        ("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nContent-Length: 6", .conflictingContentLength),
        (
            "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nTransfer-Encoding: chunked",
            .contentLengthWithTransferEncoding
        ),
        (
            "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nContent-Length: 5",
            .contentLengthWithTransferEncoding
        ),
        ("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked", .unsupportedTransferEncoding),
        ("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip", .malformedTransferEncoding),
        ("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: identity", .malformedTransferEncoding),
        ("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked, gzip", .malformedTransferEncoding),
        ("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked, chunked", .malformedTransferEncoding),
        ("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked,", .malformedTransferEncoding),
        ("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: xchunked", .malformedTransferEncoding),
        ("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: \"chunked\"", .malformedTransferEncoding),
        ("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked;q=1", .malformedTransferEncoding),
        ("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding:", .malformedTransferEncoding),
        ("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: \u{b}chunked", .malformedFieldValue),
        (
            "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked",
            .malformedTransferEncoding
        ),
        (
            "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: identity",
            .malformedTransferEncoding
        ),
        ("POST / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked", .transferEncodingInHTTP10),
        ("POST / HTTP/1.1\r\nHost: a\r\nExpect: 200-ok", .unsupportedExpectation),
    ]
}
