extension ServiceConfiguration: ConfigurationSection {
    /// A service as `node` says; problems are reported, and what is missing stands in for itself.
    init(_ node: Node, _ context: DecodingContext) {
        self.init(name: "", endpoints: [])
        source = context.position(node.mark).lineDescription
        MappingDecoder.decode(node, "a service", context) { decode(&$0) }
    }

    mutating func decode(_ keys: inout MappingDecoder) {
        let context = keys.context
        if let node = keys.required("name", of: "a service"), let name = context.name(node, of: "a service") {
            self.name = name
            context.define(.service, name, at: node.mark)
        }
        protocolName = keys.choice("protocol") ?? protocolName
        if let node = keys.required("endpoints", of: "a service") { endpoints = context.endpoints(node) }
        balance = keys.choice("balance") ?? balance
        keys.section("timeouts", &timeouts)
        keys.section("pool", &pool)
        if let node = keys.node("tls") {
            var section = TLSServiceConfiguration()
            MappingDecoder.decode(node, "tls", context) { section.decode(&$0) }
            tls = section
            tlsPosition = context.position(node.mark)
        }
        keys.section("http2", &http2)
        if let node = keys.node("limits") {
            MappingDecoder.decode(node, "limits", context) { limits in
                responseHeadBytesMax = limits.size("head", in: 1024...(1 << 20)) ?? responseHeadBytesMax
                responseFieldsMax = limits.integer("fields", in: 1...4096) ?? responseFieldsMax
            }
        }
        switch protocolName {
        case .http: keys.refuse("http2", because: "the service's protocol is http, which is HTTP/1.1")
        case .http2, .grpc: break
        case .tcp: keys.refuse("tls", "http2", "limits", because: "the service's protocol is tcp")
        }
    }

    func encode(_ json: inout JSONPrinter) {
        json.member("name", name)
        json.member("protocol", protocolName.rawValue)
        json.member("endpoints", each: endpoints) { json, endpoint in
            json.object { endpoint.encode(&$0) }
        }
        json.member("balance", balance.rawValue)
        json.member("timeouts", section: timeouts)
        json.member("pool", section: pool)
        if let tls { json.member("tls", section: tls) }
        if protocolName == .http2 || protocolName == .grpc { json.member("http2", section: http2) }
        if protocolName == .tcp { return }
        json.object("limits") { limits in
            limits.member("head", bytes: responseHeadBytesMax)
            limits.member("fields", responseFieldsMax)
        }
    }
}
