import Core
import HTTP
import IO

/// The admin port, served by the main thread: a handful of small requests, apart from the traffic they tell about.
final class AdminListener: EventHandler {
    private let socket: ListeningSocket
    private unowned let server: Server
    private let buffers = BufferPool(idleMax: 4)
    private var connections = Slab<AdminConnection>()

    /// Far more than scrapers and probes need; others wait in the kernel's queue.
    private static let connectionsMax = 256

    init(_ socket: ListeningSocket, server: Server) throws(IOError) {
        self.socket = socket
        self.server = server
        try socket.attach(to: server.loop, self)
    }

    func ready(_ readiness: Readiness) { acceptAll() }
    func resumed() { acceptAll() }

    /// Accepts no more and closes every connection: they and the loop hold each other otherwise.
    func close() {
        socket.close()
        var open: [AdminConnection] = []
        connections.forEach { open.append($0) }
        for connection in open { connection.close() }
    }

    private func acceptAll() {
        while connections.count < Self.connectionsMax {
            switch socket.accept() {
            case .wouldBlock: return
            case .skipped: continue
            case .exhausted: return socket.resumeNextTurn()
            case .connection(let descriptor, let peer):
                let connection = AdminConnection(descriptor, peer: peer, server: server, buffers: buffers)
                let token = connections.insert(connection)
                connection.open { [unowned self] in
                    connections.remove(token)
                    socket.resumeNextTurn()
                }
            }
        }
    }
}
