import Config
import Glibc
import Proxy

/// A configuration as `run` and `check` load it: files, environment and flags, its expressions compiled.
enum LoadedConfiguration {
    /// Loads and validates; throws every problem of all files at once.
    static func load(_ path: String, flags: [String: String] = [:]) throws(ConfigError) -> Configuration {
        let loader = ConfigurationLoader(
            environment: environment, flags: flags, regexCheck: RegularExpressions.check)
        return try loader.load(path: path)
    }

    /// The variables that may override the file.
    private static var environment: [String: String] {
        var variables: [String: String] = [:]
        for name in ConfigurationLoader.variables {
            // SAFETY: getenv returns a terminated string or nil; nothing changes the environment meanwhile.
            if let value = unsafe getenv(name) { variables[name] = unsafe String(cString: value) }
        }
        return variables
    }
}
