import Core
import Glibc
import Testing

@testable import Proxy

@Suite struct ProcessFiguresTests {
    @Test func thisProcessHasAllFigures() throws {
        let figures = ProcessFigures.current()
        #expect(try #require(figures.cpuNanoseconds) > 0)
        let resident = try #require(figures.residentBytes)
        #expect(resident > 1 << 20)
        #expect(try #require(figures.virtualBytes) > resident)
        #expect(try #require(figures.openDescriptors) >= 3)
        #expect(try #require(figures.descriptorsMax) >= 3)
        #expect(try #require(figures.threads) >= 1)
        // After 2020, and not in the future.
        let start = try #require(figures.startNanoseconds) / 1_000_000_000
        #expect(start > 1_577_836_800 && start <= UInt64(time(nil)))
        #expect(ProcessFigures.current().startNanoseconds == figures.startNanoseconds)
    }

    @Test func aCommandMayBeCalledAnything() {
        let text = Buffer(capacity: 64)
        text.append("42 (a) b) 7 (c) S 1 2 3 4 -5 6 7 8 9 10 11 12 13 14 15 16 77 18 19 2000000 500 19 20\n")
        var figures = ProcessFigures()
        figures.parse(stat: text)
        #expect(figures.threads == 77)
        #expect(figures.virtualBytes == 2_000_000)
        #expect(figures.residentBytes == 500 * UInt64(sysconf(Int32(_SC_PAGESIZE))))
    }

    @Test(arguments: ["", "1", "1 (x", "1 (x)", "1 (x) S 1 2 3\n"])
    func whatIsCutShortGivesNoFigures(_ stat: String) {
        let text = Buffer(capacity: 64)
        text.append(stat)
        var figures = ProcessFigures()
        figures.parse(stat: text)
        #expect(figures.threads == nil && figures.residentBytes == nil && figures.startNanoseconds == nil)
    }
}
