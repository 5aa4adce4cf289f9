import CLinux
import Glibc

/// The signals a program reacts to, delivered as events of the main thread's loop.
package final class Signals: EventHandler {
    package enum Signal: Int32, CaseIterable, Sendable {
        case terminate = 15
        case interrupt = 2
        case hangUp = 1
        case user1 = 10
    }

    private let descriptor: FileDescriptor
    private let handle: (Signal) -> Void

    /// Blocks the signals in this thread and all it starts later; call it before the first thread. SIGPIPE is ignored:
    /// a peer that has gone is an error number, not the end of the process.
    package init(_ handle: @escaping (Signal) -> Void) throws(IOError) {
        self.handle = handle
        var set = sigset_t()
        // SAFETY: the set lives for the calls, each of which fills in or reads it.
        unsafe sigemptyset(&set)
        for signal in Signal.allCases { unsafe sigaddset(&set, signal.rawValue) }
        unsafe pthread_sigmask(SIG_BLOCK, &set, nil)
        _ = signal(SIGPIPE, SIG_IGN)
        let opened = unsafe signalfd(-1, &set, Int32(SFD_CLOEXEC | SFD_NONBLOCK))
        guard opened >= 0 else { throw .last("signalfd") }
        descriptor = FileDescriptor(rawValue: opened)
    }

    package func attach(to loop: EventLoop) throws(IOError) { _ = try loop.register(descriptor.rawValue, self) }

    package func ready(_ readiness: Readiness) {
        var info = signalfd_siginfo()
        let size = MemoryLayout<signalfd_siginfo>.size
        // SAFETY: a signalfd gives whole structures of exactly this size.
        while unsafe read(descriptor.rawValue, &info, size) == size {
            if let signal = Signal(rawValue: Int32(info.ssi_signo)) { handle(signal) }
        }
    }
}
