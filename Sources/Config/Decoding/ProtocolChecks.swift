/// Whether what is sent is what is understood: bytes of TLS that is passed through to services with the protocol `tcp`,
/// requests to all others. Listeners, routes and services may stand in different files, so that only the whole shows it.
extension DecodingContext {
    /// Keys of a route that look into requests.
    private static let requestKeys: Set<String> = [
        "location", "grpc", "methods", "headers", "query", "client_certificate", "rewrite", "request_headers",
        "response_headers", "timeouts", "limits",
    ]

    /// Reports every listener and route of `configuration` that sends a service what it does not understand.
    func checkProtocols(_ configuration: Configuration) {
        var isTCP: [String: Bool] = [:]
        for service in configuration.services { isTCP[service.name] = service.protocolName == .tcp }
        var isPassthrough: [String: Bool] = [:]
        for listener in configuration.listeners { isPassthrough[listener.name] = listener.isPassthrough }
        guard isTCP.values.contains(true) || isPassthrough.values.contains(true) else { return }

        for (listener, mapping) in zip(configuration.listeners, listenerMappings) {
            // An unknown service is reported elsewhere.
            guard let service = listener.service, let isTCP = isTCP[service], isTCP != listener.isPassthrough,
                let node = mapping.entry("service")?.value
            else { continue }
            diagnostics.add(
                mapping.position(node.mark),
                isTCP
                    ? "service '\(service)' takes bytes, its protocol is tcp: the listener needs protocol tls_passthrough"
                    : "service '\(service)' takes requests: behind tls_passthrough it needs protocol tcp")
        }
        let takesRequests = configuration.listeners.contains { $0.service == nil && !$0.isPassthrough }
        for (route, mapping) in zip(configuration.routes, routeMappings) {
            if case .service(let service) = route.action {
                guard let isTCP = isTCP[service] else { continue }
                if isTCP {
                    check(mapping, to: service, isPassthrough, isBeyondListeners: takesRequests)
                    continue
                }
            }
            for node in mapping.items("listeners") where node.text.flatMap({ isPassthrough[$0] }) == true {
                diagnostics.add(
                    mapping.position(node.mark),
                    "listener '\(node.text ?? "")' has no requests, its protocol is tls_passthrough: only routes to a "
                        + "service with protocol tcp are for it")
            }
        }
    }

    /// A route to a service with the protocol `tcp`. `isBeyondListeners`: without a list of listeners it would be for
    /// some that have requests.
    private func check(
        _ mapping: WrittenMapping, to service: String, _ isPassthrough: [String: Bool], isBeyondListeners: Bool
    ) {
        let why = "service '\(service)' takes bytes, its protocol is tcp"
        for node in mapping.items("listeners") where node.text.flatMap({ isPassthrough[$0] }) == false {
            diagnostics.add(
                mapping.position(node.mark),
                "\(why): listener '\(node.text ?? "")' needs protocol tls_passthrough")
        }
        if isBeyondListeners, mapping.entry("listeners") == nil, let node = mapping.entry("service")?.value {
            diagnostics.add(
                mapping.position(node.mark),
                "\(why): name under 'listeners' those with protocol tls_passthrough that the route is for")
        }
        // The location `/`, which every route has that gives none, asks nothing.
        for entry in mapping.entries
        where Self.requestKeys.contains(entry.key) && !(entry.key == "location" && entry.value.text == "/") {
            diagnostics.add(mapping.position(entry.keyMark), "\(entry.key) does nothing here: \(why)")
        }
    }
}

/// A mapping of one of the files, kept until all are read.
struct WrittenMapping {
    let entries: [Node.Entry]
    let file: String

    func entry(_ key: String) -> Node.Entry? { entries.first { $0.key == key } }

    /// The items of the list under `key`; none when it is no list.
    func items(_ key: String) -> [Node] {
        guard case .sequence(let items)? = entry(key)?.value.content else { return [] }
        return items
    }

    func position(_ mark: Mark) -> SourcePosition {
        SourcePosition(file: file, line: Int(mark.line), column: Int(mark.column))
    }
}

extension ListenerConfiguration {
    fileprivate var isPassthrough: Bool { protocolName == .tlsPassthrough }
}
