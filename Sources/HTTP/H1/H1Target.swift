import Core

/// A request target taken apart (RFC 9112 §3.2).
struct H1Target {
    let form: TargetForm
    /// Of the absolute and the authority form.
    let authority: ByteRange?
    let path: ByteRange

    /// Throws unless the target has a form that `method` may use.
    @inline(__always)
    init(_ message: Span<UInt8>, _ line: H1RequestLine, method: Method) throws(HTTPError) {
        if message[line.targetStart] == ASCII.slash, method != .connect {
            form = .origin
            authority = nil
            path = ByteRange(start: line.targetStart, count: line.pathEnd &- line.targetStart)
        } else {
            self = try Self.unusual(message, line, method: method)
        }
    }

    private init(form: TargetForm, authority: ByteRange?, path: ByteRange) {
        self.form = form
        self.authority = authority
        self.path = path
    }

    private static func unusual(
        _ message: Span<UInt8>, _ line: H1RequestLine, method: Method
    ) throws(HTTPError) -> H1Target {
        let target = message.extracting(line.targetStart..<line.targetEnd)
        if method == .connect {
            guard Authority.isValid(target, demanding: .hostAndPort) else { throw .malformedTarget }
            return H1Target(
                form: .authority, authority: ByteRange(start: line.targetStart, count: target.count), path: .empty)
        }
        if target.equals("*"), method == .options {
            return H1Target(form: .asterisk, authority: nil, path: ByteRange(start: line.targetStart, count: 1))
        }
        let pathEnd = line.pathEnd - line.targetStart
        guard let schemeEnd = endOfScheme(target) else { throw .malformedTarget }
        let authorityEnd = min(target.firstIndex(of: ASCII.slash, from: schemeEnd), pathEnd)
        guard authorityEnd > schemeEnd,
            Authority.isValid(target.extracting(schemeEnd..<authorityEnd), demanding: .host)
        else { throw .malformedTarget }
        return H1Target(
            form: .absolute, authority: ByteRange(start: line.targetStart + schemeEnd, count: authorityEnd - schemeEnd),
            path: ByteRange(start: line.targetStart + authorityEnd, count: pathEnd - authorityEnd))
    }

    /// One past `http://` or `https://`, in any case.
    private static func endOfScheme(_ target: Span<UInt8>) -> Int? {
        if target.extracting(first: 7).equalsIgnoringCase("http://") { return 7 }
        if target.extracting(first: 8).equalsIgnoringCase("https://") { return 8 }
        return nil
    }
}
