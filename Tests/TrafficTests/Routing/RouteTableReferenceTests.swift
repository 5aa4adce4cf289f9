import Config
import Core
import HTTP
import Testing

@testable import Traffic

/// The table against the rule written down as plainly as possible, over generated routes and requests.
@Suite struct RouteTableReferenceTests {
    private let hosts = ["a.x", "b.a.x", "c.b.a.x", "x", "y"]
    private let paths = ["/", "/a", "/a/", "/a/b", "/ab", "/a/b/c", "/b", "/c/b", "/b/a/c"]
    private let methods = ["GET", "POST", "PURGE"]

    private func generated(_ random: inout Random, _ index: Int) -> RouteConfiguration {
        let path = paths.randomElement(using: &random)!
        let location: RouteConfiguration.Location =
            switch Int.random(in: 0..<7, using: &random) {
            case 0: .exact(path)
            case 1: .prefix(path, beatsRegex: true)
            case 2...4: .regex(path.dropFirst() + "$", ignoresCase: false)
            default: .prefix(path, beatsRegex: false)
            }
        return route("\(index)", location) { route in
            while Bool.random(using: &random), route.hosts.count < 3 {
                let host = hosts.randomElement(using: &random)!
                route.hosts.append(Bool.random(using: &random) ? .exact(host) : .wildcard(host))
            }
            if Int.random(in: 0..<3, using: &random) == 0 {
                route.methods = [methods.randomElement(using: &random)!, "GET"]
            }
            if Int.random(in: 0..<3, using: &random) == 0 {
                route.headers = [FieldCondition(name: "X-A", test: Bool.random(using: &random) ? .present : .absent)]
            }
            if Int.random(in: 0..<5, using: &random) == 0 {
                route.query = [FieldCondition(name: "q", test: .exact("1"))]
            }
            if Int.random(in: 0..<5, using: &random) == 0 { route.listeners = ["two"] }
        }
    }

    private struct Sample {
        let method: String
        let host: String
        let path: String
        let hasField: Bool
        let hasQuery: Bool
        let listener: Int
    }

    private func fits(_ route: RouteConfiguration, _ sample: Sample) -> Bool {
        (route.methods.isEmpty || route.methods.contains(sample.method))
            && route.headers.allSatisfy { ($0.test == .present) == sample.hasField }
            && (route.query.isEmpty || sample.hasQuery)
            && (route.listeners.isEmpty || sample.listener == 1)
    }

    /// Groups by host, then applies nginx's order to those that fit.
    private func expected(_ routes: [RouteConfiguration], _ sample: Sample) -> String? {
        var groups = [routes.filter { $0.hosts.contains(.exact(sample.host)) }]
        let wildcards = hosts.filter { sample.host.hasSuffix("." + $0) }.sorted { $0.count > $1.count }
        groups += wildcards.map { host in routes.filter { $0.hosts.contains(.wildcard(host)) } }
        groups.append(routes.filter { $0.hosts.isEmpty })
        for group in groups {
            if let found = best(group, sample) { return found.name }
        }
        return nil
    }

    private func best(_ routes: [RouteConfiguration], _ sample: Sample) -> RouteConfiguration? {
        func conditions(_ route: RouteConfiguration) -> Int {
            (route.methods.isEmpty ? 0 : 1) + route.headers.count + route.query.count
                + (route.listeners.isEmpty ? 0 : 1)
        }
        func first(_ location: RouteConfiguration.Location) -> RouteConfiguration? {
            // The first of equals.
            routes.filter { $0.location == location && fits($0, sample) }.max { conditions($0) < conditions($1) }
        }
        if let exact = first(.exact(sample.path)) { return exact }
        var prefix: RouteConfiguration?
        for count in stride(from: sample.path.utf8.count, through: 0, by: -1) where prefix == nil {
            let text = String(sample.path.prefix(count))
            if let hat = first(.prefix(text, beatsRegex: true)) { return hat }
            prefix = first(.prefix(text, beatsRegex: false))
        }
        for route in routes {
            guard case .regex(let text, _) = route.location, sample.path.hasSuffix(text.dropLast()) else { continue }
            if let found = first(route.location) { return found }
        }
        return prefix
    }

    @Test func itAgreesWithTheRuleWrittenDownPlainly() throws {
        var random = Random(seed: 2)
        var taken = 0
        for _ in 0..<150 {
            let count = Int.random(in: 0..<40, using: &random)
            let routes = (0..<count).map { generated(&random, $0) }
            let table = try RouteTable(configuration(routes))
            for _ in 0..<60 {
                let sample = Sample(
                    method: methods.randomElement(using: &random)!, host: hosts.randomElement(using: &random)!,
                    path: paths.randomElement(using: &random)!, hasField: Bool.random(using: &random),
                    hasQuery: Bool.random(using: &random), listener: Int.random(in: 0...1, using: &random))
                let head = request(
                    sample.method, sample.path + (sample.hasQuery ? "?q=1" : ""), host: sample.host,
                    fields: sample.hasField ? [("x-a", "")] : [])
                let result = try matched(table, head, listener: sample.listener)
                #expect(result == expected(routes, sample), "\(sample)")
                taken += result == nil ? 0 : 1
            }
        }
        #expect(taken > 4500)
    }
}
