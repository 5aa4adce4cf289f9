import Synchronization

/// Carries a value that belongs to one thread at a time from the thread that makes it to the one that uses it.
final class Handover<Value>: Sendable {
    private let box: Mutex<Value?>

    init(_ value: sending Value) { box = Mutex(value) }

    /// The value; once.
    func take() -> sending Value {
        box.withLock { box in
            guard let value = box.take() else { preconditionFailure("handed over twice") }
            return value
        }
    }
}
