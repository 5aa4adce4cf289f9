extension MetricsConfiguration: ConfigurationSection {
    mutating func decode(_ keys: inout MappingDecoder) {
        seriesMax = keys.integer("series_max", in: 16...1_000_000) ?? seriesMax
    }

    func encode(_ json: inout JSONPrinter) {
        json.member("series_max", seriesMax)
    }
}
