import Core

/// The syntax of host names, shared by routes, redirects and endpoints. Letters, digits, `-` and `_`; labels of at most 63
/// bytes, 253 in all (RFC 1035 §2.3.4).
enum HostText {
    static func isName(_ text: some StringProtocol) -> Bool {
        guard (1...253).contains(text.utf8.count) else { return false }
        var labelBytes = 0
        for byte in text.utf8 {
            if byte == 0x2E {
                guard labelBytes > 0 else { return false }
                labelBytes = 0
            } else {
                let isLetter = ASCII.lowercased(byte) &- 0x61 < 26
                guard isLetter || ASCII.digit(byte) != nil || byte == 0x2D || byte == 0x5F, labelBytes < 63 else {
                    return false
                }
                labelBytes += 1
            }
        }
        return labelBytes > 0
    }

    /// Whether the last label is a number: then only an IPv4 address may stand there (WHATWG URL §3.5).
    static func looksLikeIPv4(_ text: some StringProtocol) -> Bool {
        var isNumber = true
        for byte in text.utf8 {
            if byte == 0x2E {
                isNumber = true
            } else if ASCII.digit(byte) == nil {
                isNumber = false
            }
        }
        return isNumber
    }

    /// A name, an IPv4 address, or an IPv6 address in brackets.
    static func isHost(_ text: some StringProtocol) -> Bool {
        if text.hasPrefix("["), text.hasSuffix("]") {
            return IPAddress(String(text.dropFirst().dropLast())).map(\.isV6) ?? false
        }
        return isName(text) && (!looksLikeIPv4(text) || IPAddress(text) != nil)
    }

    static func lowercased(_ text: some StringProtocol) -> String {
        String(decoding: text.utf8.map { ASCII.lowercased($0) }, as: UTF8.self)
    }
}

extension DecodingContext {
    /// A route's host: `shop.local`, `*.shop.local`, an address; never with a port.
    func routeHost(_ text: String, at mark: Mark) -> RouteConfiguration.Host? {
        let lower = HostText.lowercased(text)
        if HostText.isHost(lower) { return .exact(lower) }
        let isWildcard = lower.hasPrefix("*.")
        if isWildcard, HostText.isName(lower.dropFirst(2)), !HostText.looksLikeIPv4(lower) {
            return .wildcard(String(lower.dropFirst(2)))
        }
        let shown = Node.excerpt(text)
        if lower == "*" {
            report(mark, "hosts: leave hosts out to match any host")
        } else if lower.hasSuffix("."), HostText.isHost(lower.dropLast()) {
            report(mark, "hosts: '\(shown)' ends with a dot", suggestion: String(lower.dropLast()))
        } else if let colon = lower.lastIndex(of: ":"), Self.port(lower[lower.index(after: colon)...]) != nil,
            HostText.isHost(lower[..<colon])
        {
            report(mark, "hosts: ports are ignored, write the host alone", suggestion: String(lower[..<colon]))
        } else if let address = IPAddress(lower), address.isV6 {
            report(mark, "hosts: an IPv6 address stands in brackets", suggestion: "[\(lower)]")
        } else {
            report(mark, "hosts: expected a host name or *.name, found '\(shown)'")
        }
        return nil
    }
}
