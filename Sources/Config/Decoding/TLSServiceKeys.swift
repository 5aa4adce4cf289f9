import Core

extension TLSServiceConfiguration: ConfigurationSection {
    mutating func decode(_ keys: inout MappingDecoder) {
        let context = keys.context
        if let node = keys.node("ca") { ca = context.path(node, "ca") }
        if let node = keys.node("server_name") { serverName = context.serverName(node) }
        insecureSkipVerify = keys.flag("insecure_skip_verify") ?? insecureSkipVerify
        certificate = keys.certificate().value
        policy.decode(&keys)
    }

    func encode(_ json: inout JSONPrinter) {
        if let ca { json.member("ca", ca) }
        if let serverName { json.member("server_name", serverName) }
        json.member("insecure_skip_verify", insecureSkipVerify)
        certificate?.encode(&json)
        policy.encode(&json)
    }
}

extension DecodingContext {
    /// A host name in lower case, or an address without brackets.
    fileprivate func serverName(_ node: Node) -> String? {
        guard let text = text(node, "server_name", expected: "a host name") else { return nil }
        if IPAddress(text) != nil || (HostText.isName(text) && !HostText.looksLikeIPv4(text)) {
            return HostText.lowercased(text)
        }
        report(node.mark, "server_name: expected a host name or an address, found '\(Node.excerpt(text))'")
        return nil
    }
}
