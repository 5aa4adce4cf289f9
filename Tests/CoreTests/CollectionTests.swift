import Testing

@testable import Core

private final class Tenant {}

@Suite struct SlabTests {
    @Test func aTokenFindsItsObjectUntilItLeaves() {
        var slab = Slab<Tenant>()
        let (first, second) = (Tenant(), Tenant())
        let token = slab.insert(first)
        let other = slab.insert(second)
        #expect(slab[token] === first && slab[other] === second && slab.count == 2)
        #expect(slab.remove(token) === first)
        #expect(slab[token] == nil && slab.remove(token) == nil && slab.count == 1)
    }

    @Test func aSlotsNextTenantIsNotFoundByAnOldToken() {
        var slab = Slab<Tenant>()
        let old = slab.insert(Tenant())
        slab.remove(old)
        let new = slab.insert(Tenant())
        #expect(new != old && slab[old] == nil && slab[new] != nil)
        #expect(new.rawValue & 0xFFFF_FFFF == old.rawValue & 0xFFFF_FFFF)
    }

    @Test func tokensThatWereNeverIssuedFindNothing() {
        var slab = Slab<Tenant>()
        #expect(slab[.init(rawValue: 0)] == nil)
        _ = slab.insert(Tenant())
        for raw in [0, 1, .max, 1 << 32 | 1, 2 << 32] as [UInt64] { #expect(slab[.init(rawValue: raw)] == nil) }
    }

    @Test func aWalkMeetsEveryObjectOnce() {
        var slab = Slab<Tenant>()
        let tokens = (0..<5).map { _ in slab.insert(Tenant()) }
        slab.remove(tokens[1])
        slab.remove(tokens[3])
        var met: [ObjectIdentifier] = []
        slab.forEach { met.append(ObjectIdentifier($0)) }
        #expect(Set(met).count == 3 && met.count == 3)
    }
}

@Suite struct TableTests {
    @Test func elementsStayInOrderThroughGrowth() {
        let table = Table<Int>(capacity: 1)
        for value in 0..<100 { table.append(value * 3) }
        #expect(table.count == 100)
        for index in 0..<100 { #expect(table[index] == index * 3) }
        table[7] = -1
        #expect(table[7] == -1 && table[8] == 24)
    }

    @Test func anEmptiedTableIsUsedAgain() {
        let table = Table<Int>(capacity: 2)
        for _ in 0..<3 {
            for value in 0..<50 { table.append(value) }
            table.removeAll(keepingAtMost: 10)
            #expect(table.count == 0)
        }
        table.append(5)
        #expect(table[0] == 5 && table.count == 1)
    }
}

@Suite struct CellTests {
    @Test func aValueIsChangedInPlace() {
        let cell = Cell(SIMD2<Int>(1, 2))
        cell.value.x = 5
        #expect(cell.value == SIMD2(5, 2))
    }
}
