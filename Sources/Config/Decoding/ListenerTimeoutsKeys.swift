extension ListenerTimeouts: ConfigurationSection {
    mutating func decode(_ keys: inout MappingDecoder) {
        head = keys.duration("head", in: .timeout) ?? head
        keepAlive = keys.duration("keep_alive", in: .timeout) ?? keepAlive
        idle = keys.duration("idle", in: .timeout) ?? idle
    }

    func encode(_ json: inout JSONPrinter) {
        json.member("head", head)
        json.member("keep_alive", keepAlive)
        json.member("idle", idle)
    }
}
