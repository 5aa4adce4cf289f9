import Core

/// From the fields of a response (RFC 9113 §8.3.2) to a head of any version.
enum H2ResponseMapping {
    /// Fills the line of `head`, whose fields are recorded already. `method`: of the request. `ends`: no body follows.
    static func fill(
        _ head: ResponseHead, from section: H2FieldSection, method: Method, ends: Bool
    ) throws(HTTPError) {
        guard section.has(.status) else { throw .missingPseudoField }
        var line = ResponseHead.Line()
        line.status = section.status
        line.version = .http2
        // Another response must follow an informational one (§8.1).
        if section.status < 200, ends { throw .prematureEnd }
        if isBodiless(section.status, to: method) {
            line.framing = .none
        } else if ends {
            guard section.contentLength ?? 0 == 0 else { throw .contentLengthMismatch }
            line.framing = .length(0)
        } else if method == .connect, section.status < 300 {
            line.framing = .untilClose
        } else {
            line.framing = section.contentLength.map { .length($0) } ?? .chunked
        }
        head.line.value = line
    }

    /// Responses without a body, whatever their fields say (RFC 9110 §6.4.1).
    private static func isBodiless(_ status: UInt16, to method: Method) -> Bool {
        method == .head || status < 200 || status == 204 || status == 304
    }
}
