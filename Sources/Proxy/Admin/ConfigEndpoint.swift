import Config
import Core

/// The configuration in effect, every key with its value, as JSON that is itself a configuration.
///
/// Where a file that it names has changed and cannot be used, the last member is a note, `x-problems`: a list of texts that
/// say which and why.
enum ConfigEndpoint: AdminEndpoint {
    static let paths = ["/config"]
    static let method = AdminMethod.get
    static let isLoopbackOnly = true

    static func respond(_ request: AdminRequest, _ server: Server) -> AdminResponse {
        var response = AdminResponse(text: server.configuration.json(problems: server.tls.problems))
        response.contentType = "application/json"
        return response
    }
}
