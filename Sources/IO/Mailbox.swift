import CLinux
import Glibc
import Synchronization

/// Messages from any thread to the thread of one event loop, which is woken by an eventfd.
///
/// The mutex is held while messages are appended or swapped out, never while they are handled.
package final class Mailbox<Message: Sendable>: EventHandler, Sendable {
    private let wake: FileDescriptor
    private let messages = Mutex<[Message]>([])
    private let handle: @Sendable (Message) -> Void

    /// `handle` is called with each message, in order, on the thread of the loop the mailbox is attached to.
    package init(_ handle: @escaping @Sendable (Message) -> Void) throws(IOError) {
        let descriptor = eventfd(0, Int32(EFD_CLOEXEC | EFD_NONBLOCK))
        guard descriptor >= 0 else { throw .last("eventfd") }
        wake = FileDescriptor(rawValue: descriptor)
        self.handle = handle
    }

    /// Starts delivery; on the loop's thread, once.
    package func attach(to loop: EventLoop) throws(IOError) { _ = try loop.register(wake.rawValue, self) }

    /// Sends a message; from any thread.
    package func post(_ message: Message) {
        let wasEmpty = messages.withLock { queue in
            queue.append(message)
            return queue.count == 1
        }
        guard wasEmpty else { return }
        var one: UInt64 = 1
        // SAFETY: an eventfd takes exactly the eight bytes it is given.
        _ = unsafe write(wake.rawValue, &one, 8)
    }

    package func ready(_ readiness: Readiness) {
        var count: UInt64 = 0
        // SAFETY: an eventfd gives exactly eight bytes.
        _ = unsafe read(wake.rawValue, &count, 8)
        let delivered = messages.withLock { queue in
            defer { queue = [] }
            return queue
        }
        for message in delivered { handle(message) }
    }
}
