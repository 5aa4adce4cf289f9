import Core

/// nginx's `location` in one string: `/p`, `= /p`, `^~ /p`, `~ regex`, `~* regex`; the space may be left out.
extension DecodingContext {
    func location(_ node: Node) -> RouteConfiguration.Location? {
        guard let text = text(node, "location", expected: "a path or one of nginx's forms") else { return nil }
        for (modifier, isRegex) in [("^~", false), ("~*", true), ("~", true), ("=", false)]
        where text.hasPrefix(modifier) {
            let rest = String(text.dropFirst(modifier.count).drop { $0 == " " || $0 == "\t" })
            if isRegex {
                guard regex(rest, ignoresCase: modifier == "~*", at: node.mark, "location") != nil else { return nil }
                return .regex(rest, ignoresCase: modifier == "~*")
            }
            guard isLocationPath(rest, at: node.mark) else { return nil }
            return modifier == "=" ? .exact(rest) : .prefix(rest, beatsRegex: true)
        }
        guard isLocationPath(text, at: node.mark) else { return nil }
        return .prefix(text, beatsRegex: false)
    }

    /// Checks a regular expression; its number of groups, or nil when it is none.
    func regex(_ pattern: String, ignoresCase: Bool, at mark: Mark, _ key: String) -> Int? {
        guard !pattern.isEmpty else {
            report(mark, "\(key): the regular expression is empty")
            return nil
        }
        switch regexCheck(pattern, ignoresCase) {
        case .valid(let groups): return groups
        case .invalid(let why):
            report(mark, "\(key): bad regular expression: \(why)")
            return nil
        }
    }

    /// Whether a decoded and normalised path can look like `path`; otherwise the route would never match.
    private func isLocationPath(_ path: String, at mark: Mark) -> Bool {
        guard path.utf8.first == ASCII.slash else {
            report(
                mark, "location: a path begins with '/', found '\(Node.excerpt(path))'", suggestion: nearestPath(path))
            return false
        }
        if path.utf8.contains(where: { $0 == ASCII.questionMark || $0 == 0x23 }) {
            report(mark, "location: matches the path alone; conditions on the query stand under 'query'")
            return false
        }
        if path.utf8.contains(where: { $0 < ASCII.space || $0 == 0x7F }) {
            report(mark, "location: no path holds control characters")
            return false
        }
        if let coded = Self.needlessCode(Array(path.utf8)) {
            report(mark, "location: matches the decoded path, where \(coded) cannot stand")
            return false
        }
        let segments = path.utf8.split(separator: ASCII.slash, omittingEmptySubsequences: false).dropFirst()
        if segments.dropLast().contains(where: \.isEmpty) {
            report(mark, "location: matches the path with '//' merged, where '//' cannot stand")
            return false
        }
        if segments.contains(where: { $0.elementsEqual([0x2E]) || $0.elementsEqual([0x2E, 0x2E]) }) {
            report(mark, "location: matches the path with '.' and '..' resolved, where they cannot stand")
            return false
        }
        return true
    }

    private func nearestPath(_ path: String) -> String? {
        path.utf8.first.map { ASCII.lowercased($0) &- 0x61 < 26 } == true ? "/\(Node.excerpt(path))" : nil
    }

    /// A percent code that decoding would have replaced. Those of `/` and `\` are kept coded where they are let through.
    private static func needlessCode(_ bytes: [UInt8]) -> String? {
        for index in bytes.indices.dropLast(2) where bytes[index] == ASCII.percent {
            guard let high = ASCII.hexDigit(bytes[index + 1]), let low = ASCII.hexDigit(bytes[index + 2]) else {
                continue
            }
            let value = high << 4 | low
            if value != ASCII.slash, value != 0x5C {
                return String(decoding: bytes[index...(index + 2)], as: UTF8.self)
            }
        }
        return nil
    }
}

/// Paths that are sent: those of rewrites and redirects.
extension DecodingContext {
    /// A path as it stands on the wire (RFC 3986 §3.3), without a query.
    func sentPath(_ node: Node, _ key: String) -> String? {
        guard let text = text(node, key, expected: "a path") else { return nil }
        guard text.utf8.first == ASCII.slash else {
            report(
                node.mark, "\(key): a path begins with '/', found '\(Node.excerpt(text))'",
                suggestion: nearestPath(text))
            return nil
        }
        return isSendable(text, at: node.mark, key) ? text : nil
    }

    func isSendable(_ text: String, at mark: Mark, _ key: String) -> Bool {
        let bytes = Array(text.utf8)
        for (index, byte) in bytes.enumerated() {
            if byte == ASCII.questionMark || byte == 0x23 {
                report(mark, "\(key): the request's query is kept, so '?' and '#' cannot stand in the path")
                return false
            }
            if byte <= ASCII.space || byte >= 0x7F {
                report(mark, "\(key): spaces, control and non-ASCII characters stand percent-encoded in a path")
                return false
            }
            if byte == ASCII.percent {
                guard index + 2 < bytes.count, ASCII.hexDigit(bytes[index + 1]) != nil,
                    ASCII.hexDigit(bytes[index + 2]) != nil
                else {
                    report(mark, "\(key): '%' needs two hexadecimal digits after it; '%' itself is %25")
                    return false
                }
            }
        }
        return true
    }
}
