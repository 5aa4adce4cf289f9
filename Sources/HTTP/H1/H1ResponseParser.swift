import Core

/// Parses response heads (RFC 9112 §4 to §6) like `H1RequestParser` parses those of requests.
///
/// An endpoint's mistakes are forgiven where they cannot be misread: a missing reason phrase, a missing space before
/// it.
package enum H1ResponseParser {
    /// Parses one response head at the start of `input` into `head`, which is reset first and empty again unless the
    /// outcome is complete. `requestMethod` decides whether a body follows. `scanned`: see `H1RequestParser.parse`.
    package static func parse(
        _ input: Span<UInt8>, into head: ResponseHead, requestMethod: Method, limits: HeadLimits, scanned: Int
    ) throws(HTTPError) -> HeadOutcome {
        guard scanned <= 0 || H1HeadProgress.mayDecide(input, scanned: scanned, limits: limits) else {
            return .needMore
        }
        head.headers.removeAll()
        do throws(HTTPError) {
            let message = input.extracting(first: limits.headBytesMax)
            if let end = try parse(message, into: head, requestMethod: requestMethod, limits: limits) {
                head.headers.storage.append(message.extracting(0..<end))
                return .complete(end)
            }
            guard message.count < limits.headBytesMax else { throw .headTooLarge }
        } catch {
            head.reset()
            throw error
        }
        head.reset()
        return .needMore
    }

    /// Returns one past the head's end, nil when `message` ends within it.
    @inline(__always)
    private static func parse(
        _ message: Span<UInt8>, into head: ResponseHead, requestMethod: Method, limits: HeadLimits
    ) throws(HTTPError) -> Int? {
        let lineMax = limits.startLineBytesMax &+ 2
        guard let line = try H1StatusLine.scan(message.extracting(first: lineMax)) else {
            guard message.count < lineMax else { throw .headTooLarge }
            return nil
        }
        var fields = H1FieldSection(isRequest: false, version: line.version)
        guard
            let end = try fields.parse(message, from: line.lineEnd, into: head.headers, fieldsMax: limits.fieldsMax)
        else { return nil }

        var parsed = ResponseHead.Line()
        parsed.status = line.status
        parsed.reason = ByteRange(start: line.reasonStart, count: line.lineEnd &- 2 &- line.reasonStart)
        parsed.version = line.version
        parsed.framing = framing(of: fields, status: line.status, requestMethod: requestMethod)
        parsed.keepAlive = fields.keepAlive && parsed.framing != .untilClose
        parsed.keepAliveTimeoutSeconds = fields.keepAliveTimeoutSeconds
        parsed.connection = fields.connection
        head.line.value = parsed
        return end
    }

    /// RFC 9112 §6.3.
    @inline(__always)
    private static func framing(of fields: H1FieldSection, status: UInt16, requestMethod: Method) -> BodyFraming {
        if requestMethod == .head || status < 200 || status == 204 || status == 304 { return .none }
        if requestMethod == .connect, status < 300 { return .none }
        if fields.isChunked { return .chunked }
        if let length = fields.contentLength { return .length(length) }
        return .untilClose
    }
}
