package import Core

/// Everything `sidecar.yaml` and the services file say, validated: names are unique, references resolve, values are in
/// range. Immutable; what runs is compiled from it.
package struct Configuration: Sendable {
    package enum Workers: Equatable, Sendable {
        /// The cgroup's CPU quota rounded up, at most 2.
        case auto
        /// 1 to 64.
        case count(Int)
    }

    package var workers = Workers.auto
    package var admin = AdminConfiguration()
    /// How long running exchanges may take to finish after SIGTERM.
    package var drainTimeout: Duration = .seconds(8)
    /// The services file's path as it is opened: one that a configuration file names relatively lies beside that file.
    package var servicesFile: String?
    package var accessLog: AccessLogConfiguration?
    package var logLevel = LogLevel.info
    package var dns = DNSConfiguration()
    package var metrics = MetricsConfiguration()
    /// Most downstream connections of the process; those beyond are refused with 503 `overloaded`.
    package var connectionsMax = 10_000
    package var listeners: [ListenerConfiguration] = []
    package var services: [ServiceConfiguration] = []
    package var routes: [RouteConfiguration] = []

    package init() {}
}

/// Where health, metrics and the operator's commands are served.
package struct AdminConfiguration: Equatable, Sendable {
    package var address = SocketAddress.ip(IPAddress(v4: 0), port: 15020)
    package init() {}
}

/// How much the proxy says of itself.
package enum LogLevel: String, CaseIterable, Sendable { case debug, info, warning, error }

/// Where a line for every request goes, and in which form.
package struct AccessLogConfiguration: Equatable, Sendable {
    package enum Path: Equatable, Sendable { case stdout, stderr, file(String) }
    package enum Format: String, CaseIterable, Sendable { case json, text }

    package var path = Path.stdout
    package var format = Format.json
    /// Bytes waiting for a slow reader; lines beyond are dropped and counted.
    package var bufferBytesMax = 1 << 20
    package init() {}
}

/// How endpoints' names are resolved.
package struct DNSConfiguration: Equatable, Sendable {
    /// `ip:port` or `ip` of the servers to ask instead of those in resolv.conf.
    package var servers: [SocketAddress] = []
    /// For one query, all its tries together.
    package var timeout: Duration = .seconds(5)
    package init() {}
}

/// Bounds of what is counted.
package struct MetricsConfiguration: Equatable, Sendable {
    /// Most series of `sidecar_requests_total` per worker; requests beyond are counted in an overflow series.
    package var seriesMax = 2048
    package init() {}
}
