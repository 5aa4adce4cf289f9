import Core

/// Header field names and values, as conditions test them and edits write them.
extension DecodingContext {
    /// Fields that say how a message is framed or belong to one connection (RFC 9110 §7.6.1): the proxy writes them itself.
    private static let ownFields: Set<String> = [
        "connection", "content-length", "expect", "http2-settings", "keep-alive", "proxy-connection", "te", "trailer",
        "transfer-encoding", "upgrade",
    ]

    /// A field name: a token (RFC 9110 §5.1).
    func fieldName(_ text: String, at mark: Mark, _ key: String) -> String? {
        if (1...256).contains(text.utf8.count), text.utf8.allSatisfy({ ASCII.isToken($0) }) { return text }
        report(mark, "\(key): '\(Node.excerpt(text))' is no header name")
        return nil
    }

    /// The name of a field that may be edited.
    func editableFieldName(_ text: String, at mark: Mark, _ key: String) -> String? {
        guard let name = fieldName(text, at: mark, key) else { return nil }
        if Self.ownFields.contains(HostText.lowercased(name)) {
            report(mark, "\(key): \(name) concerns one connection or the framing; the proxy alone decides on it")
            return nil
        }
        return name
    }

    /// A field value (RFC 9110 §5.5): no line breaks, no control characters but tab.
    func fieldValue(_ node: Node, _ key: String) -> String? {
        guard let text = text(node, key) else { return nil }
        if let byte = text.utf8.first(where: { ($0 < ASCII.space && $0 != ASCII.tab) || $0 == 0x7F }) {
            let what = byte == ASCII.carriageReturn || byte == ASCII.lineFeed ? "line breaks" : "control characters"
            report(node.mark, "\(key): a header value holds no \(what)")
            return nil
        }
        return text
    }
}
