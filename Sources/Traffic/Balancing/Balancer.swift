package import Core

/// Chooses among the endpoints of one cluster.
///
/// Owned by its `Cluster`, so by one worker; holds its own cursors. A new one is a file, a line in `Balancers` and a
/// name in the configuration's schema.
package protocol Balancer: AnyObject, SendableMetatype {
    /// As the configuration's `balance` says it.
    static var name: String { get }

    /// The endpoints never change; their states do.
    init(_ states: Span<Endpoint.State>)

    /// The index of an endpoint that is eligible and not tried, nil when there is none.
    func pick(_ states: Span<Endpoint.State>, _ tried: TriedEndpoints, now: Instant, random: inout Random) -> Int?
}
