@testable import Config

/// Loads texts as if they were files, so that tests need no file system.
func load(
    _ text: String, services: String? = nil, environment: [String: String] = [:], flags: [String: String] = [:],
    regexCheck: @escaping RegexCheck = { _, _ in .valid(groups: 9) }
) throws(ConfigError) -> Configuration {
    try load(
        bytes: Array(text.utf8), services: services, environment: environment, flags: flags, regexCheck: regexCheck)
}

func load(
    bytes: [UInt8], services: String? = nil, environment: [String: String] = [:], flags: [String: String] = [:],
    regexCheck: @escaping RegexCheck = { _, _ in .valid(groups: 9) }
) throws(ConfigError) -> Configuration {
    let loader = ConfigurationLoader(environment: environment, flags: flags, regexCheck: regexCheck) {
        (path, _) throws(FileProblem) in
        if path == "a.yaml" { return bytes }
        if let services, path == "s.yaml" { return Array(services.utf8) }
        throw FileProblem("cannot be read: there is no such file")
    }
    return try loader.load(path: "a.yaml")
}

/// The lines that `sidecar check` would print; none for a good configuration.
func problems(
    _ text: String, services: String? = nil, environment: [String: String] = [:], flags: [String: String] = [:],
    regexCheck: @escaping RegexCheck = { _, _ in .valid(groups: 9) }
) -> [String] {
    do throws(ConfigError) {
        _ = try load(text, services: services, environment: environment, flags: flags, regexCheck: regexCheck)
        return []
    } catch {
        return error.diagnostics.map(\.description)
    }
}

func problems(bytes: [UInt8]) -> [String] {
    do throws(ConfigError) {
        _ = try load(bytes: bytes)
        return []
    } catch {
        return error.diagnostics.map(\.description)
    }
}

/// Takes the `▸` out of `text`: it stands where `message` must be reported. Returns the text and the line to expect.
func marked(_ text: String, _ message: String) -> (text: String, problem: String) {
    let parts = text.split(separator: "▸", maxSplits: 1, omittingEmptySubsequences: false)
    let lines = parts[0].split(separator: "\n", omittingEmptySubsequences: false)
    let column = (lines.last?.count ?? 0) + 1
    return (parts.joined(), "a.yaml:\(lines.count):\(column): \(message)")
}
