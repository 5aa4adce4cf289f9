import Core

@testable import IO

extension EventLoop {
    /// Runs turns until the condition holds; false when it did not within some seconds, which only a failing test takes.
    func turn(seconds: Int64 = 10, until condition: () -> Bool) -> Bool {
        let deadline = now.advanced(by: .seconds(seconds))
        while !condition() {
            guard now < deadline else { return false }
            turn(waitMs: 100)
        }
        return true
    }
}
