package import Config

/// The files that a configuration's TLS needs, looked at before anything is started.
package enum TLSFiles {
    /// Reads certificates, keys, issuers and revocations as the server would; throws everything that is wrong with them.
    package static func check(_ configuration: Configuration) throws(ConfigError) { _ = try TLSContexts(configuration) }
}
