package import Config

/// The configured names that indices in records and metrics stand for: the only label values there are.
///
/// Immutable, made from the configuration, shared by all workers and by whoever renders.
package struct MetricsNames: Sendable {
    package struct Service: Sendable {
        package let name: String
        package let endpoints: [String]

        package init(name: String, endpoints: [String]) {
            self.name = name
            self.endpoints = endpoints
        }
    }

    package let listeners: [String]
    package let routes: [String]
    package let services: [Service]

    package init(listeners: [String], routes: [String], services: [Service]) {
        self.listeners = listeners
        self.routes = routes
        self.services = services
    }

    /// Indices are positions in the configuration's lists.
    package init(_ configuration: Configuration) {
        self.init(
            listeners: configuration.listeners.map(\.name), routes: configuration.routes.map(\.name),
            services: configuration.services.map { Service(name: $0.name, endpoints: $0.endpoints.map(\.name)) })
    }
}
