import Core
import Glibc
import IO
import Synchronization

/// The server behind the proxy: a listening socket whose connections the test takes and answers line by line, or leaves
/// to threads that answer whatever comes.
final class ScriptedUpstream: Sendable {
    private let listening: Locked<FileDescriptor?>
    let raw: Int32
    let address: SocketAddress

    init() throws {
        let descriptor = try Socket.listen(on: .ip(.loopbackV4, port: 0), backlog: 128, reusePort: false)
        raw = descriptor.rawValue
        address = Socket.localAddress(of: descriptor.rawValue)!
        listening = Locked(descriptor)
    }

    /// The next connection of the proxy's.
    func accept() throws -> Peer {
        guard awaitConnection(waitMs: Peer.waitMs), case .connection(let descriptor, _) = Socket.accept(on: raw)
        else { throw Peer.Failure.timedOut }
        return Peer(descriptor)
    }

    /// Whether a connection waits that nobody has accepted.
    var hasConnection: Bool { awaitConnection(waitMs: 0) }

    fileprivate func awaitConnection(waitMs: Int32) -> Bool {
        var entry = pollfd(fd: raw, events: Int16(POLLIN), revents: 0)
        // SAFETY: the pointer is to one local pollfd, as the count says.
        return unsafe poll(&entry, 1, waitMs) == 1
    }

    /// Nobody listens any more: connects are refused.
    func close() { listening.withLock { $0 = nil } }

    /// Answers everything that comes, each connection on a thread of its own: with the request's path and its body.
    func echoing() throws -> Echo { try Echo(self) }

    /// Accepts and answers until it is stopped.
    final class Echo: Sendable {
        private let connections: Locked<[WorkerThread]>
        private let isStopped = Atomic(false)
        private let acceptor: Locked<WorkerThread?>

        fileprivate init(_ upstream: ScriptedUpstream) throws {
            connections = Locked([])
            acceptor = Locked(nil)
            let thread = try WorkerThread(name: "upstream") { [self] in
                while !isStopped.load(ordering: .relaxed) {
                    guard upstream.awaitConnection(waitMs: 20), let peer = try? upstream.accept() else { continue }
                    if let thread = try? WorkerThread(name: "upstream", { Self.answer(peer) }) {
                        connections.withLock { $0.append(thread) }
                    }
                }
            }
            acceptor.withLock { $0 = thread }
        }

        /// Waits until the proxy has closed every connection.
        func stop() {
            isStopped.store(true, ordering: .relaxed)
            acceptor.withLock { $0.take() }?.join()
            for thread in connections.withLock({ $0 }) { thread.join() }
        }

        private static func answer(_ peer: Peer) {
            while let request = try? peer.readMessage() {
                let body = Array(request.path.utf8) + request.body
                let head = "HTTP/1.1 200 OK\r\nContent-Length: \(body.count)\r\n\r\n"
                guard (try? peer.send(Array(head.utf8) + body)) != nil else { return }
            }
        }
    }
}
