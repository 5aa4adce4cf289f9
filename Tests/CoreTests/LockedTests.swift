import Core
import Testing

@Suite struct LockedTests {
    private final class Shared: Sendable {
        let numbers = Locked<[Int]>([])
    }

    @Test func whatThreadsAddOneAtATimeIsAllThere() async {
        let shared = Shared()
        await withTaskGroup(of: Void.self) { group in
            for task in 0..<8 {
                group.addTask {
                    for number in 0..<500 { shared.numbers.withLock { $0.append(task * 500 + number) } }
                }
            }
        }
        #expect(shared.numbers.withLock { $0.sorted() } == Array(0..<4000))
    }

    @Test func theBodysResultAndErrorComeOut() {
        struct Refused: Error {}
        let number = Locked(1)
        #expect(
            number.withLock { value in
                value += 1
                return value
            } == 2)
        #expect(throws: Refused.self) {
            try number.withLock { value throws(Refused) in
                value += 1
                throw Refused()
            }
        }
        #expect(number.withLock { $0 } == 3)
    }
}
