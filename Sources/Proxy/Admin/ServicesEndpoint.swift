import Config
import Core
import IO

/// Every service and endpoint: where it is, whether it can be used and why not, what it carries.
enum ServicesEndpoint: AdminEndpoint {
    static let paths = ["/services"]
    static let method = AdminMethod.get
    static let isLoopbackOnly = true

    static func respond(_ request: AdminRequest, _ server: Server) -> AdminResponse {
        let body = Buffer(capacity: 4096)
        var json = Core.JSONWriter(into: body)
        json.beginObject()
        json.key("services" as StaticString)
        json.beginArray()
        for (index, service) in server.configuration.services.enumerated() {
            json.beginObject()
            json.member("name", service.name)
            json.member("protocol", service.protocolName.rawValue)
            json.member("balance", service.balance.rawValue)
            json.key("endpoints" as StaticString)
            json.beginArray()
            for (number, endpoint) in service.endpoints.enumerated() {
                write(endpoint, service: index, endpoint: number, server, to: &json)
            }
            json.endArray()
            json.endObject()
        }
        json.endArray()
        json.endObject()
        body.append("\n")
        return AdminResponse(contentType: "application/json", body: body)
    }

    private static func write(
        _ configuration: EndpointConfiguration, service: Int, endpoint: Int, _ server: Server,
        to json: inout Core.JSONWriter
    ) {
        func sum(_ metric: EndpointMetric) -> UInt64 {
            server.metrics.reduce(0) { $0 &+ $1.value(metric, service: service, endpoint: endpoint) }
        }
        json.beginObject()
        json.member("name", configuration.name)
        json.member("weight", UInt64(configuration.weight))
        switch configuration.target {
        case .address(let address):
            json.member("address", "\(address)")
            json.member("eligible", true)
        case .host(let name, let port):
            json.member("address", "\(name):\(port)")
            let status = server.resolvedNames?.status(of: name)
            json.member("eligible", !(status?.addresses.isEmpty ?? true))
            json.key("resolved" as StaticString)
            json.beginArray()
            for address in status?.addresses ?? [] { json.value(address.description) }
            json.endArray()
            if let failure = status?.failure { json.member("resolve_error", "\(failure)") }
        }
        json.member("requests", sum(.requests))
        json.member("connections_active", sum(.connectionsActive))
        json.member("connections_idle", sum(.connectionsIdle))
        json.member("connect_failures", sum(.connectFailures))
        json.endObject()
    }
}
