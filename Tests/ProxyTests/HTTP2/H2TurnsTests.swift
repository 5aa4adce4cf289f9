import Testing

@testable import Proxy

@Suite struct H2TurnsTests {
    @Test func whoCameFirstOnceComesLastTheNextTime() {
        var turns = H2Turns()
        let firsts = (0..<6).map { _ in turns.begin(among: 3) { _ in true } }
        #expect(firsts == [0, 1, 2, 0, 1, 2])
    }

    @Test func whoDoesNotWaitDoesNotGiveItsTurnToANeighbour() {
        var turns = H2Turns()
        let waiting: Set<Int> = [0, 1, 7]
        let firsts = (0..<6).map { _ in turns.begin(among: 100) { waiting.contains($0) } }
        #expect(firsts == [0, 1, 7, 0, 1, 7])
    }

    @Test func aRowThatShrankBeginsAnew() {
        var turns = H2Turns()
        #expect(turns.begin(among: 8) { $0 == 7 } == 7)
        #expect(turns.begin(among: 2) { $0 == 1 } == 1)
        #expect(turns.begin(among: 0) { _ in true } == 0)
    }
}
