extension HTTP2ServiceConfiguration: ConfigurationSection {
    mutating func decode(_ keys: inout MappingDecoder) {
        streamsMax = keys.integer("streams_max", in: .http2Streams) ?? streamsMax
        keys.windows(stream: &streamWindow, connection: &connectionWindow, streams: streamsMax)
        pingInterval = keys.duration("ping_interval", in: .pingInterval) ?? pingInterval
        pingTimeout = keys.duration("ping_timeout", in: .timeout) ?? pingTimeout
    }

    func encode(_ json: inout JSONPrinter) {
        json.member("streams_max", streamsMax)
        json.member("stream_window", bytes: streamWindow)
        json.member("connection_window", bytes: connectionWindow)
        if let pingInterval { json.member("ping_interval", pingInterval) }
        json.member("ping_timeout", pingTimeout)
    }
}
