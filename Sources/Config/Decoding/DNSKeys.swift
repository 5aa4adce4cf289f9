import Core

extension DNSConfiguration: ConfigurationSection {
    mutating func decode(_ keys: inout MappingDecoder) {
        if let items = keys.list("servers") {
            servers = items.compactMap { keys.context.nameServer($0, "servers") }
        }
        timeout = keys.duration("timeout", in: .milliseconds(100) ... .seconds(60)) ?? timeout
    }

    func encode(_ json: inout JSONPrinter) {
        json.member("servers", strings: servers.map(\.description))
        json.member("timeout", timeout)
    }
}
