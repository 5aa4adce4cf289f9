extension ServiceTimeouts: ConfigurationSection {
    mutating func decode(_ keys: inout MappingDecoder) {
        connect = keys.duration("connect", in: .timeout) ?? connect
        response = keys.duration("response", in: .timeout) ?? response
        idle = keys.duration("idle", in: .timeout) ?? idle
    }

    func encode(_ json: inout JSONPrinter) {
        json.member("connect", connect)
        json.member("response", response)
        json.member("idle", idle)
    }
}
