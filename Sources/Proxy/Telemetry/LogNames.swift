import Core

/// The configured names as a log line has them, key and escaping included, so that a line copies them whole.
///
/// Immutable after `init`; owned by a formatter.
final class LogNames {
    enum Kind { case listener, route, service, endpoint }

    private let text = Buffer(capacity: 1024)
    private var listeners: [Range<Int>] = []
    private var routes: [Range<Int>] = []
    private var services: [Range<Int>] = []
    private var endpoints: [Range<Int>] = []
    private var endpointStarts: [Int] = []

    /// `render` appends one name's part of a line.
    init(_ names: MetricsNames, _ render: (_ kind: Kind, _ name: String, _ output: Buffer) -> Void) {
        func rendered(_ kind: Kind, _ name: String) -> Range<Int> {
            let start = text.writerIndex
            render(kind, name, text)
            return start..<text.writerIndex
        }
        listeners = names.listeners.map { rendered(.listener, $0) }
        routes = names.routes.map { rendered(.route, $0) }
        for service in names.services {
            services.append(rendered(.service, service.name))
            endpointStarts.append(endpoints.count)
            endpoints.append(contentsOf: service.endpoints.map { rendered(.endpoint, $0) })
        }
    }

    /// Appends the names of what the record got to.
    @inline(__always)
    func append(_ record: borrowing ExchangeRecord, to output: Buffer) {
        let text = self.text
        if record.listener >= 0 { output.append(text.bytes(listeners[record.listener])) }
        if record.route >= 0 { output.append(text.bytes(routes[record.route])) }
        guard record.service >= 0 else { return }
        output.append(text.bytes(services[record.service]))
        guard record.endpoint >= 0 else { return }
        output.append(text.bytes(endpoints[endpointStarts[record.service] + record.endpoint]))
    }
}
