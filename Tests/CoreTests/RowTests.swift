import Testing

@testable import Core

@Suite struct RowTests {
    private final class Tenant {}

    @Test func aPlaceHoldsWhatWasPutThereAndThoseBeyondTheEndHoldNothing() {
        let row = Row<Tenant>()
        #expect(row.count == 0 && row[0] == nil && row[100] == nil)
        let (first, second) = (Tenant(), Tenant())
        row[3] = first
        row[0] = second
        #expect(row.count == 4)
        #expect(row[3] === first && row[0] === second && row[1] == nil && row[4] == nil)
        row[3] = nil
        #expect(row.count == 4 && row[3] == nil)
    }

    @Test func whatIsTakenOutIsLetGo() {
        let row = Row<Tenant>()
        weak var first: Tenant?
        weak var second: Tenant?
        do {
            let tenants = (Tenant(), Tenant())
            (first, second) = tenants
            row[0] = tenants.0
            row[1] = tenants.1
        }
        #expect(first != nil && second != nil)
        row[0] = nil
        #expect(first == nil && second != nil)
        row.removeAll()
        #expect(second == nil && row.count == 0)
    }
}
