import Core

/// Addresses: where to listen, whom to ask, what to connect to.
extension DecodingContext {
    /// `ip:port`, `[v6]:port` or `unix:/path`. Port 0 lets the kernel choose.
    func socketAddress(_ node: Node, _ key: String) -> SocketAddress? {
        let expected = "ip:port, [v6]:port or unix:/path"
        guard let text = text(node, key, expected: expected) else { return nil }
        if let address = SocketAddress(text), Self.isUsable(address) { return address }
        report(
            node.mark, "\(key): expected \(expected), found '\(Node.excerpt(text))'",
            suggestion: Self.nearestAddress(text, anyHost: "0.0.0.0"))
        return nil
    }

    /// `ip` or `ip:port`, port 53 when none is given.
    func nameServer(_ node: Node, _ key: String) -> SocketAddress? {
        guard let text = text(node, key, expected: "ip or ip:port") else { return nil }
        if let ip = IPAddress(text) { return .ip(ip, port: 53) }
        if let address = SocketAddress(text), address.ip != nil, address.port != 0 { return address }
        report(node.mark, "\(key): expected ip, ip:port or [v6]:port, found '\(Node.excerpt(text))'")
        return nil
    }

    /// An address as for listeners, or `name:port` to be resolved.
    func endpointTarget(_ node: Node) -> (target: EndpointConfiguration.Target, text: String)? {
        let expected = "host:port, ip:port, [v6]:port or unix:/path"
        guard let text = text(node, "address", expected: expected) else { return nil }
        if let target = Self.target(text) {
            guard case .address(let address) = target, address.port == 0 else { return (target, text) }
            report(node.mark, "address: port 0 cannot be connected to")
            return nil
        }
        report(
            node.mark, "address: expected \(expected), found '\(Node.excerpt(text))'",
            suggestion: Self.nearestAddress(text, anyHost: "127.0.0.1"))
        return nil
    }

    static func target(_ text: String) -> EndpointConfiguration.Target? {
        if let address = SocketAddress(text), isUsable(address) { return .address(address) }
        guard let colon = text.lastIndex(of: ":"), let port = port(text[text.index(after: colon)...]), port != 0,
            HostText.isName(text[..<colon]), !HostText.looksLikeIPv4(text[..<colon])
        else { return nil }
        return .host(HostText.lowercased(text[..<colon]), port: port)
    }

    private static func isUsable(_ address: SocketAddress) -> Bool {
        guard case .unix(let path) = address else { return true }
        return path.utf8.first == ASCII.slash || (path.utf8.first == 0x40 && path.utf8.count > 1)
    }

    static func port(_ text: some StringProtocol) -> UInt16? {
        guard (1...5).contains(text.utf8.count), text.utf8.allSatisfy({ ASCII.digit($0) != nil }) else { return nil }
        return UInt16(text)
    }

    /// What a near miss was meant to be: a bare port, a URL, IPv6 without brackets, localhost.
    private static func nearestAddress(_ text: String, anyHost: String) -> String? {
        if let port = port(text) { return "\(anyHost):\(port)" }
        for scheme in ["http://", "https://", "tcp://"] where text.hasPrefix(scheme) {
            let rest = text.dropFirst(scheme.count)
            let authority = String(rest[..<(rest.firstIndex(of: "/") ?? rest.endIndex)])
            if authority.isEmpty { return nil }
            return authority.contains(":") ? authority : "\(authority):\(scheme == "https://" ? 443 : 80)"
        }
        if text.hasPrefix("/") { return "unix:\(Node.excerpt(text))" }
        guard let colon = text.lastIndex(of: ":"), let port = port(text[text.index(after: colon)...]) else {
            return nil
        }
        let host = text[..<colon]
        if host == "localhost" { return "127.0.0.1:\(port)" }
        if host == "*" || host.isEmpty { return "\(anyHost):\(port)" }
        if let address = IPAddress(host), address.isV6 { return "[\(host)]:\(port)" }
        return nil
    }
}
