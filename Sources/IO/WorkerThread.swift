import CLinux
import Glibc

/// A thread of the operating system with a name and a body.
package final class WorkerThread: Sendable {
    private final class Start: Sendable {
        let name: String
        let body: @Sendable () -> Void
        init(name: String, body: @escaping @Sendable () -> Void) {
            self.name = name
            self.body = body
        }
    }

    private let thread: pthread_t

    /// Starts the thread. `name` is cut to the 15 bytes the kernel keeps.
    package init(name: String, _ body: @escaping @Sendable () -> Void) throws(IOError) {
        var thread = pthread_t()
        // SAFETY: the box is retained here and released by the new thread, which alone uses it.
        let box = unsafe Unmanaged.passRetained(Start(name: String(name.prefix(15)), body: body))
        let result = unsafe pthread_create(
            &thread, nil,
            { argument in
                let start = unsafe Unmanaged<Start>.fromOpaque(argument!).takeRetainedValue()
                _ = unsafe pthread_setname_np(pthread_self(), start.name)
                start.body()
                return nil
            }, box.toOpaque())
        guard result == 0 else {
            unsafe box.release()
            throw IOError("pthread_create", errno: result)
        }
        self.thread = thread
    }

    /// Waits until the body has returned; once.
    package func join() { _ = pthread_join(thread, nil) }
}
