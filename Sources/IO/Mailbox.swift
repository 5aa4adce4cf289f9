import CLinux
import Core
import Glibc

/// Messages from any thread to the thread of one event loop, which is woken by an eventfd.
///
/// The mutex is held while messages are appended or swapped out, never while they are handled.
package final class Mailbox<Message: Sendable>: Sendable {
    private let wake: FileDescriptor
    private let messages = Locked<[Message]>([])

    package init() throws(IOError) {
        let descriptor = eventfd(0, Int32(EFD_CLOEXEC | EFD_NONBLOCK))
        guard descriptor >= 0 else { throw .last("eventfd") }
        wake = FileDescriptor(rawValue: descriptor)
    }

    /// Sends a message; from any thread. It waits until somebody receives.
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

    /// Delivers messages, in order, on the loop's thread, from now on; once, on that thread. The receiver must be kept.
    package func receive(on loop: EventLoop, _ handle: @escaping (Message) -> Void) throws(IOError) -> Receiver {
        let receiver = Receiver(self, handle)
        _ = try loop.register(wake.rawValue, receiver)
        return receiver
    }

    /// The reading end; belongs to the thread that reads.
    package final class Receiver: EventHandler {
        private let mailbox: Mailbox
        private let handle: (Message) -> Void

        fileprivate init(_ mailbox: Mailbox, _ handle: @escaping (Message) -> Void) {
            self.mailbox = mailbox
            self.handle = handle
        }

        package func ready(_ readiness: Readiness) {
            guard readiness.isReadable else { return }
            for message in mailbox.takeAll() { handle(message) }
        }
    }

    private func takeAll() -> [Message] {
        var count: UInt64 = 0
        // SAFETY: an eventfd gives exactly eight bytes.
        _ = unsafe read(wake.rawValue, &count, 8)
        return messages.withLock { queue in
            defer { queue = [] }
            return queue
        }
    }
}
