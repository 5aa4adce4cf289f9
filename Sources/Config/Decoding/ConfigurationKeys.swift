import Core

extension Configuration {
    /// Everything that `sidecar.yaml` may hold.
    mutating func decode(_ keys: inout MappingDecoder) {
        let context = keys.context
        keys.takesNotes = true
        decodeProcess(&keys)
        if let items = keys.list("listeners") {
            listeners.reserveCapacity(items.count)
            for item in items { listeners.append(ListenerConfiguration(item, context)) }
        }
        decodeServed(&keys)
    }

    /// What the services file may hold, added to what is there.
    mutating func decodeServed(_ keys: inout MappingDecoder) {
        let context = keys.context
        keys.takesNotes = true
        if let items = keys.list("services") {
            services.reserveCapacity(services.count + items.count)
            for item in items { services.append(ServiceConfiguration(item, context)) }
        }
        if let items = keys.list("routes") {
            routes.reserveCapacity(routes.count + items.count)
            for item in items { routes.append(RouteConfiguration(item, context)) }
        }
    }

    private mutating func decodeProcess(_ keys: inout MappingDecoder) {
        let context = keys.context
        if let node = keys.node("workers") {
            if case .plain("auto") = node.content {
                workers = .auto
            } else if case .quoted("auto") = node.content {
                workers = .auto
            } else if let count = context.integer(node, "workers (or auto)", in: 1...64) {
                workers = .count(count)
            }
        }
        keys.section("admin", &admin)
        drainTimeout = keys.duration("drain_timeout", in: .zero ... .seconds(3600)) ?? drainTimeout
        if let node = keys.node("services_file"), let text = context.text(node, "services_file", expected: "a file") {
            servicesFile = text.isEmpty ? nil : text
            if text.isEmpty { context.report(node.mark, "services_file: expected a file, found nothing") }
            context.servicesFilePosition = context.position(node.mark)
        }
        if let node = keys.node("access_log") {
            var log = accessLog ?? AccessLogConfiguration()
            MappingDecoder.decode(node, "access_log", context) { log.decode(&$0) }
            accessLog = log
        }
        logLevel = keys.choice("log_level") ?? logLevel
        keys.section("dns", &dns)
        keys.section("metrics", &metrics)
        connectionsMax = keys.integer("connections_max", in: 1...1_000_000) ?? connectionsMax
    }

    /// The configuration in effect as JSON, every key with its value, itself a configuration.
    package var json: String { json(problems: []) }

    /// The same with a note of what is wrong with it, `x-problems`, if anything is: `/config`.
    package func json(problems: [String]) -> String {
        var json = JSONPrinter()
        json.object { json in
            encode(&json)
            if !problems.isEmpty { json.member("x-problems", strings: problems) }
        }
        return json.text + "\n"
    }

    private func encode(_ json: inout JSONPrinter) {
        switch workers {
        case .auto: json.member("workers", "auto")
        case .count(let count): json.member("workers", count)
        }
        json.member("admin", section: admin)
        json.member("drain_timeout", drainTimeout)
        if let servicesFile { json.member("services_file", servicesFile) }
        if let accessLog { json.member("access_log", section: accessLog) }
        json.member("log_level", logLevel.rawValue)
        json.member("dns", section: dns)
        json.member("metrics", section: metrics)
        json.member("connections_max", connectionsMax)
        json.member("listeners", each: listeners) { json, listener in json.object { listener.encode(&$0) } }
        json.member("services", each: services) { json, service in json.object { service.encode(&$0) } }
        json.member("routes", each: routes) { json, route in json.object { route.encode(&$0) } }
    }
}
