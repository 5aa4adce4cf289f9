extension RedirectConfiguration: ConfigurationSection {
    private enum Scheme: String, CaseIterable { case http, https }

    private static let statuses: [UInt16] = [301, 302, 303, 307, 308]

    mutating func decode(_ keys: inout MappingDecoder) {
        let context = keys.context
        if let node = keys.node("status"), let status = context.integer(node, "status", in: UInt16(100)...599) {
            if Self.statuses.contains(status) {
                self.status = status
            } else {
                context.report(node.mark, "status: a redirect is 301, 302, 303, 307 or 308, found \(status)")
            }
        }
        let scheme = keys.entry("scheme")
        if let scheme { self.scheme = context.choice(scheme.value, "scheme", Scheme.self)?.rawValue }
        let host = keys.node("host")
        if let host { self.host = context.authority(host) }
        let path = keys.node("path")
        if let path { self.path = context.sentPath(path, "path") }
        if scheme == nil, host == nil, path == nil {
            context.report(keys.mark, "redirect: needs scheme, host or path, or it would lead to itself")
        }
    }

    func encode(_ json: inout JSONPrinter) {
        json.member("status", status)
        if let scheme { json.member("scheme", scheme) }
        if let host { json.member("host", host) }
        if let path { json.member("path", path) }
    }
}

extension DecodingContext {
    /// A host with or without a port.
    fileprivate func authority(_ node: Node) -> String? {
        guard let text = text(node, "host", expected: "a host") else { return nil }
        if HostText.isHost(text) { return text }
        if let colon = text.lastIndex(of: ":"), let port = Self.port(text[text.index(after: colon)...]), port != 0,
            HostText.isHost(text[..<colon])
        {
            return text
        }
        report(node.mark, "host: expected a host, with a port where one is wanted, found '\(Node.excerpt(text))'")
        return nil
    }
}
