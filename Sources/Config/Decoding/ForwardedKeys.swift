import Core

extension ForwardedConfiguration: ConfigurationSection {
    mutating func decode(_ keys: inout MappingDecoder) {
        let context = keys.context
        if let node = keys.node("trusted_proxies") {
            trustedProxies = context.texts(node, "trusted_proxies").compactMap { context.network($0.text, at: $0.mark) }
        }
        xForwarded = keys.flag("x_forwarded") ?? xForwarded
        forwarded = keys.flag("forwarded") ?? forwarded
        via = keys.flag("via") ?? via
        requestID = keys.flag("request_id") ?? requestID
        clientCertificate = keys.flag("client_certificate") ?? clientCertificate
    }

    func encode(_ json: inout JSONPrinter) {
        json.member("trusted_proxies", strings: trustedProxies.map(\.description))
        json.member("x_forwarded", xForwarded)
        json.member("forwarded", forwarded)
        json.member("via", via)
        json.member("request_id", requestID)
        json.member("client_certificate", clientCertificate)
    }
}

extension DecodingContext {
    /// `10.0.0.0/8`, `fd00::/8` or a lone address.
    fileprivate func network(_ text: String, at mark: Mark) -> NetworkPrefix? {
        if let network = NetworkPrefix(text) { return network }
        let parts = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        if parts.count == 2, let address = IPAddress(parts[0]), let bits = Self.port(parts[1]),
            bits <= (address.isV6 ? 128 : 32)
        {
            report(mark, "trusted_proxies: bits beyond the first \(bits) of '\(Node.excerpt(text))' must be zero")
        } else {
            report(
                mark,
                "trusted_proxies: expected an address or a network such as 10.0.0.0/8, found '\(Node.excerpt(text))'")
        }
        return nil
    }
}
