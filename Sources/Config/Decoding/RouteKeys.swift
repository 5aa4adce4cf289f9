import Core

extension RouteConfiguration: ConfigurationSection {
    /// A route as `node` says; problems are reported, and what is missing stands in for itself.
    init(_ node: Node, _ context: DecodingContext) {
        self.init(name: "", action: .service(""))
        source = context.position(node.mark).lineDescription
        context.keep(.route, node)
        MappingDecoder.decode(node, "a route", context) { decode(&$0) }
    }

    mutating func decode(_ keys: inout MappingDecoder) {
        let context = keys.context
        if let node = keys.required("name", of: "a route"), let name = context.name(node, of: "a route") {
            self.name = name
            context.define(.route, name, at: node.mark)
        }
        decodeConditions(&keys)
        let service = keys.entry("service")
        let redirect = keys.entry("redirect")
        let respond = keys.entry("respond")
        let rewrite = keys.entry("rewrite")
        let requestHeaders = keys.entry("request_headers")
        let timeouts = keys.entry("timeouts")
        let limits = keys.entry("limits")
        decodeAction(service: service, redirect: redirect, respond: respond, at: keys.mark, context)
        if let rewrite { self.rewrite = context.rewrite(rewrite.value, of: location) }
        if let requestHeaders { self.requestHeaders.decode(requestHeaders, context) }
        if let entry = keys.entry("response_headers") { responseHeaders.decode(entry, context) }
        if let timeouts {
            MappingDecoder.decode(timeouts.value, "timeouts", context) { timeouts in
                responseTimeout = timeouts.duration("response", in: .timeout)
                idleTimeout = timeouts.duration("idle", in: .timeout)
            }
        }
        if let limits {
            MappingDecoder.decode(limits.value, "limits", context) { bodyBytesMax = $0.size("body", in: 0...(1 << 50)) }
        }
        if service == nil, redirect != nil || respond != nil {
            for entry in [rewrite, requestHeaders, timeouts, limits] {
                guard let entry else { continue }
                context.report(entry.keyMark, "\(entry.key) does nothing here: no service gets the request")
            }
        }
    }

    private mutating func decodeConditions(_ keys: inout MappingDecoder) {
        let context = keys.context
        let problemsBefore = context.diagnostics.count
        if let node = keys.node("hosts") {
            let texts = context.texts(node, "hosts")
            hosts = texts.compactMap { context.routeHost($0.text, at: $0.mark) }
            context.refuseEmpty(node, "hosts", "any host")
        }
        if let node = keys.node("listeners") {
            for (text, mark) in context.texts(node, "listeners") {
                listeners.append(text)
                context.refer(to: .listener, text, at: mark)
            }
            context.refuseEmpty(node, "listeners", "all listeners")
        }
        let location = keys.node("location")
        if let location { self.location = context.location(location) ?? self.location }
        if let entry = keys.entry("grpc") {
            if location != nil { context.report(entry.keyMark, "a route takes either 'location' or 'grpc'") }
            self.location = context.grpcLocation(entry.value) ?? self.location
        }
        if let node = keys.node("methods") {
            methods = context.texts(node, "methods").compactMap { context.method($0.text, at: $0.mark) }
            context.refuseEmpty(node, "methods", "any method")
        }
        if let entries = keys.entries("headers") { headers = context.conditions(entries, "headers", areFields: true) }
        if let entries = keys.entries("query") { query = context.conditions(entries, "query", areFields: false) }
        if let node = keys.node("client_certificate") {
            var condition = ClientCertificateCondition()
            MappingDecoder.decode(node, "client_certificate", context) { condition.decode(&$0) }
            clientCertificate = condition
        }
        // Conditions that could not be read stand for others than those written.
        guard context.diagnostics.count == problemsBefore else { return }
        context.defineRoute(RouteConditions(self), name, at: keys.mark)
    }

    private mutating func decodeAction(
        service: Node.Entry?, redirect: Node.Entry?, respond: Node.Entry?, at mark: Mark, _ context: DecodingContext
    ) {
        if let service, let name = context.text(service.value, "service", expected: "a service's name") {
            action = .service(name)
            context.refer(to: .service, name, at: service.value.mark)
        }
        if let redirect {
            var value = RedirectConfiguration()
            MappingDecoder.decode(redirect.value, "redirect", context) { value.decode(&$0) }
            action = .redirect(value)
        }
        if let respond {
            var value = FixedResponseConfiguration()
            MappingDecoder.decode(respond.value, "respond", context) { value.decode(&$0) }
            action = .respond(value)
        }
        let given = [service, redirect, respond].compactMap { $0 }
        if given.isEmpty {
            context.report(mark, "a route needs one of 'service', 'redirect' and 'respond'")
        }
        for extra in given.dropFirst() {
            context.report(extra.keyMark, "a route has one action: '\(given[0].key)' is given already")
        }
    }

    func encode(_ json: inout JSONPrinter) {
        json.member("name", name)
        if !hosts.isEmpty { json.member("hosts", strings: hosts.map(\.description)) }
        if !listeners.isEmpty { json.member("listeners", strings: listeners) }
        if case .grpc(let service, let method) = location {
            json.object("grpc") { grpc in
                grpc.member("service", service)
                if let method { grpc.member("method", method) }
            }
        } else {
            json.member("location", location.description)
        }
        if !methods.isEmpty { json.member("methods", strings: methods) }
        if !headers.isEmpty { json.member("headers", conditions: headers) }
        if !query.isEmpty { json.member("query", conditions: query) }
        if let clientCertificate { json.member("client_certificate", section: clientCertificate) }
        switch action {
        case .service(let name): json.member("service", name)
        case .redirect(let redirect): json.member("redirect", section: redirect)
        case .respond(let response): json.member("respond", section: response)
        }
        if let rewrite { json.value("rewrite") { rewrite.encode(&$0) } }
        if !requestHeaders.isEmpty { json.value("request_headers") { requestHeaders.encode(&$0) } }
        if !responseHeaders.isEmpty { json.value("response_headers") { responseHeaders.encode(&$0) } }
        if responseTimeout != nil || idleTimeout != nil {
            json.object("timeouts") { timeouts in
                if let responseTimeout { timeouts.member("response", responseTimeout) }
                if let idleTimeout { timeouts.member("idle", idleTimeout) }
            }
        }
        if let bodyBytesMax {
            json.object("limits") { $0.member("body", bytes: bodyBytesMax) }
        }
    }
}

extension DecodingContext {
    /// A method: an upper-case token.
    fileprivate func method(_ text: String, at mark: Mark) -> String? {
        guard (1...32).contains(text.utf8.count), text.utf8.allSatisfy({ ASCII.isToken($0) }) else {
            report(mark, "methods: '\(Node.excerpt(text))' is no method")
            return nil
        }
        let upper = text.uppercased()
        guard upper == text else {
            report(mark, "methods: methods are upper case, found '\(text)'", suggestion: upper)
            return nil
        }
        return text
    }
}

extension RouteConfiguration.Host: CustomStringConvertible {
    /// As configurations write it.
    package var description: String {
        switch self {
        case .exact(let name): name
        case .wildcard(let name): "*.\(name)"
        }
    }
}

extension RouteConfiguration.Location: CustomStringConvertible {
    /// As configurations write it; for gRPC, which has keys of its own, as people do.
    package var description: String {
        switch self {
        case .grpc(let service, let method): "grpc \(service)\(method.map { "/\($0)" } ?? "")"
        case .exact(let path): "= \(path)"
        case .prefix(let path, let beatsRegex): beatsRegex ? "^~ \(path)" : path
        case .regex(let pattern, let ignoresCase): "\(ignoresCase ? "~*" : "~") \(pattern)"
        }
    }
}
