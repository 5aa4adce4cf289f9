import Core

extension RewriteConfiguration {
    func encode(_ json: inout JSONPrinter) {
        json.object { object in
            switch self {
            case .prefix(let path): object.member("prefix", path)
            case .regex(let pattern, let replacement):
                object.member("regex", pattern)
                object.member("replacement", replacement)
            }
        }
    }
}

extension DecodingContext {
    /// `{prefix: /new}`, or `{regex: pattern, replacement: text}`.
    func rewrite(_ node: Node, of location: RouteConfiguration.Location) -> RewriteConfiguration? {
        var result: RewriteConfiguration?
        MappingDecoder.decode(node, "rewrite", self) { keys in
            let prefix = keys.node("prefix")
            let regex = keys.node("regex")
            let replacement = keys.node("replacement")
            switch (prefix, regex, replacement) {
            case (let prefix?, nil, nil):
                if case .regex = location {
                    self.report(
                        prefix.mark,
                        "prefix: the route's location is a regular expression; rewrite it with regex and replacement")
                }
                result = self.sentPath(prefix, "prefix").map { .prefix($0) }
            case (nil, let regex?, let replacement?):
                result = self.regexRewrite(regex, replacement)
            default:
                self.report(node.mark, "rewrite: takes either prefix, or regex and replacement")
            }
        }
        return result
    }

    private func regexRewrite(_ regex: Node, _ replacement: Node) -> RewriteConfiguration? {
        let pattern = text(regex, "regex")
        let text = text(replacement, "replacement")
        guard let pattern, let groups = self.regex(pattern, ignoresCase: false, at: regex.mark, "regex"), let text,
            isReplacement(text, groups: groups, at: replacement.mark)
        else { return nil }
        return .regex(pattern, replacement: text)
    }

    /// Whether `text` can be sent and names only groups that there are: `$1` to `$9`, `$$` is a dollar.
    private func isReplacement(_ text: String, groups: Int, at mark: Mark) -> Bool {
        let bytes = Array(text.utf8)
        var index = 0
        while index < bytes.count {
            defer { index += 1 }
            guard bytes[index] == 0x24 else { continue }
            index += 1
            if index < bytes.count, bytes[index] == 0x24 { continue }
            guard index < bytes.count, let group = ASCII.digit(bytes[index]), group > 0 else {
                report(mark, "replacement: '$' stands before a group's number, 1 to 9, or doubled for itself")
                return false
            }
            if group > groups {
                report(mark, "replacement: there is no group \(group); the regular expression has \(groups)")
                return false
            }
        }
        return isSendable(text, at: mark, "replacement")
    }
}
