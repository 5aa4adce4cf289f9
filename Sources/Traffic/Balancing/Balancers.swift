/// The registry of balancers.
package enum Balancers {
    package static let all: [any Balancer.Type] = [
        SmoothWeightedRoundRobin.self
    ]

    /// The balancer of a name that the schema knows.
    package static func named(_ name: String) -> any Balancer.Type {
        for balancer in all where balancer.name == name { return balancer }
        preconditionFailure("no balancer is called \(name)")
    }
}
