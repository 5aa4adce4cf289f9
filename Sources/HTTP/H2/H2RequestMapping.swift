import Core

/// From the fields of a request (RFC 9113 §8.3.1, RFC 8441 §4) to a head of any version.
enum H2RequestMapping {
    /// Fills the line of `head`, whose fields are recorded already. `ends`: no body follows.
    static func fill(_ head: RequestHead, from section: H2FieldSection, ends: Bool) throws(HTTPError) {
        guard section.has(.method) else { throw .missingPseudoField }
        var line = RequestHead.Line()
        line.version = .http2
        line.methodName = section.method
        line.method = Method(head.bytes(section.method))
        line.isSecureScheme = section.isSecure
        line.protocolName = section.protocolName
        line.authority = section.authority
        let isConnect = line.method == .connect
        guard isConnect || !section.has(.protocol) else { throw .malformedPseudoField }
        if isConnect, !section.has(.protocol) {
            // A tunnel has neither scheme nor path (§8.5).
            guard !section.has(.scheme), !section.has(.path) else { throw .malformedPseudoField }
            guard section.has(.authority) else { throw .missingPseudoField }
            guard Authority.isValid(head.bytes(section.authority), demanding: .hostAndPort) else {
                throw .malformedTarget
            }
            line.targetForm = .authority
            line.target = section.authority
        } else {
            guard section.has(.scheme), section.has(.path) else { throw .missingPseudoField }
            // Both schemes have an authority (RFC 9110 §4.2.1, §4.2.2).
            guard !section.authority.isEmpty else { throw .missingHost }
            try fillTarget(&line, section.path, head.bytes(section.path))
        }
        if let length = section.contentLength, ends, length > 0 { throw .contentLengthMismatch }
        line.framing = ends ? .none : section.contentLength.map { .length($0) } ?? .chunked
        line.expectsContinue = section.expectsContinue && !ends && section.contentLength != 0
        head.line.value = line
        if section.cookies > 1 { head.headers.joinCookies() }
    }

    /// `:path` is the origin form of a target, or the asterisk of OPTIONS.
    private static func fillTarget(
        _ line: inout RequestHead.Line, _ range: ByteRange, _ target: Span<UInt8>
    ) throws(HTTPError) {
        line.target = range
        line.path = range
        if target[0] != ASCII.slash {
            guard target.equals("*"), line.method == .options else { throw .malformedTarget }
            line.targetForm = .asterisk
            return
        }
        let pathEnd = target.firstNotPath(from: 0)
        guard pathEnd < target.count else { return }
        guard target[pathEnd] == ASCII.questionMark, target.firstNotQuery(from: pathEnd &+ 1) == target.count else {
            throw .malformedTarget
        }
        let start = Int(range.start)
        line.path = ByteRange(start: start, count: pathEnd)
        line.hasQuery = true
        line.query = ByteRange(start: start &+ pathEnd &+ 1, count: target.count &- pathEnd &- 1)
    }
}
