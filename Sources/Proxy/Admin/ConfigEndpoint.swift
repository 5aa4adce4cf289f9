import Config
import Core

/// The configuration in effect, every key with its value, as JSON that is itself a configuration.
enum ConfigEndpoint: AdminEndpoint {
    static let paths = ["/config"]
    static let method = AdminMethod.get
    static let isLoopbackOnly = true

    static func respond(_ request: AdminRequest, _ server: Server) -> AdminResponse {
        var response = AdminResponse(text: server.configuration.json)
        response.contentType = "application/json"
        return response
    }
}
