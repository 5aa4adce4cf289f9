@testable import HTTP

/// Responses that must be understood, and heads that must be refused with the kind of error beside them.
enum ResponseCorpus {
    static let accepted: [String] = [
        "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
        "HTTP/1.0 200 OK\r\n\r\nuntil the end",
        "HTTP/1.1 200\r\nTransfer-Encoding: chunked\r\n\r\n",
        "HTTP/1.1 404 \r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 204 No Content\r\nContent-Length: 3\r\n\r\n",
        "HTTP/1.1 304 Not Modified\r\nETag: \"x\"\r\nContent-Length: 10\r\n\r\n",
        "HTTP/1.1 100 Continue\r\n\r\n",
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: upgrade\r\n\r\n",
        "HTTP/1.1 999 Vi\u{e4}\tx\r\nSet-Cookie: a=b\r\nSet-Cookie: c=d\r\nConnection: close\r\n\r\n",
        "HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nKeep-Alive: max=5, timeout=15\r\nContent-Length: 0\r\n\r\n",
        """
        HTTP/1.1 200 OK\r
        Server: nginx/1.22.1\r
        Date: Wed, 31 Jan 2024 12:00:00 GMT\r
        Content-Type: text/html\r
        Content-Length: 127\r
        Last-Modified: Tue, 30 Jan 2024 09:00:00 GMT\r
        Connection: keep-alive\r
        Keep-Alive: timeout=4\r
        ETag: "65b8be00-7f"\r
        Accept-Ranges: bytes\r
        \r

        """,
    ]

    static let refused: [(String, HTTPError)] = [
        ("\r\nHTTP/1.1 200 OK\r\nX: y", .malformedStartLine),
        ("ICY 200 OK\r\nX: y", .malformedStartLine),
        ("HTTP/1.1200 OK\r\nX: y", .malformedStatus),
        ("HTTP/2.0 200 OK\r\nX: y", .unsupportedVersion),
        ("HTTP/1.x 200 OK\r\nX: y", .malformedStartLine),
        ("HTTP/1.1 20 OK\r\nX: y", .malformedStatus),
        ("HTTP/1.1 099 OK\r\nX: y", .malformedStatus),
        ("HTTP/1.1 2000 OK\r\nX: y", .malformedStatus),
        ("HTTP/1.1  200 OK\r\nX: y", .malformedStatus),
        ("HTTP/1.1 200\tOK\r\nX: y", .malformedStatus),
        ("HTTP/1.1\n", .bareLineFeed),
        ("HTTP/1.1 200\nX: y", .bareLineFeed),
        ("HTTP/1.1 200 OK\nX: y", .bareLineFeed),
        ("HTTP/1.1 200 OK\rX: y", .bareCarriageReturn),
        ("HTTP/1.1 200 O\u{0}K\r\nX: y", .nulByte),
        ("HTTP/1.1 200 O\u{1b}K\r\nX: y", .malformedFieldValue),
        ("HTTP/1.1 200 OK\r\nX : y", .spaceBeforeColon),
        ("HTTP/1.1 200 OK\r\nX: y\r\n z", .obsoleteFolding),
        ("HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 1", .conflictingContentLength),
        ("HTTP/1.1 200 OK\r\nContent-Length: 1, 1", .malformedContentLength),
        ("HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked", .contentLengthWithTransferEncoding),
        ("HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked", .unsupportedTransferEncoding),
        ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked, chunked", .malformedTransferEncoding),
        ("HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked", .transferEncodingInHTTP10),
    ]
}
