import Core

/// The TLS context that new connections use: another one once its files have changed.
///
/// Shared by all workers; the main thread replaces what it holds. Connections keep the context they began with.
final class CurrentContext<Context: Sendable>: Sendable {
    private let stored: Locked<Context>

    init(_ context: Context) { stored = Locked(context) }

    var value: Context { stored.withLock { $0 } }

    func replace(by context: Context) { stored.withLock { $0 = context } }
}
