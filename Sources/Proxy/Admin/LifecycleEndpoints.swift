/// Stops accepting and finishes what runs; the process stays.
enum DrainEndpoint: AdminEndpoint {
    static let paths = ["/drain"]
    static let method = AdminMethod.post
    static let isLoopbackOnly = true

    static func respond(_ request: AdminRequest, _ server: Server) -> AdminResponse {
        server.drain(thenExit: false)
        return AdminResponse(text: "draining\n")
    }
}

/// Drains, then ends the process, as SIGTERM does.
enum QuitEndpoint: AdminEndpoint {
    static let paths = ["/quitquitquit"]
    static let method = AdminMethod.post
    static let isLoopbackOnly = true

    static func respond(_ request: AdminRequest, _ server: Server) -> AdminResponse {
        server.drain(thenExit: true)
        return AdminResponse(text: "draining, then quitting\n")
    }
}
