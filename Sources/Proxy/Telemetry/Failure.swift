package import Core
package import HTTP
package import Traffic

/// One exchange that the proxy itself failed, as `/failures` lists it.
///
/// A copy for the admin thread: texts are what `FailureRing` kept of them.
package struct Failure: Sendable {
    package var wallNanoseconds: UInt64
    package var reason: Reason
    package var kind: HTTPError?
    package var status: UInt16
    package var listener: Int
    package var route: Int
    package var service: Int
    package var endpoint: Int
    package var attempts: UInt32
    package var duration: UInt64
    package var clientAddress: IPAddress?
    package var clientPort: UInt16
    package var method = ""
    package var authority = ""
    package var target = ""
    package var requestID = ""
    /// What exactly went wrong, in a sentence.
    package var detail = ""

    init(_ record: borrowing ExchangeRecord, wallNanoseconds: UInt64) {
        self.wallNanoseconds = wallNanoseconds
        reason = record.reason
        kind = record.kind
        status = record.status
        listener = record.listener
        route = record.route
        service = record.service
        endpoint = record.endpoint
        attempts = record.attempts
        duration = record.duration
        clientAddress = record.clientAddress
        clientPort = record.clientPort
    }

    /// Writes the failure as one object; what does not apply is left out.
    package func write(to writer: inout JSONWriter, names: MetricsNames) {
        writer.beginObject()
        writer.key("timestamp")
        let time = Buffer(capacity: 64)
        TimestampText(.rfc3339).append(wallNanoseconds, to: time)
        writer.value(time.readable)
        writer.member("reason", reason.word)
        if let kind { writer.member("kind", kind.kind) }
        if status != 0 { writer.member("status", UInt64(status)) }
        if !method.isEmpty { writer.member("method", method) }
        if !authority.isEmpty { writer.member("authority", authority) }
        if !target.isEmpty { writer.member("target", target) }
        if let clientAddress { writer.member("client", SocketAddress.ip(clientAddress, port: clientPort).description) }
        if names.listeners.indices.contains(listener) { writer.member("listener", names.listeners[listener]) }
        if names.routes.indices.contains(route) { writer.member("route", names.routes[route]) }
        if names.services.indices.contains(service) {
            let service = names.services[service]
            writer.member("service", service.name)
            if service.endpoints.indices.contains(endpoint) { writer.member("endpoint", service.endpoints[endpoint]) }
        }
        writer.member("attempts", UInt64(attempts))
        writer.key("duration_ms")
        writer.value(millisecondsOf: duration)
        if !requestID.isEmpty { writer.member("request_id", requestID) }
        if !detail.isEmpty { writer.member("detail", detail) }
        writer.endObject()
    }
}
