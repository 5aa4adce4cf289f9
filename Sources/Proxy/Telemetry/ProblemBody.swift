package import Core
package import HTTP
package import Traffic

/// The body of the proxy's own error responses: a problem of RFC 9457, `application/problem+json`.
///
/// `type` is absent, which means `about:blank`, and so the title is the status' own phrase. A remote caller learns the
/// reason and the request's id; what else there is to say is for callers on loopback.
package enum ProblemBody {
    package static let contentType: StaticString = "application/problem+json"

    /// What callers on loopback learn besides. Texts are escaped and cut when written.
    package struct Detail {
        /// What exactly went wrong, in a sentence; empty when there is nothing to add.
        package var text: Buffer?
        /// Name and address of the endpoint.
        package var endpoint: Buffer?
        package var attempts: UInt32 = 0
        /// Nanoseconds since the request's beginning.
        package var elapsed: UInt64 = 0
        /// Which line of which file decided, `file:line`.
        package var source = ""

        package init() {}
    }

    /// Bytes of one value, before escaping.
    private static let valueBytesMax = 512

    /// Appends the body. `requestID` is empty when the request has none; `kind` is that of a `badRequest`.
    package static func append(
        status: UInt16, reason: Reason, kind: HTTPError?, requestID: Span<UInt8>, detail: Detail? = nil,
        to output: Buffer
    ) {
        var writer = JSONWriter(into: output)
        writer.beginObject()
        writer.member("title", phrase(of: status))
        writer.member("status", UInt64(status))
        writer.member("reason", reason.word)
        if let kind {
            writer.key("kind")
            writer.value(unescaped: { KindWords.append(kind, to: $0) })
        }
        if !requestID.isEmpty {
            writer.member("request_id", requestID.extracting(first: min(valueBytesMax, requestID.count)))
        }
        if let detail { append(detail, to: &writer) }
        writer.endObject()
        output.append(ASCII.lineFeed)
    }

    private static func append(_ detail: Detail, to writer: inout JSONWriter) {
        if let text = detail.text, !text.isEmpty {
            writer.member("detail", text.bytes(text.readable(upTo: valueBytesMax)))
        }
        if let endpoint = detail.endpoint, !endpoint.isEmpty {
            writer.member("endpoint", endpoint.bytes(endpoint.readable(upTo: valueBytesMax)))
        }
        writer.member("attempts", UInt64(detail.attempts))
        writer.key("elapsed_ms")
        writer.value(millisecondsOf: detail.elapsed)
        if !detail.source.isEmpty { writer.member("source", detail.source) }
    }

    /// The phrases of RFC 9110 §15, RFC 6585 and nginx's 499, of the statuses that the proxy itself sends.
    private static func phrase(of status: UInt16) -> StaticString {
        switch status {
        case 400: "Bad Request"
        case 401: "Unauthorized"
        case 403: "Forbidden"
        case 404: "Not Found"
        case 405: "Method Not Allowed"
        case 408: "Request Timeout"
        case 413: "Content Too Large"
        case 414: "URI Too Long"
        case 417: "Expectation Failed"
        case 429: "Too Many Requests"
        case 431: "Request Header Fields Too Large"
        case 499: "Client Closed Request"
        case 500: "Internal Server Error"
        case 501: "Not Implemented"
        case 502: "Bad Gateway"
        case 503: "Service Unavailable"
        case 504: "Gateway Timeout"
        case 505: "HTTP Version Not Supported"
        case 508: "Loop Detected"
        default: status < 500 ? "Client Error" : "Server Error"
        }
    }
}

extension Buffer {
    /// Where the readable bytes stand, or the first `count` of them.
    fileprivate func readable(upTo count: Int) -> Range<Int> { readerIndex..<readerIndex + min(readableCount, count) }
}
