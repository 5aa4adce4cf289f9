import Core

/// Everything that decides which requests a route takes, whatever the order it is written in.
struct RouteConditions: Hashable {
    private let hosts: Set<RouteConfiguration.Host>
    private let listeners: Set<String>
    private let location: RouteConfiguration.Location
    private let methods: Set<String>
    private let headers: Set<FieldCondition>
    private let query: Set<FieldCondition>

    init(_ route: RouteConfiguration) {
        hosts = Set(route.hosts)
        listeners = Set(route.listeners)
        location = route.location
        methods = Set(route.methods)
        headers = Set(route.headers.map { FieldCondition(name: HostText.lowercased($0.name), test: $0.test) })
        query = Set(route.query)
    }
}
