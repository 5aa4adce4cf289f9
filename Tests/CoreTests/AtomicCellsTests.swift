import Core
import Testing

@Suite struct AtomicCellsTests {
    @Test func cellsAreZeroAtFirst() {
        let cells = AtomicCells(count: 1000)
        for index in 0..<1000 { #expect(cells.load(index) == 0) }
    }

    @Test func addingAndSubtractingTouchOneCellAndWrap() {
        let cells = AtomicCells(count: 3)
        cells.add(1, 5)
        cells.subtract(1, 7)
        #expect(cells.load(1) == UInt64.max - 1)
        cells.add(1, 2)
        #expect((cells.load(0), cells.load(1), cells.load(2)) == (0, 0, 0))
    }

    @Test func aReaderSeesWhatWasStoredBeforeItWasPublished() async {
        let cells = AtomicCells(count: 10_001)
        async let writer: Void = Task.detached {
            for number in 1...10_000 {
                cells.store(number, UInt64(number) * 3)
                cells.publish(0, UInt64(number))
            }
        }.value
        async let mistakes = Task.detached {
            var mistakes = 0
            var published = 0
            while published < 10_000 {
                published = Int(cells.observe(0))
                if published > 0, cells.load(published) != UInt64(published) * 3 { mistakes += 1 }
            }
            return mistakes
        }.value
        await writer
        #expect(await mistakes == 0)
    }

    @Test func aRowWithoutCellsIsFine() {
        #expect(AtomicCells(count: 0).count == 0)
    }
}
