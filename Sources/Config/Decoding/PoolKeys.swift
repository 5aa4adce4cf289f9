extension PoolConfiguration: ConfigurationSection {
    mutating func decode(_ keys: inout MappingDecoder) {
        idleMax = keys.integer("idle_max", in: 0...65536) ?? idleMax
        connectionsMax = keys.integer("connections_max", in: 1...65536) ?? connectionsMax
        idleTimeout = keys.duration("idle_timeout", in: .timeout) ?? idleTimeout
        requestsMax = keys.integer("requests_max", in: 1...UInt32.max) ?? requestsMax
        ageMax = keys.duration("age_max", in: .timeout) ?? ageMax
    }

    func encode(_ json: inout JSONPrinter) {
        json.member("idle_max", idleMax)
        json.member("connections_max", connectionsMax)
        json.member("idle_timeout", idleTimeout)
        json.member("requests_max", requestsMax)
        if let ageMax { json.member("age_max", ageMax) }
    }
}
