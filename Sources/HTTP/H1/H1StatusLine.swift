import Core

/// Where the parts of a status line stand (RFC 9112 §4).
struct H1StatusLine {
    let version: HTTPVersion
    /// 100 to 999.
    let status: UInt16
    /// The reason phrase reaches to the CRLF.
    let reasonStart: Int
    /// One past the CRLF.
    let lineEnd: Int

    /// Scans the line at the start of `input`; nil when the input ends within it.
    @inline(__always)
    static func scan(_ input: Span<UInt8>) throws(HTTPError) -> H1StatusLine? {
        let version: HTTPVersion
        switch input.word(at: 0) {
        case HTTPVersion.wordOf11: version = .http11
        case HTTPVersion.wordOf10: version = .http10
        default:
            guard try HTTPVersion.isUnsupported(input) else { return nil }
            throw .unsupportedVersion
        }
        guard let status = try scanStatus(input) else { return nil }
        var reasonStart = 12
        guard reasonStart < input.count else { return nil }
        if input[reasonStart] == ASCII.space {
            reasonStart = 13
        } else if input[reasonStart] != ASCII.carriageReturn {
            throw input[reasonStart] == ASCII.lineFeed ? .bareLineFeed : .malformedStatus
        }
        let reasonEnd = input.firstControl(from: reasonStart)
        guard reasonEnd < input.count else { return nil }
        guard input[reasonEnd] == ASCII.carriageReturn else { throw H1FieldLine.valueError(input[reasonEnd]) }
        guard reasonEnd &+ 1 < input.count else { return nil }
        guard input[reasonEnd &+ 1] == ASCII.lineFeed else { throw .bareCarriageReturn }
        return H1StatusLine(version: version, status: status, reasonStart: reasonStart, lineEnd: reasonEnd &+ 2)
    }

    /// Reads the space and the three digits after the version.
    @inline(__always)
    private static func scanStatus(_ input: Span<UInt8>) throws(HTTPError) -> UInt16? {
        guard input.count > 8 else { return nil }
        guard input[8] == ASCII.space else {
            throw input[8] == ASCII.lineFeed ? .bareLineFeed : .malformedStatus
        }
        var status: UInt16 = 0
        for index in 9..<12 {
            guard index < input.count else { return nil }
            guard let digit = ASCII.digit(input[index]), index > 9 || digit > 0 else {
                throw input[index] == ASCII.lineFeed ? .bareLineFeed : .malformedStatus
            }
            status = status &* 10 &+ UInt16(digit)
        }
        return status
    }
}
