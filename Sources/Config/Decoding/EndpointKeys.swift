import Core

extension EndpointConfiguration {
    func encode(_ json: inout JSONPrinter) {
        json.member("name", name)
        switch target {
        case .address(let address): json.member("address", address.description)
        case .host(let host, let port): json.member("address", "\(host):\(port)")
        }
        json.member("weight", weight)
    }
}

extension DecodingContext {
    /// The endpoints of one service: addresses, or mappings with an address. No two have one name.
    func endpoints(_ node: Node) -> [EndpointConfiguration] {
        guard let items = list(node, "endpoints") else { return [] }
        var marks: [String: Mark] = [:]
        var endpoints: [EndpointConfiguration] = []
        endpoints.reserveCapacity(items.count)
        marks.reserveCapacity(items.count)
        for item in items {
            guard let (endpoint, mark) = endpoint(item) else { continue }
            if let first = marks[endpoint.name] {
                report(
                    mark,
                    "endpoint '\(Node.excerpt(endpoint.name))' is already defined in this service, on line \(first.line)"
                )
            } else {
                marks[endpoint.name] = mark
                endpoints.append(endpoint)
            }
        }
        return endpoints
    }

    /// One endpoint, and where its name stands.
    private func endpoint(_ node: Node) -> (EndpointConfiguration, Mark)? {
        guard case .mapping = node.content else {
            return endpointTarget(node).map { (EndpointConfiguration(name: $0.text, target: $0.target), node.mark) }
        }
        var result: (EndpointConfiguration, Mark)?
        MappingDecoder.decode(node, "an endpoint", self) { keys in
            let nameNode = keys.node("name")
            let address = keys.required("address", of: "an endpoint").flatMap { self.endpointTarget($0) }
            let name = nameNode.flatMap { self.endpointName($0, of: address?.target) }
            let weight = keys.integer("weight", in: 1...1000) ?? UInt32(1)
            guard let address else { return }
            let endpoint = EndpointConfiguration(name: name ?? address.text, target: address.target, weight: weight)
            result = (endpoint, nameNode?.mark ?? node.mark)
        }
        return result
    }
    /// An endpoint's given name; without one the address is the name, so that may also be given as such.
    private func endpointName(_ node: Node, of target: EndpointConfiguration.Target?) -> String? {
        if let target, let text = node.text, text.utf8.contains(ASCII.colon), Self.target(text) == target {
            return text
        }
        return name(node, of: "an endpoint")
    }
}
