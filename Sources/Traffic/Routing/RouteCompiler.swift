import Config
import Core

/// Compiles routes one after the other and collects what is wrong with them. Lives while a `RouteTable` is made.
struct RouteCompiler {
    private(set) var problems: [RouteTableError.Problem] = []
    private(set) var conditions = RouteConditions()
    private var patterns: [RouteConfiguration.Location: Pattern] = [:]
    private let services: [String: Int]
    private let listeners: [String: Int]
    /// Services that take bytes: routes to them are asked by a TLS server name, never by a request.
    private let byteServices: Set<String>
    private var compiled = 0

    init(_ configuration: Configuration) {
        services = Self.indices(configuration.services.map(\.name))
        listeners = Self.indices(configuration.listeners.map(\.name))
        byteServices = Set(configuration.services.lazy.filter { $0.protocolName == .tcp }.map(\.name))
    }

    /// The compiled expression of a `regex` location that a route had.
    func pattern(of location: RouteConfiguration.Location) -> Pattern? { patterns[location] }

    /// Whether a route is for TLS that is passed through.
    func isPassthrough(_ route: RouteConfiguration) -> Bool {
        if case .service(let name) = route.action { byteServices.contains(name) } else { false }
    }

    mutating func compile(_ route: RouteConfiguration) -> CompiledRoute {
        var found: [RouteTableError.Problem] = []
        func problem(_ what: String, _ message: String) {
            found.append(
                RouteTableError.Problem(routeName: route.name, source: route.source, what: what, message: message))
        }
        if case .regex(let text, let ignoresCase) = route.location, patterns[route.location] == nil {
            do throws(Pattern.CompileError) {
                patterns[route.location] = try Pattern(text, ignoresCase: ignoresCase)
            } catch {
                problem("location", error.description)
            }
        }
        var restrictedTo: [Int] = []
        for name in route.listeners {
            if let index = listeners[name] {
                restrictedTo.append(index)
            } else {
                problem("listeners", "there is no listener \(name)")
            }
        }
        conditions.append(route, listeners: restrictedTo, problem: problem)

        let action: CompiledRoute.Action
        switch route.action {
        case .service(let name):
            if services[name] == nil { problem("service", "there is no service \(name)") }
            action = .service(services[name] ?? 0)
        case .redirect(let configuration): action = .redirect(Redirect(configuration, problem))
        case .respond(let configuration): action = .respond(FixedResponse(configuration, problem))
        }
        let result = CompiledRoute(
            index: compiled, configuration: route, action: action,
            rewrite: route.rewrite.map { PathRewrite($0, of: route.location, problem) },
            requestEdits: FieldEdits(route.requestHeaders, of: .request) { problem("request_headers" + $0, $1) },
            responseEdits: FieldEdits(route.responseHeaders, of: .response) { problem("response_headers" + $0, $1) })
        compiled += 1
        problems += found
        return result
    }

    /// The first of equal names counts.
    private static func indices(_ names: [String]) -> [String: Int] {
        Dictionary(names.enumerated().map { ($1, $0) }, uniquingKeysWith: { first, _ in first })
    }
}

extension Pattern.CompileError: CustomStringConvertible {
    package var description: String { "\(message) at byte \(offset) of the regular expression" }
}
