import Config
package import Core
package import HTTP

/// Where a route redirects to, its parts prepared. Immutable, shared by all workers.
///
/// The `Location` is absolute whenever a host is known. What comes from the request is written only as far as it can
/// stand in a URL, so a redirect never carries more than a URL.
package final class Redirect: Sendable {
    package let status: UInt16
    private let host: [UInt8]
    private let path: [UInt8]
    /// Whether the new scheme is `https`; nil when the request's scheme stays.
    private let isSecure: Bool?

    init(_ configuration: RedirectConfiguration, _ problem: (_ what: String, _ message: String) -> Void) {
        status = configuration.status
        let host = Array((configuration.host ?? "").utf8)
        let path = Array((configuration.path ?? "").utf8)
        self.host = host
        self.path = path
        isSecure = configuration.scheme.map { $0 == "https" }
        if ![301, 302, 303, 307, 308].contains(configuration.status) {
            problem("redirect.status", "must be 301, 302, 303, 307 or 308")
        }
        if let scheme = configuration.scheme, scheme != "http", scheme != "https" {
            problem("redirect.scheme", "must be http or https")
        }
        if configuration.host != nil, host.isEmpty || !Self.isAuthority(host.span) {
            problem("redirect.host", "must be a host name or address, with a port where one is wanted")
        }
        if configuration.path != nil {
            if path.first != ASCII.slash { problem("redirect.path", "must begin with a slash") }
            if let mistake = PathRewrite.mistake(in: path) { problem("redirect.path", mistake) }
        }
        if configuration.scheme == nil, configuration.host == nil, configuration.path == nil {
            problem("redirect", "needs a scheme, a host or a path")
        }
    }

    /// Appends the value of `Location` to `output`.
    ///
    /// - `isSecure`: whether the request came by https, as far as the proxy or a trusted one before it knows.
    package func write(_ head: RequestHead, isSecure requestIsSecure: Bool, into output: Buffer) {
        let secure = isSecure ?? requestIsSecure
        let (host, path) = (self.host, self.path)
        let authority = head.bytes(head.authority)
        var isRelative = false
        if !host.isEmpty {
            output.append(secure ? "https://" : "http://")
            output.append(host.span)
        } else if authority.count > 0, Self.isAuthority(authority) {
            output.append(secure ? "https://" : "http://")
            output.append(port(of: authority, isKept: secure == requestIsSecure, secure))
        } else {
            isRelative = true
        }
        if path.isEmpty {
            appendPath(of: head, isRelative: isRelative, to: output)
        } else {
            output.append(path.span)
        }
        if head.hasQuery {
            output.append(ASCII.questionMark)
            append(head.bytes(head.query), to: output)
        }
    }

    /// The authority without a port that says nothing: the scheme's own, or that of the scheme before.
    @_lifetime(copy authority)
    private func port(of authority: Span<UInt8>, isKept: Bool, _ secure: Bool) -> Span<UInt8> {
        var colon = authority.count
        while colon > 0, ASCII.digit(authority[colon - 1]) != nil { colon -= 1 }
        guard colon > 0, authority[colon - 1] == ASCII.colon else { return authority }
        let digits = authority.extracting(colon...)
        let isDefault = digits.count == 0 || digits.equals(secure ? "443" : "80")
        return isKept && !isDefault ? authority : authority.extracting(..<(colon - 1))
    }

    /// The path as sent. Without a host before it, two slashes would make a host of what follows.
    private func appendPath(of head: RequestHead, isRelative: Bool, to output: Buffer) {
        var path = head.bytes(head.path)
        if isRelative {
            while path.count > 1, path[0] == ASCII.slash, path[1] == ASCII.slash || path[1] == UInt8(ascii: "\\") {
                path = path.extracting(1...)
            }
        }
        if path.count == 0 || path[0] != ASCII.slash { output.append(ASCII.slash) }
        append(path, to: output)
    }

    /// Appends what a client sent, encoding what no URL holds.
    private func append(_ bytes: Span<UInt8>, to output: Buffer) {
        for index in bytes.indices {
            let byte = bytes[index]
            if PercentEncoding.isPlainInPath(byte) || byte == ASCII.percent || byte == ASCII.questionMark {
                output.append(byte)
            } else {
                output.append(percentEncoding: byte)
            }
        }
    }

    /// Whether `text` is host and port, without user information.
    private static func isAuthority(_ text: Span<UInt8>) -> Bool {
        for index in text.indices {
            let byte = text[index]
            let fits =
                PercentEncoding.isPlainInPath(byte) || byte == UInt8(ascii: "[") || byte == UInt8(ascii: "]")
                || byte == ASCII.percent
            if !fits || byte == ASCII.slash || byte == UInt8(ascii: "@") { return false }
        }
        return text.count > 0
    }
}
