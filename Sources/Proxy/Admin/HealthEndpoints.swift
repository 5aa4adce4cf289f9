import Core
import IO

/// The process is alive. Depends on nothing else: restarting it would mend neither an upstream nor a configuration.
enum LiveEndpoint: AdminEndpoint {
    static let paths = ["/livez", "/healthz", "/live"]
    static let method = AdminMethod.get
    static let isLoopbackOnly = false
    static func respond(_ request: AdminRequest, _ server: Server) -> AdminResponse { AdminResponse(text: "ok\n") }
}

/// It takes traffic: 503 before it listens, and from the moment it drains. `?verbose` says why.
enum ReadyEndpoint: AdminEndpoint {
    static let paths = ["/readyz", "/ready", "/healthz/ready"]
    static let method = AdminMethod.get
    static let isLoopbackOnly = false

    static func respond(_ request: AdminRequest, _ server: Server) -> AdminResponse {
        let reasons = server.unreadiness
        let isReady = reasons.isEmpty
        guard request.has("verbose") else {
            return AdminResponse(status: isReady ? 200 : 503, text: isReady ? "ok\n" : "not ready\n")
        }
        var text = ""
        text += "[\(server.phase == .starting ? "-" : "+")] started\n"
        text += "[\(server.phase == .draining ? "-" : "+")] not draining\n"
        for reason in reasons { text += "    \(reason)\n" }
        for name in server.resolvedNames?.statuses ?? [] {
            let addresses = name.addresses.map(\.description).joined(separator: " ")
            text += "[\(name.addresses.isEmpty ? "-" : "+")] \(name.name): \(addresses)"
            if let failure = name.failure { text += " (\(failure))" }
            text += "\n"
        }
        text += isReady ? "ok\n" : "not ready\n"
        return AdminResponse(status: isReady ? 200 : 503, text: text)
    }
}

/// It has started: true for ever from the first moment that it was ready.
enum StartupEndpoint: AdminEndpoint {
    static let paths = ["/startupz"]
    static let method = AdminMethod.get
    static let isLoopbackOnly = false

    static func respond(_ request: AdminRequest, _ server: Server) -> AdminResponse {
        let isStarted = server.phase != .starting
        return AdminResponse(status: isStarted ? 200 : 503, text: isStarted ? "ok\n" : "starting\n")
    }
}
