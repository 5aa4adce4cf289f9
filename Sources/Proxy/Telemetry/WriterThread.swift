import Glibc

/// One thread that runs one function, with every signal blocked: signals belong to the main thread, and a write to a
/// pipe nobody reads must return EPIPE, not end the process.
///
/// Detached: it ends with its function, or with the process.
enum WriterThread {
    private final class Start {
        let body: @Sendable () -> Void
        init(_ body: @escaping @Sendable () -> Void) { self.body = body }
    }

    static func start(_ body: @escaping @Sendable () -> Void) {
        let start = unsafe Unmanaged.passRetained(Start(body))
        var all = sigset_t()
        var before = sigset_t()
        var thread = pthread_t()
        // SAFETY: the pointers are to locals of this frame; the thread takes over the retained Start, and it inherits the
        // mask that stands while it is created.
        unsafe sigfillset(&all)
        unsafe pthread_sigmask(SIG_SETMASK, &all, &before)
        let result = unsafe pthread_create(
            &thread, nil,
            { argument in
                let start = unsafe Unmanaged<Start>.fromOpaque(argument!).takeRetainedValue()
                start.body()
                return nil
            }, start.toOpaque())
        unsafe pthread_sigmask(SIG_SETMASK, &before, nil)
        guard result == 0 else { fatalError("no thread: error \(result)") }
        pthread_detach(thread)
    }
}
