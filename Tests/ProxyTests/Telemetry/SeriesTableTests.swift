import Core
import Testing

@testable import Proxy

@Suite struct SeriesTableTests {
    @Test func aKeyKeepsItsSeries() {
        let table = SeriesTable(seriesMax: 100, width: 1)
        var random = Random(seed: 1)
        let keys = (0..<100).map { _ in random.next() | 1 }
        let series = keys.map { table.series($0) }
        #expect(series == Array(1...100))
        #expect(keys.map { table.series($0) } == series)
    }

    @Test func aFullTableSendsNewKeysToTheOverflowSeriesAndStillKnowsTheOld() {
        let table = SeriesTable(seriesMax: 3, width: 1)
        #expect([5, 6, 7, 8, 9].map { table.series($0) } == [1, 2, 3, 0, 0])
        #expect([7, 6, 5].map { table.series($0) } == [3, 2, 1])
    }

    @Test func withoutRoomEverythingOverflows() {
        let table = SeriesTable(seriesMax: 0, width: 2)
        #expect(table.series(1) == 0)
        var found: [UInt64] = []
        table.forEach { key, _ in found.append(key) }
        #expect(found == [0])
    }

    @Test func keysThatHashAlikeAreKeptApart() {
        // With 16 places the upper four bits of the product decide: find keys that share them.
        let table = SeriesTable(seriesMax: 8, width: 1)
        let alike = (UInt64(1)...).lazy.filter { ($0 &* 0x9E37_79B9_7F4A_7C15) >> 59 == 31 }.prefix(8)
        #expect(alike.map { table.series($0) } == Array(1...8))
        #expect(alike.map { table.series($0) } == Array(1...8))
    }

    @Test func aReaderNeverMeetsASeriesWithoutItsKey() async {
        let table = SeriesTable(seriesMax: 20_000, width: 1)
        async let writer: Void = Task.detached {
            for key in 1...20_000 { table.cells.add(table.series(UInt64(key)), 1) }
        }.value
        async let mistakes = Task.detached {
            var mistakes = 0
            var seen = 0
            while seen <= 20_000 {
                seen = 0
                table.forEach { key, cell in
                    if key != UInt64(cell) { mistakes += 1 }
                    seen += 1
                }
            }
            return mistakes
        }.value
        await writer
        #expect(await mistakes == 0)
    }
}
