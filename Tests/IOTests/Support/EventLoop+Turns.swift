import Core

@testable import IO

extension EventLoop {
    /// Runs turns until the condition holds; false when it did not within some seconds, which only a failing test takes.
    ///
    /// A turn counts for a fifth of a second at most: when the machine stood still, the loop has not had its chance.
    func turn(seconds: UInt64 = 10, until condition: () -> Bool) -> Bool {
        var left = seconds * 1_000_000_000
        while !condition() {
            guard left > 0 else { return false }
            let before = now
            turn(waitMs: 100)
            left -= min(left, max(1, min(now.nanoseconds(since: before), 200_000_000)))
        }
        return true
    }
}
