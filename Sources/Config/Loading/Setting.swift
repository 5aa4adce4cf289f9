/// A value that the environment or the command line may give instead of the file.
///
/// It is decoded as the key it stands for, so that it is checked by the same rules.
struct Setting {
    let variable: String
    let flag: String
    /// The keys from the outermost in.
    let keys: [String]

    static let all = [
        Setting(variable: "SIDECAR_WORKERS", flag: "--workers", keys: ["workers"]),
        Setting(variable: "SIDECAR_ADMIN_ADDRESS", flag: "--admin-address", keys: ["admin", "address"]),
        Setting(variable: "SIDECAR_DRAIN_TIMEOUT", flag: "--drain-timeout", keys: ["drain_timeout"]),
        Setting(variable: "SIDECAR_SERVICES_FILE", flag: "--services-file", keys: ["services_file"]),
        Setting(variable: "SIDECAR_LOG_LEVEL", flag: "--log-level", keys: ["log_level"]),
    ]

    /// The document that says nothing but this setting.
    func entries(_ value: String) -> [Node.Entry] {
        var node = Node(.plain(value), at: .none)
        for key in keys.dropFirst().reversed() {
            node = Node(.mapping([Node.Entry(key: key, keyMark: .none, value: node)]), at: .none)
        }
        return [Node.Entry(key: keys[0], keyMark: .none, value: node)]
    }
}
