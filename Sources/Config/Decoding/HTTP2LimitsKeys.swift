extension HTTP2LimitsConfiguration: ConfigurationSection {
    private static let frames = 1...1_000_000

    mutating func decode(_ keys: inout MappingDecoder) {
        continuationsMax = keys.integer("continuations", in: 1...1024) ?? continuationsMax
        resetsMax = keys.integer("resets", in: Self.frames) ?? resetsMax
        pingsMax = keys.integer("pings", in: Self.frames) ?? pingsMax
        settingsMax = keys.integer("settings", in: Self.frames) ?? settingsMax
        emptyFramesMax = keys.integer("empty_frames", in: Self.frames) ?? emptyFramesMax
        windowUpdatesMax = keys.integer("window_updates", in: Self.frames) ?? windowUpdatesMax
        prioritiesMax = keys.integer("priorities", in: Self.frames) ?? prioritiesMax
        interval = keys.duration("interval", in: .seconds(1) ... .seconds(3600)) ?? interval
    }

    func encode(_ json: inout JSONPrinter) {
        json.member("continuations", continuationsMax)
        json.member("resets", resetsMax)
        json.member("pings", pingsMax)
        json.member("settings", settingsMax)
        json.member("empty_frames", emptyFramesMax)
        json.member("window_updates", windowUpdatesMax)
        json.member("priorities", prioritiesMax)
        json.member("interval", interval)
    }
}
