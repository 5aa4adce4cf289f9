import Core

/// The last requests that the proxy itself had to fail, newest first, with what exactly went wrong.
enum FailuresEndpoint: AdminEndpoint {
    static let paths = ["/failures"]
    static let method = AdminMethod.get
    static let isLoopbackOnly = true

    static func respond(_ request: AdminRequest, _ server: Server) -> AdminResponse {
        let failures = server.failures.flatMap { $0.snapshot() }.sorted { $0.wallNanoseconds > $1.wallNanoseconds }
        let body = Buffer(capacity: 4096)
        var json = JSONWriter(into: body)
        json.beginObject()
        json.key("failures" as StaticString)
        json.beginArray()
        for failure in failures { failure.write(to: &json, names: server.names) }
        json.endArray()
        json.endObject()
        body.append("\n")
        return AdminResponse(contentType: "application/json", body: body)
    }
}
