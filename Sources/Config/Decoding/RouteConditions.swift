import Core

/// Everything that decides which requests a route takes, in an order of its own: what was written in whatever order, the
/// same conditions are equal.
struct RouteConditions: Hashable {
    private let location: RouteConfiguration.Location
    private let hosts: [RouteConfiguration.Host]
    private let listeners: [String]
    private let methods: [String]
    private let headers: [FieldCondition]
    private let query: [FieldCondition]
    private let clientCertificate: ClientCertificateCondition?

    init(_ route: RouteConfiguration) {
        location = route.location
        hosts = Self.sorted(route.hosts) { $0.description < $1.description }
        listeners = Self.sorted(route.listeners, by: <)
        methods = Self.sorted(route.methods, by: <)
        let headers = route.headers.map { FieldCondition(name: HostText.lowercased($0.name), test: $0.test) }
        self.headers = Self.sorted(headers) { $0.name < $1.name }
        query = Self.sorted(route.query) { $0.name < $1.name }
        clientCertificate = route.clientCertificate
    }

    private static func sorted<Element>(_ elements: [Element], by isLess: (Element, Element) -> Bool) -> [Element] {
        elements.count < 2 ? elements : elements.sorted(by: isLess)
    }
}
