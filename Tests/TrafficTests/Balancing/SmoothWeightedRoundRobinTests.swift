import Core
import Testing

@testable import Traffic

@Suite struct SmoothWeightedRoundRobinTests {
    private func picks(
        _ weights: [UInt32], _ count: Int, ineligible: Set<Int> = [], tried: [Int] = []
    ) -> [Int?] {
        let states = weights.enumerated().map { Endpoint.State(weight: $1, isEligible: !ineligible.contains($0)) }
        let balancer = SmoothWeightedRoundRobin(states.span)
        var random = Random(seed: 1)
        var set = TriedEndpoints()
        for index in tried { set.insert(index) }
        return (0..<count).map { _ in balancer.pick(states.span, set, now: .zero, random: &random) }
    }

    @Test func weightsFiveOneOneSpreadWithoutBursts() {
        #expect(picks([5, 1, 1], 14) == [0, 0, 1, 0, 2, 0, 0, 0, 0, 1, 0, 2, 0, 0])
    }

    @Test func equalWeightsTakeTurns() {
        #expect(picks([3, 3, 3], 7) == [0, 1, 2, 0, 1, 2, 0])
        #expect(picks([1], 3) == [0, 0, 0])
    }

    @Test func everyRoundHasExactlyTheWeights() {
        var random = Random(seed: 9)
        for _ in 0..<50 {
            let weights = (0..<Int.random(in: 1...8, using: &random)).map { _ in
                UInt32.random(in: 1...20, using: &random)
            }
            let total = Int(weights.reduce(0, +))
            let all = picks(weights, total * 3)
            for round in 0..<3 {
                for index in weights.indices {
                    let count = all[round * total..<(round + 1) * total].count { $0 == index }
                    #expect(count == Int(weights[index]))
                }
            }
        }
    }

    @Test func theLargestWeightsDoNotOverflow() {
        let weights = Array(repeating: UInt32(1000), count: 999) + [999]
        #expect(Set(picks(weights, 2000).map { $0! }).count == 1000)
    }

    @Test func ineligibleAndTriedEndpointsAreLeftOut() {
        #expect(picks([1, 1, 1], 4, ineligible: [1]) == [0, 2, 0, 2])
        #expect(picks([1, 1, 1], 3, tried: [0]) == [1, 2, 1])
        #expect(picks([5, 1, 1], 4, ineligible: [0]) == [1, 2, 1, 2])
        #expect(picks([5, 1, 1], 2, tried: [0, 2]) == [1, 1])
    }

    @Test func whereNoneIsLeftThereIsNone() {
        #expect(picks([1, 1], 2, ineligible: [0], tried: [1]) == [nil, nil])
        #expect(picks([1, 2], 2, ineligible: [0, 1]) == [nil, nil])
        #expect(picks([], 1) == [nil])
    }

    @Test func thereIsABalancerForEveryNameOfTheSchema() {
        for balance in ["round_robin"] { #expect(Balancers.named(balance).name == balance) }
        #expect(Set(Balancers.all.map { $0.name }).count == Balancers.all.count)
    }
}
