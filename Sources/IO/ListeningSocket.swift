package import Core
import Glibc

/// A socket that listens, and nobody accepts on yet.
///
/// Made on the main thread, where a port in use is reported, and handed to a worker. Immutable.
package final class BoundSocket: Sendable {
    fileprivate let descriptor: FileDescriptor

    package init(_ descriptor: consuming FileDescriptor) { self.descriptor = descriptor }

    /// The address it is bound to, with its true port.
    package var address: SocketAddress? { Socket.localAddress(of: descriptor.rawValue) }

    /// Another descriptor of the same socket, for another worker.
    package func duplicated() throws(IOError) -> FileDescriptor {
        let copy = fcntl(descriptor.rawValue, F_DUPFD_CLOEXEC, 0)
        guard copy >= 0 else { throw .last("fcntl") }
        return FileDescriptor(rawValue: copy)
    }
}

/// A listening socket in the hands of one event loop.
///
/// Owned by its listener, used on that thread.
package final class ListeningSocket {
    private let socket: BoundSocket
    private var token: EventLoop.Token?
    private unowned var loop: EventLoop?
    private var isOpen = true

    package init(_ socket: BoundSocket) { self.socket = socket }

    package func attach(to loop: EventLoop, _ handler: any EventHandler) throws(IOError) {
        token = try loop.register(socket.descriptor.rawValue, handler)
        self.loop = loop
    }

    package func accept() -> Socket.AcceptOutcome {
        isOpen ? Socket.accept(on: socket.descriptor.rawValue) : .wouldBlock
    }

    package func resumeNextTurn() {
        if let token { loop?.resume(token) }
    }

    /// Stops listening. Further `accept`s find nothing; the descriptor goes with this object.
    package func close() {
        isOpen = false
        if let token { loop?.detach(token) }
        token = nil
        _ = shutdown(socket.descriptor.rawValue, Int32(SHUT_RDWR))
    }
}

/// A descriptor kept for the moment when there are no others.
package struct DescriptorReserve: ~Copyable {
    private var spare: FileDescriptor?

    package init() { spare = Self.open() }

    private static func open() -> FileDescriptor? {
        // SAFETY: the path is a terminated constant.
        let descriptor = unsafe Glibc.open("/dev/null", O_RDONLY | O_CLOEXEC)
        return descriptor >= 0 ? FileDescriptor(rawValue: descriptor) : nil
    }

    /// Frees the spare descriptor, accepts with it, hands the connection to `use`, which must close it, and takes a new
    /// spare. False when nothing could be accepted.
    package mutating func withDescriptorFree(
        _ accept: () -> Socket.AcceptOutcome, use: (consuming FileDescriptor) -> Void
    ) -> Bool {
        guard spare != nil else {
            spare = Self.open()
            return false
        }
        spare = nil
        defer { spare = Self.open() }
        guard case .connection(let descriptor, _) = accept() else { return false }
        use(descriptor)
        return true
    }
}
