extension HTTP2ListenerConfiguration: ConfigurationSection {
    mutating func decode(_ keys: inout MappingDecoder) {
        let context = keys.context
        isEnabled = keys.flag("enabled") ?? isEnabled
        streamsMax = keys.integer("streams_max", in: .http2Streams) ?? streamsMax
        keys.windows(stream: &streamWindow, connection: &connectionWindow)
        extendedConnect = keys.flag("extended_connect") ?? extendedConnect
        pingInterval = keys.duration("ping_interval", in: .pingInterval) ?? pingInterval
        pingTimeout = keys.duration("ping_timeout", in: .timeout) ?? pingTimeout
        let age = keys.node("age_max")
        if let age { ageMax = context.duration(age, "age_max", in: .timeout) }
        if let entry = keys.entry("age_jitter") {
            ageJitter = context.duration(entry.value, "age_jitter", in: .zero ... .seconds(86_400))
            if age == nil {
                context.report(entry.keyMark, "age_jitter does nothing here: there is no age_max")
            } else if let ageMax, let ageJitter, ageJitter > ageMax {
                let (age, more) = (DurationText.format(ageMax), DurationText.format(ageJitter))
                context.report(entry.value.mark, "age_jitter: \(more) is more than age_max, \(age)")
            }
        }
        ageGrace = keys.duration("age_grace", in: .timeout) ?? ageGrace
        keys.section("limits", &limits)
    }

    func encode(_ json: inout JSONPrinter) {
        json.member("enabled", isEnabled)
        json.member("streams_max", streamsMax)
        json.member("stream_window", bytes: streamWindow)
        json.member("connection_window", bytes: connectionWindow)
        json.member("extended_connect", extendedConnect)
        if let pingInterval { json.member("ping_interval", pingInterval) }
        json.member("ping_timeout", pingTimeout)
        if let ageMax {
            json.member("age_max", ageMax)
            json.member("age_jitter", ageJitterInEffect)
        }
        json.member("age_grace", ageGrace)
        json.member("limits", section: limits)
    }
}

extension MappingDecoder {
    /// `stream_window` and `connection_window`. A stream can use no more than the connection has, so that one below the
    /// other is refused; a larger stream window alone makes the connection's as large, or as large as those of `streams`.
    mutating func windows(stream: inout Int, connection: inout Int, streams: Int = 1) {
        let entry = self.entry("connection_window")
        stream = size("stream_window", in: 16 * 1024...16 << 20) ?? stream
        guard let entry else {
            connection = max(connection, min(stream * streams, 256 << 20))
            return
        }
        guard let value = context.size(entry.value, "connection_window", in: 64 * 1024...256 << 20) else { return }
        connection = value
        if value < stream {
            let (one, all) = (SizeText.format(UInt64(stream)), SizeText.format(UInt64(value)))
            context.report(
                entry.value.mark,
                "connection_window: \(all) is less than stream_window, \(one), which no stream could use")
        }
    }
}
