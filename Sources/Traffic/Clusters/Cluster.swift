package import Config
package import Core

/// A service as one worker sees it: its endpoints, their exchanges under way, and the balancer between them.
///
/// Belongs to its worker's plan and is used on that thread only.
package final class Cluster {
    package let name: String
    package let configuration: ServiceConfiguration
    package let endpoints: [Endpoint]
    /// By endpoint.
    package private(set) var states: [Endpoint.State]
    private let balancer: any Balancer

    /// - `rotation`: how many picks its balancer is ahead. Workers start at different endpoints when each says its own
    ///   index.
    package init(_ configuration: ServiceConfiguration, rotation: Int = 0) {
        name = configuration.name
        self.configuration = configuration
        endpoints = configuration.endpoints.map { Endpoint(name: $0.name, configuration: $0) }
        states = configuration.endpoints.map { Endpoint.State(weight: $0.weight) }
        balancer = Balancers.named(configuration.balance.rawValue).init(states.span)
        var random = Random(seed: 0)
        for _ in 0..<rotation { _ = pick(TriedEndpoints(), now: .zero, random: &random) }
    }

    // MARK: Events

    /// An endpoint became, or ceased to be, one that new exchanges may go to.
    package func setEligible(_ isEligible: Bool, _ endpoint: Int) { states[endpoint].isEligible = isEligible }

    @inline(__always)
    package func exchangeStarted(on endpoint: Int) { states[endpoint].inFlight += 1 }

    @inline(__always)
    package func exchangeEnded(on endpoint: Int) { states[endpoint].inFlight -= 1 }

    // MARK: Questions

    /// The endpoint for the next try of an exchange; nil when none is eligible and untried.
    package func pick(_ tried: TriedEndpoints, now: Instant, random: inout Random) -> Int? {
        let states = self.states
        return balancer.pick(states.span, tried, now: now, random: &random)
    }

    /// Whether some endpoint is eligible that an exchange has not tried.
    package func hasUntried(_ tried: TriedEndpoints) -> Bool {
        states.indices.contains { states[$0].isEligible && !tried.contains($0) }
    }

    /// How many endpoints new exchanges may go to.
    package var eligibleCount: Int {
        var count = 0
        for state in states where state.isEligible { count += 1 }
        return count
    }
}
