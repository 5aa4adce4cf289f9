import Core

extension ListenerConfiguration: ConfigurationSection {
    /// A listener as `node` says; problems are reported, and what is missing stands in for itself.
    init(_ node: Node, _ context: DecodingContext) {
        self.init(name: "", address: .ip(.loopbackV4, port: 0))
        context.keep(.listener, node)
        MappingDecoder.decode(node, "a listener", context) { decode(&$0) }
    }

    mutating func decode(_ keys: inout MappingDecoder) {
        let context = keys.context
        if let node = keys.required("name", of: "a listener"), let name = context.name(node, of: "a listener") {
            self.name = name
            context.define(.listener, name, at: node.mark)
        }
        if let node = keys.required("address", of: "a listener"), let address = context.socketAddress(node, "address") {
            self.address = address
            context.defineListenerAddress(address, at: node.mark)
        }
        mode = keys.choice("mode") ?? mode
        protocolName = keys.choice("protocol") ?? protocolName
        if let node = keys.node("service"), let name = context.text(node, "service", expected: "a service's name") {
            service = name
            context.refer(to: .service, name, at: node.mark)
        }
        keys.section("limits", &limits)
        keys.section("timeouts", &timeouts)
        if let node = keys.node("tls") {
            var section = TLSListenerConfiguration()
            MappingDecoder.decode(node, "tls", context) { section.decode(&$0) }
            tls = section
            tlsPosition = context.position(node.mark)
        }
        keys.section("http2", &http2)
        keys.section("forwarded", &forwarded)
        keys.section("path", &path)
        requestsMax = keys.integer("requests_max", in: 1...UInt32.max) ?? requestsMax
        backlog = keys.integer("backlog", in: 1...65535) ?? backlog
        if protocolName == .tlsPassthrough {
            keys.refuse(
                "limits", "tls", "http2", "forwarded", "path", "requests_max",
                because: "protocol is tls_passthrough, nothing is decrypted")
        }
    }

    func encode(_ json: inout JSONPrinter) {
        json.member("name", name)
        json.member("address", address.description)
        json.member("mode", mode.rawValue)
        json.member("protocol", protocolName.rawValue)
        if let service { json.member("service", service) }
        json.member("timeouts", section: timeouts)
        if protocolName != .tlsPassthrough {
            json.member("limits", section: limits)
            if let tls { json.member("tls", section: tls) }
            json.member("http2", section: http2)
            json.member("forwarded", section: forwarded)
            json.member("path", section: path)
            json.member("requests_max", requestsMax)
        }
        json.member("backlog", backlog)
    }
}
