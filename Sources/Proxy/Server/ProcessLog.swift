import Config
import Logging

/// What the process itself has to say, on standard error: starting, draining, names that do not resolve.
enum ProcessLog {
    /// A logger at the configured level. Bootstraps nothing: what a library logs stays its own affair.
    static func logger(_ level: LogLevel) -> Logger {
        var logger = Logger(label: "sidecar") { StreamLogHandler.standardError(label: $0) }
        logger.logLevel =
            switch level {
            case .debug: .debug
            case .info: .info
            case .warning: .warning
            case .error: .error
            }
        return logger
    }
}
