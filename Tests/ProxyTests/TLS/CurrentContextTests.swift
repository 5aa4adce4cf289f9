import IO
import Testing

@testable import Proxy

@Suite struct CurrentContextTests {
    private final class Context: Sendable {
        let number: Int
        init(_ number: Int) { self.number = number }
    }

    @Test func theNextReadFindsTheReplacementAndTheOldOneLivesWhileItIsUsed() {
        let current = CurrentContext(Context(0))
        let inUse = current.value
        current.replace(by: Context(1))
        #expect(current.value.number == 1 && inUse.number == 0)
    }

    @Test func readersOnOtherThreadsSeeReplacementsInOrder() throws {
        let current = CurrentContext(Context(0))
        let readers = try (0..<2).map { _ in
            try WorkerThread(name: "reader") {
                var last = 0
                while last < 1000 {
                    let number = current.value.number
                    if number < last { Issue.record("an older context came after a newer one") }
                    last = max(last, number)
                }
            }
        }
        for number in 1...1000 { current.replace(by: Context(number)) }
        for reader in readers { reader.join() }
        #expect(current.value.number == 1000)
    }
}
