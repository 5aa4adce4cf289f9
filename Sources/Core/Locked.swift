import Synchronization

/// A value that several threads change, one at a time: a mutex whose hand-over the thread sanitizer sees.
///
/// When threads meet, a `Mutex` changes hands within the kernel and the Swift library, where the sanitizer does not look,
/// so that it takes what the lock protects for a race. An atomic that is read after locking and written before unlocking
/// says the same once more, for the price of two moves.
package struct Locked<Value: ~Copyable>: ~Copyable {
    private let mutex: Mutex<Value>
    private let handedOver = Atomic(false)

    package init(_ value: consuming sending Value) { mutex = Mutex(value) }

    /// Runs `body` while no other thread runs one on this value.
    package borrowing func withLock<Result: ~Copyable, Failure: Error>(
        _ body: (inout sending Value) throws(Failure) -> sending Result
    ) throws(Failure) -> sending Result {
        try mutex.withLock { (value) throws(Failure) -> sending Result in
            _ = handedOver.load(ordering: .acquiring)
            defer { handedOver.store(true, ordering: .releasing) }
            return try body(&value)
        }
    }
}

extension Locked: Sendable where Value: ~Copyable {}
