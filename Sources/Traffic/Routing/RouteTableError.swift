/// Everything that keeps routes from being compiled; all of it, not the first only.
package struct RouteTableError: Error, Equatable, Sendable {
    /// One mistake in one route.
    package struct Problem: Equatable, Sendable {
        package let routeName: String
        /// Where that route is defined, `file:line`; empty when unknown.
        package let source: String
        /// The key within the route, `location` or `headers.X-Version`.
        package let what: String
        package let message: String
    }

    package let problems: [Problem]
}

extension RouteTableError: CustomStringConvertible {
    package var description: String {
        problems.map { problem in
            let place = problem.source.isEmpty ? "" : problem.source + ": "
            return "\(place)route \(problem.routeName), \(problem.what): \(problem.message)"
        }.joined(separator: "\n")
    }
}
