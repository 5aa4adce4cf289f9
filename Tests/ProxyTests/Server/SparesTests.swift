import Testing

@testable import Proxy

@Suite struct SparesTests {
    private final class Thing: Spare {
        var nextSpare: Thing?
    }

    private static func filled(_ count: Int) -> Spares<Thing> {
        let spares = Spares<Thing>()
        for _ in 0..<count { spares.put(Thing()) }
        return spares
    }

    @Test func theLastPutIsTakenFirstAndNoneWhenThereIsNone() {
        let spares = Spares<Thing>()
        #expect(spares.take() == nil && spares.count == 0)
        let things = [Thing(), Thing(), Thing()]
        for thing in things { spares.put(thing) }
        #expect(spares.count == 3)
        for thing in things.reversed() {
            #expect(spares.take() === thing)
            #expect(thing.nextSpare == nil)
        }
        #expect(spares.take() == nil && spares.count == 0)
    }

    @Test func whatNobodyNeededGoesByHalves() {
        let spares = Self.filled(100)
        // They came since the last trim: nobody can tell yet.
        spares.trim(keeping: 10)
        #expect(spares.count == 100)
        var counts: [Int] = []
        for _ in 0..<6 {
            spares.trim(keeping: 10)
            counts.append(spares.count)
        }
        #expect(counts == [50, 25, 12, 10, 10, 10])
    }

    @Test func whatWasNeededAtOnceStays() {
        let spares = Self.filled(100)
        spares.trim(keeping: 0)
        for _ in 0..<5 {
            let taken = (0..<90).compactMap { _ in spares.take() }
            for thing in taken { spares.put(thing) }
            spares.trim(keeping: 0)
        }
        #expect(spares.count >= 90 && spares.count < 100)
    }

    @Test func droppingReleasesWithoutRecursion() {
        // Released as one chain, so many would overflow the stack.
        let spares = Self.filled(1_000_000)
        weak var last: Thing?
        do {
            let thing = Thing()
            last = thing
            spares.put(thing)
        }
        spares.dropAll(but: 2)
        #expect(spares.count == 2 && last == nil)
        spares.dropAll(but: 0)
        #expect(spares.take() == nil)
    }
}
