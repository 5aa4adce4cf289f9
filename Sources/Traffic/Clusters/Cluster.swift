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
    package let states: Table<Endpoint.State>
    private let balancer: any Balancer

    /// - `rotation`: how many picks its balancer is ahead. Workers start at different endpoints when each says its own
    ///   index.
    package init(_ configuration: ServiceConfiguration, rotation: Int = 0) {
        name = configuration.name
        self.configuration = configuration
        endpoints = configuration.endpoints.map { Endpoint(name: $0.name, configuration: $0) }
        let states = Table<Endpoint.State>(capacity: max(1, configuration.endpoints.count))
        for endpoint in configuration.endpoints { states.append(Endpoint.State(weight: endpoint.weight)) }
        self.states = states
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
        for index in 0..<states.count where states[index].isEligible && !tried.contains(index) { return true }
        return false
    }

    /// How many endpoints new exchanges may go to.
    package var eligibleCount: Int {
        var count = 0
        for index in 0..<states.count where states[index].isEligible { count += 1 }
        return count
    }
}
