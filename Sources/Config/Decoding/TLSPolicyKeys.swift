import Core

extension TLSPolicyConfiguration: ConfigurationSection {
    /// The keys stand among others in a `tls` section.
    mutating func decode(_ keys: inout MappingDecoder) {
        let context = keys.context
        minVersion = keys.choice("min_version") ?? minVersion
        let maxVersionNode = keys.node("max_version")
        if let node = maxVersionNode { maxVersion = context.choice(node, "max_version", TLSVersion.self) ?? maxVersion }
        if let node = maxVersionNode, minVersion > maxVersion {
            context.report(
                node.mark, "max_version: \(maxVersion.rawValue) is below min_version, \(minVersion.rawValue)")
        }
        if let entry = keys.entry("ciphers") {
            ciphers = context.algorithms(entry)
            if minVersion > .v12 {
                context.report(
                    entry.keyMark, "ciphers does nothing here: they are those of TLS 1.2, min_version is 1.3")
            }
        }
        if let entry = keys.entry("ciphersuites") {
            ciphersuites = context.algorithms(entry)
            if maxVersion < .v13 {
                context.report(
                    entry.keyMark, "ciphersuites does nothing here: they are those of TLS 1.3, max_version is 1.2")
            }
        }
        if let entry = keys.entry("curves") { curves = context.algorithms(entry) }
    }

    func encode(_ json: inout JSONPrinter) {
        json.member("min_version", minVersion.rawValue)
        json.member("max_version", maxVersion.rawValue)
        if !ciphers.isEmpty { json.member("ciphers", strings: ciphers) }
        if !ciphersuites.isEmpty { json.member("ciphersuites", strings: ciphersuites) }
        if !curves.isEmpty { json.member("curves", strings: curves) }
    }
}

extension DecodingContext {
    /// Names of algorithms, each by itself. Whether the library knows them turns out when it is asked to use them.
    fileprivate func algorithms(_ entry: Node.Entry) -> [String] {
        refuseEmpty(entry.value, entry.key, "the library's own")
        return texts(entry.value, entry.key).compactMap { text, mark in
            let isName = text.utf8.allSatisfy { byte in
                ASCII.digit(byte) != nil || ASCII.lowercased(byte) &- 0x61 < 26 || byte == 0x2D || byte == 0x5F
            }
            if isName, (1...64).contains(text.utf8.count) { return text }
            report(mark, "\(entry.key): each name stands for itself, found '\(Node.excerpt(text))'")
            return nil
        }
    }
}
