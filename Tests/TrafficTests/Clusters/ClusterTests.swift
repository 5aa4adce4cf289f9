import Config
import Core
import Testing

@testable import Traffic

@Suite struct ClusterTests {
    private func cluster(_ weights: [UInt32], rotation: Int = 0) -> Cluster {
        let endpoints = weights.enumerated().map { index, weight in
            EndpointConfiguration(
                name: "e\(index)", target: .address(.ip(.loopbackV4, port: 1)), weight: weight)
        }
        return Cluster(ServiceConfiguration(name: "s", endpoints: endpoints), rotation: rotation)
    }

    private func picks(_ cluster: Cluster, _ count: Int, _ tried: TriedEndpoints = TriedEndpoints()) -> [Int?] {
        var random = Random(seed: 1)
        return (0..<count).map { _ in cluster.pick(tried, now: .zero, random: &random) }
    }

    @Test func endpointsAreThoseOfTheConfiguration() {
        let cluster = cluster([2, 1])
        #expect(cluster.endpoints.map(\.name) == ["e0", "e1"])
        #expect((0..<2).map { cluster.states[$0].weight } == [2, 1])
        #expect(picks(cluster, 3) == [0, 1, 0])
    }

    @Test func workersStartAtDifferentEndpoints() {
        #expect((0..<4).map { picks(cluster([1, 1, 1], rotation: $0), 1)[0] } == [0, 1, 2, 0])
        #expect(picks(cluster([5, 1, 1], rotation: 2), 5) == [1, 0, 2, 0, 0])
    }

    @Test func onlyEligibleEndpointsArePicked() {
        let cluster = cluster([1, 1])
        cluster.setEligible(false, 0)
        #expect(cluster.eligibleCount == 1)
        #expect(picks(cluster, 2) == [1, 1])
        cluster.setEligible(false, 1)
        #expect(picks(cluster, 1) == [nil])
        cluster.setEligible(true, 0)
        #expect(picks(cluster, 2) == [0, 0])
    }

    @Test func exchangesAreCounted() {
        let cluster = cluster([1, 1])
        cluster.exchangeStarted(on: 1)
        cluster.exchangeStarted(on: 1)
        cluster.exchangeEnded(on: 1)
        #expect((0..<2).map { cluster.states[$0].inFlight } == [0, 1])
    }

    @Test func triedEndpointsAreRemembered() {
        var tried = TriedEndpoints()
        #expect(tried.isEmpty)
        for index in [3, 70_000, 3] { tried.insert(index) }
        #expect(tried.count == 2)
        #expect(tried.contains(3) && tried.contains(70_000) && !tried.contains(0))
        tried.removeAll()
        #expect(tried.isEmpty && !tried.contains(3))
    }
}
