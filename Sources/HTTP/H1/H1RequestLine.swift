import Core

/// Where the parts of a request line stand (RFC 9112 §3).
struct H1RequestLine {
    let methodEnd: Int
    let targetStart: Int
    /// The first `?`, or the target's end.
    let pathEnd: Int
    let targetEnd: Int
    let version: HTTPVersion
    /// One past the CRLF.
    let lineEnd: Int

    /// Scans the line at the start of `input`; nil when the input ends within it.
    @inline(__always)
    static func scan(_ input: Span<UInt8>) throws(HTTPError) -> H1RequestLine? {
        let methodEnd = input.firstNotToken(from: 0)
        guard methodEnd < input.count else { return nil }
        guard input[methodEnd] == ASCII.space, methodEnd > 0 else { throw methodError(input[methodEnd], at: methodEnd) }
        let targetStart = methodEnd &+ 1
        let pathEnd = input.firstNotPath(from: targetStart)
        guard pathEnd < input.count else { return nil }
        var targetEnd = pathEnd
        if input[pathEnd] == ASCII.questionMark {
            targetEnd = input.firstNotQuery(from: pathEnd &+ 1)
            guard targetEnd < input.count else { return nil }
        }
        guard input[targetEnd] == ASCII.space, targetEnd > targetStart else { throw targetError(input[targetEnd]) }
        guard let version = try scanVersion(input, at: targetEnd &+ 1) else { return nil }
        return H1RequestLine(
            methodEnd: methodEnd, targetStart: targetStart, pathEnd: pathEnd, targetEnd: targetEnd, version: version,
            lineEnd: targetEnd &+ 11)
    }

    /// Reads `HTTP/1.1 CRLF` at `start`.
    @inline(__always)
    private static func scanVersion(_ input: Span<UInt8>, at start: Int) throws(HTTPError) -> HTTPVersion? {
        let word = input.word(at: start)
        let version: HTTPVersion
        switch word {
        case HTTPVersion.wordOf11: version = .http11
        case HTTPVersion.wordOf10: version = .http10
        default: return try malformedVersion(input.extracting(start...))
        }
        let end = start &+ 8
        guard end < input.count else { return nil }
        guard input[end] == ASCII.carriageReturn else {
            throw input[end] == ASCII.lineFeed ? .bareLineFeed : .malformedStartLine
        }
        guard end &+ 1 < input.count else { return nil }
        guard input[end &+ 1] == ASCII.lineFeed else { throw .bareCarriageReturn }
        return version
    }

    /// Throws what is wrong with a version that is neither 1.0 nor 1.1, or returns nil while more bytes could still
    /// make it one.
    private static func malformedVersion(_ rest: Span<UInt8>) throws(HTTPError) -> HTTPVersion? {
        guard try HTTPVersion.isUnsupported(rest) else { return nil }
        throw .unsupportedVersion
    }

    private static func methodError(_ byte: UInt8, at position: Int) -> HTTPError {
        switch byte {
        // What does not even begin like a request, a TLS handshake for one.
        case _ where position == 0: byte == ASCII.lineFeed ? .bareLineFeed : .malformedStartLine
        case 0: .nulByte
        case ASCII.lineFeed: .bareLineFeed
        case ASCII.carriageReturn: .malformedStartLine
        default: .malformedMethod
        }
    }

    private static func targetError(_ byte: UInt8) -> HTTPError {
        switch byte {
        case 0: .nulByte
        case ASCII.lineFeed: .bareLineFeed
        case ASCII.carriageReturn: .malformedStartLine
        default: .malformedTarget
        }
    }
}

extension HTTPVersion {
    @inline(__always) static var wordOf11: UInt64 { ("HTTP/1.1" as StaticString).word(at: 0) }
    @inline(__always) static var wordOf10: UInt64 { ("HTTP/1.0" as StaticString).word(at: 0) }

    /// Whether `text` begins with `HTTP/d.d`; false while it could still become so, an error when it cannot.
    static func isUnsupported(_ text: Span<UInt8>) throws(HTTPError) -> Bool {
        let form: StaticString = "HTTP/0.0"
        let expected = form.bytes
        for index in 0..<min(text.count, expected.count) {
            let fits = expected[index] == ASCII.zero ? ASCII.digit(text[index]) != nil : text[index] == expected[index]
            if !fits { throw text[index] == ASCII.lineFeed ? .bareLineFeed : .malformedStartLine }
        }
        return text.count >= expected.count
    }
}
