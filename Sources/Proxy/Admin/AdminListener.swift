import Core
import HTTP
import IO

/// The admin port, served by the main thread: a handful of small requests, apart from the traffic they tell about.
final class AdminListener: EventHandler, TimerTarget {
    private let socket: ListeningSocket
    private unowned let server: Server
    private let timer = Timer()
    private let buffers = BufferPool(idleMax: 4)
    private var connections = Slab<AdminConnection>()

    /// Far more than scrapers and probes need; beyond it the one that has asked nothing for the longest time gives way, so
    /// that nobody keeps the probes out by holding connections open.
    private static let connectionsMax = 256
    /// How long accepting rests when there is no descriptor left.
    private static let restMax: Duration = .milliseconds(50)

    init(_ socket: ListeningSocket, server: Server) throws(IOError) {
        self.socket = socket
        self.server = server
        timer.target = self
        try socket.attach(to: server.loop, self)
    }

    func ready(_ readiness: Readiness) { acceptAll() }
    func timerFired(_ timer: Timer) { acceptAll() }

    /// Accepts no more and closes every connection: they and the loop hold each other otherwise.
    func close() {
        socket.close()
        var open: [AdminConnection] = []
        connections.forEach { open.append($0) }
        for connection in open { connection.close() }
    }

    private func acceptAll() {
        while true {
            switch socket.accept() {
            case .wouldBlock: return
            case .skipped: continue
            case .exhausted: return server.loop.schedule(timer, after: Self.restMax)
            case .connection(let descriptor, let peer):
                if connections.count >= Self.connectionsMax { closeQuietest() }
                let connection = AdminConnection(descriptor, peer: peer, server: server, buffers: buffers)
                let token = connections.insert(connection)
                connection.open { [unowned self] in connections.remove(token) }
            }
        }
    }

    private func closeQuietest() {
        var quietest: AdminConnection?
        connections.forEach { connection in
            if let known = quietest, known.servedAt <= connection.servedAt { return }
            quietest = connection
        }
        quietest?.close()
    }
}
