import Core

/// One resource of the admin port: a file of its own and a line in the registry.
protocol AdminEndpoint: SendableMetatype {
    /// The path and its aliases.
    static var paths: [String] { get }
    static var method: AdminMethod { get }
    /// Whether only callers on loopback, or on a unix socket, may use it.
    static var isLoopbackOnly: Bool { get }
    static func respond(_ request: AdminRequest, _ server: Server) -> AdminResponse
}

enum AdminMethod { case get, post }

/// What an admin endpoint may look at.
struct AdminRequest {
    let path: String
    /// Without the question mark.
    let query: String
    let accept: String

    /// Whether the query names this parameter, with or without a value.
    func has(_ parameter: String) -> Bool {
        query.split(separator: "&").contains { $0 == parameter || $0.hasPrefix("\(parameter)=") }
    }
}

/// What the admin port answers.
struct AdminResponse {
    var status: UInt16 = 200
    var contentType = "text/plain; charset=utf-8"
    /// The methods to be used instead, with status 405 (RFC 9110 §15.5.6).
    var allow = ""
    var body: Buffer

    init(status: UInt16 = 200, contentType: String = "text/plain; charset=utf-8", body: Buffer) {
        self.status = status
        self.contentType = contentType
        self.body = body
    }

    init(status: UInt16 = 200, text: String) {
        let body = Buffer(capacity: max(64, text.utf8.count))
        body.append(text)
        self.init(status: status, body: body)
    }
}

/// Every resource of the admin port.
enum AdminRegistry {
    static let endpoints: [any AdminEndpoint.Type] = [
        LiveEndpoint.self, ReadyEndpoint.self, StartupEndpoint.self, MetricsEndpoint.self, ConfigEndpoint.self,
        ServicesEndpoint.self, FailuresEndpoint.self, DrainEndpoint.self, QuitEndpoint.self,
    ]

    /// The endpoints of a path, one per method.
    static func find(_ path: String) -> [any AdminEndpoint.Type] { endpoints.filter { $0.paths.contains(path) } }
}
