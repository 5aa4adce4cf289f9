package import Core

/// Round robin by weight without bursts, as nginx does it (`ngx_http_upstream_round_robin`): weights 5, 1, 1 give
/// a a b a c a a.
///
/// Every pick adds each endpoint's weight to its score and takes the total from the winner's, so a score says how much an
/// endpoint is owed. With equal weights that is plain rotation, for which a cursor is enough.
package final class SmoothWeightedRoundRobin: Balancer {
    package static let name = "round_robin"

    /// Empty when all weights are equal.
    private var scores: [Int32] = []
    private let cursorCell = Cell(0)

    package init(_ states: Span<Endpoint.State>) {
        for index in states.indices where states[index].weight != states[0].weight {
            scores = Array(repeating: 0, count: states.count)
            break
        }
    }

    package func pick(
        _ states: Span<Endpoint.State>, _ tried: TriedEndpoints, now: Instant, random: inout Random
    ) -> Int? {
        scores.isEmpty ? rotate(states, tried) : pickByScore(states, tried)
    }

    /// The next in turn. Skipped ones are not made up for.
    private func rotate(_ states: Span<Endpoint.State>, _ tried: TriedEndpoints) -> Int? {
        for _ in 0..<states.count {
            let index = cursorCell.value
            cursorCell.value = index + 1 == states.count ? 0 : index + 1
            if states[index].isEligible, !tried.contains(index) { return index }
        }
        return nil
    }

    private func pickByScore(_ states: Span<Endpoint.State>, _ tried: TriedEndpoints) -> Int? {
        var best = -1
        var total: Int32 = 0
        for index in states.indices where states[index].isEligible && !tried.contains(index) {
            let weight = Int32(truncatingIfNeeded: states[index].weight)
            total += weight
            scores[index] += weight
            if best < 0 || scores[index] > scores[best] { best = index }
        }
        guard best >= 0 else { return nil }
        scores[best] -= total
        return best
    }
}
