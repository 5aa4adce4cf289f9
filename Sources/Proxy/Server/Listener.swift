import Config
import Core
import HTTP
import IO
import Traffic

/// One worker's end of a listening socket: accepts connections and holds the settings they share.
///
/// Owned by its worker. Every worker has its own socket on the same address (`SO_REUSEPORT`), or a duplicate of the one
/// unix socket, so nothing is shared.
final class Listener: EventHandler, TimerTarget {
    /// Connections taken per turn, so that a burst of new ones does not starve the old.
    private static let acceptsMax = 64
    /// How long accepting rests when there is no descriptor left, not even to say so.
    private static let restMax: Duration = .milliseconds(50)

    /// Its place in the configuration.
    let index: Int
    /// The service that the whole port goes to.
    let serviceIndex: Int?
    let headLimits: HeadLimits
    let bodyBytesMax: UInt64?
    let requestsMax: UInt32
    let pathNormalizer: PathNormalizer
    let forwardedFields: ForwardedFields
    let http2: ListenerHTTP2
    /// Nil when clients speak without TLS.
    let tls: CurrentContext<TLSServerContext>?
    let handshakeTimeout: UInt64
    /// TLS is not ended here, but passed on by its server name.
    private let passesThrough: Bool
    // Nanoseconds.
    let headTimeout: UInt64
    let keepAliveTimeout: UInt64
    let idleTimeout: UInt64

    private let worker: Worker
    private let socket: ListeningSocket
    private let timer = Timer()

    init(
        _ configuration: ListenerConfiguration, index: Int, serviceIndex: Int?,
        tls: CurrentContext<TLSServerContext>?, socket: ListeningSocket, worker: Worker
    ) {
        self.tls = tls
        handshakeTimeout = configuration.tls?.handshakeTimeout.nanosecondsClamped ?? .max
        self.index = index
        self.serviceIndex = serviceIndex
        self.socket = socket
        self.worker = worker
        headLimits = HeadLimits(
            startLineBytesMax: configuration.limits.requestLineBytesMax,
            headBytesMax: configuration.limits.headBytesMax,
            fieldsMax: configuration.limits.fieldsMax)
        bodyBytesMax = configuration.limits.bodyBytesMax
        requestsMax = configuration.requestsMax
        pathNormalizer = PathNormalizer(configuration.path)
        forwardedFields = ForwardedFields(configuration.forwarded)
        http2 = ListenerHTTP2(configuration)
        passesThrough = configuration.protocolName == .tlsPassthrough
        headTimeout = configuration.timeouts.head.nanosecondsClamped
        keepAliveTimeout = configuration.timeouts.keepAlive.nanosecondsClamped
        idleTimeout = configuration.timeouts.idle.nanosecondsClamped
        timer.target = self
    }

    /// Listens on its address, or on `address` where that is already known more exactly.
    static func bind(
        _ configuration: ListenerConfiguration, at address: SocketAddress? = nil, of whole: Configuration,
        reusePort: Bool
    ) throws(IOError) -> BoundSocket {
        BoundSocket(
            try Socket.listen(
                on: address ?? configuration.address, backlog: configuration.backlog, reusePort: reusePort,
                unacknowledgedMax: whole.unacknowledgedMax(configuration.timeouts.idle)))
    }

    /// Begins to accept.
    func open() throws(IOError) { try socket.attach(to: worker.loop, self) }

    /// Takes what waits already, then stops: a connection left in the kernel's queue would be reset.
    func close() {
        while acceptOne() {}
        worker.loop.cancel(timer)
        socket.close()
    }

    func ready(_ readiness: Readiness) { acceptSome() }

    func resumed() { acceptSome() }

    func timerFired(_ timer: Timer) { acceptSome() }

    func connectionOpened() {
        worker.metrics.add(.connections, listener: index)
        worker.metrics.add(.connectionsActive, listener: index)
    }

    func connectionClosed() { worker.metrics.subtract(.connectionsActive, listener: index) }

    private func acceptSome() {
        for _ in 0..<Self.acceptsMax where !acceptOne() { return }
        socket.resumeNextTurn()
    }

    /// Accepts one connection; false when there is no more for now.
    private func acceptOne() -> Bool {
        switch socket.accept() {
        case .wouldBlock:
            return false
        case .skipped:
            return true
        case .exhausted:
            return refuseOne()
        case .connection(let descriptor, let peer):
            guard worker.connectionCount < worker.connectionsMax else {
                OverloadResponse.send(on: descriptor)
                worker.metrics.add(.connectionsRefused, listener: index)
                return true
            }
            if passesThrough {
                if let tunnel = try? Tunnel(descriptor, peer: peer, listener: self, worker: worker) { tunnel.start() }
                return true
            }
            if let connection = try? DownstreamConnection(descriptor, peer: peer, listener: self, worker: worker) {
                connection.start()
            }
            return true
        }
    }

    /// No descriptor is left: the reserve is given up for a moment to tell one client so.
    private func refuseOne() -> Bool {
        worker.metrics.add(.connectionsRefused, listener: index)
        if worker.reserve.withDescriptorFree({ socket.accept() }, use: { OverloadResponse.send(on: $0) }) {
            return true
        }
        worker.loop.schedule(timer, after: Self.restMax)
        return false
    }
}
