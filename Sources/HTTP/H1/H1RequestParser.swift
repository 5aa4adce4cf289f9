import Core

/// Parses request heads (RFC 9112 §2 to §6): offsets into the input first, one copy of the head's bytes at the end.
///
/// Keeps no state between calls. Strict, for what it lets through is read again by somebody else.
package enum H1RequestParser {
    /// Empty lines that are tolerated before a request line (RFC 9112 §2.2).
    package static let emptyLinesMax = 8

    /// Parses one request head at the start of `input` into `head`, which is reset first and empty again unless the
    /// outcome is complete. `scanned`: how many bytes of this input a former call has seen, so that a head that comes
    /// byte by byte costs linear time.
    package static func parse(
        _ input: Span<UInt8>, into head: RequestHead, limits: HeadLimits, scanned: Int
    ) throws(HTTPError) -> HeadOutcome {
        guard scanned <= 0 || H1HeadProgress.mayDecide(input, scanned: scanned, limits: limits) else {
            return .needMore
        }
        head.headers.removeAll()
        do throws(HTTPError) {
            guard let start = try skipEmptyLines(input) else { return .needMore }
            let message = input.extracting(start..<min(input.count, start &+ limits.headBytesMax))
            if let end = try parse(message, into: head, limits: limits) {
                head.headers.storage.append(message.extracting(0..<end))
                return .complete(start &+ end)
            }
            guard message.count < limits.headBytesMax else { throw .headTooLarge }
        } catch {
            head.reset()
            throw error
        }
        head.reset()
        return .needMore
    }

    /// The position of the request line, nil when the input ends before it.
    @inline(__always)
    private static func skipEmptyLines(_ input: Span<UInt8>) throws(HTTPError) -> Int? {
        var start = 0
        while start < input.count, input[start] == ASCII.carriageReturn {
            guard start &+ 1 < input.count else { return nil }
            guard input[start &+ 1] == ASCII.lineFeed else { throw .bareCarriageReturn }
            start &+= 2
            guard start <= emptyLinesMax &* 2 else { throw .malformedStartLine }
        }
        return start < input.count ? start : nil
    }

    /// Returns one past the head's end, nil when `message` ends within it.
    @inline(__always)
    private static func parse(
        _ message: Span<UInt8>, into head: RequestHead, limits: HeadLimits
    ) throws(HTTPError) -> Int? {
        let lineMax = limits.startLineBytesMax &+ 2
        guard let line = try H1RequestLine.scan(message.extracting(first: lineMax)) else {
            guard message.count < lineMax else { throw .targetTooLong }
            return nil
        }
        let method = Method(in: message, count: line.methodEnd)
        let target = try H1Target(message, line, method: method)
        var fields = H1FieldSection(isRequest: true, version: line.version)
        guard
            let end = try fields.parse(message, from: line.lineEnd, into: head.headers, fieldsMax: limits.fieldsMax)
        else { return nil }
        guard fields.host != nil || line.version == .http10 else { throw .missingHost }

        var parsed = RequestHead.Line()
        parsed.method = method
        parsed.methodName = ByteRange(start: 0, count: line.methodEnd)
        parsed.version = line.version
        parsed.targetForm = target.form
        parsed.target = ByteRange(start: line.targetStart, count: line.targetEnd &- line.targetStart)
        parsed.authority = target.authority ?? fields.host ?? .empty
        parsed.path = target.path
        if line.pathEnd < line.targetEnd {
            parsed.hasQuery = true
            parsed.query = ByteRange(start: line.pathEnd &+ 1, count: line.targetEnd &- line.pathEnd &- 1)
        }
        if fields.isChunked {
            parsed.framing = .chunked
        } else if let length = fields.contentLength {
            parsed.framing = .length(length)
        }
        parsed.keepAlive = fields.keepAlive
        parsed.expectsContinue = fields.expectsContinue && (fields.isChunked || fields.contentLength ?? 0 > 0)
        parsed.connection = fields.connection
        head.line.value = parsed
        return end
    }
}
