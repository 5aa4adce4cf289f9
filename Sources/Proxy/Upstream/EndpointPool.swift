import Config
import Core
import HTTP
import IO

/// One worker's connections to one endpoint: HTTP/1 ones, of which the idle are used last in, first out, so that the
/// surplus ages and goes; or HTTP/2 ones, of which the first with room for a stream is used, so that there are few.
///
/// Owned by its worker's plan, used on that worker only.
final class EndpointPool: CustomStringConvertible {
    /// The service's settings as the data path wants them.
    struct Limits {
        let idleMax: Int
        let connectionsMax: Int
        let requestsMax: UInt32
        let idleNanoseconds: UInt64
        let ageNanoseconds: UInt64
        let connectNanoseconds: UInt64
        let head: HeadLimits
        let unacknowledgedMax: Duration
        let isHTTP2: Bool
        let http2: H2Limits
        let http2Clock: H2Clock.Settings
        /// Streams on one HTTP/2 connection, if the endpoint allows as many.
        let streamsMax: Int

        init(_ service: ServiceConfiguration, unacknowledgedMax: Duration) {
            self.unacknowledgedMax = unacknowledgedMax
            idleMax = service.pool.idleMax
            connectionsMax = service.pool.connectionsMax
            requestsMax = service.pool.requestsMax
            idleNanoseconds = service.pool.idleTimeout.nanosecondsClamped
            ageNanoseconds = service.pool.ageMax?.nanosecondsClamped ?? .max
            connectNanoseconds = service.timeouts.connect.nanosecondsClamped
            head = HeadLimits(
                startLineBytesMax: service.responseHeadBytesMax, headBytesMax: service.responseHeadBytesMax,
                fieldsMax: service.responseFieldsMax)
            isHTTP2 = service.protocolName == .http2 || service.protocolName == .grpc
            var http2 = H2Limits()
            http2.streamWindow = service.http2.streamWindow
            http2.connectionWindow = service.http2.connectionWindow
            http2.headBytesMax = service.responseHeadBytesMax
            http2.fieldsMax = service.responseFieldsMax
            self.http2 = http2
            streamsMax = service.http2.streamsMax
            var clock = H2Clock.Settings()
            clock.pingInterval = service.http2.pingInterval?.nanosecondsClamped ?? .max
            clock.pingTimeout = service.http2.pingTimeout.nanosecondsClamped
            clock.ageMax = ageNanoseconds
            http2Clock = clock
        }
    }

    enum CheckOut {
        case idle(any Upstream)
        case connecting(any Upstream)
        /// As many connections as may be are in use.
        case full
        /// The name has no address yet.
        case unresolved
        case failed(IOError)
    }

    private let worker: Worker
    let limits: Limits
    /// Nil when it is spoken to without TLS.
    let tls: EndpointTLS?
    /// Its service's and its own place in the configuration.
    let service: Int
    let endpoint: Int
    /// The endpoint's address as configured, for logs.
    let addressText: Buffer
    /// What `Host` says of the endpoint to whom no client has named it.
    let hostText: Buffer
    /// Where to connect: one address, or what the name resolves to at present.
    private(set) var addresses: [SocketAddress]
    private var nextAddress = 0
    private var idle: [UpstreamConnection] = []
    /// Connections that are open or opening, idle ones included.
    private(set) var openCount = 0
    /// Every open connection, so that it lives while only the kernel knows it.
    private var connections = Slab<UpstreamConnection>()
    private var sessionSlab = Slab<UpstreamSession>()
    /// HTTP/2 connections that take new streams, oldest first.
    private var sessions: [UpstreamSession] = []
    /// Streams on one connection that the endpoint allowed last.
    var peerStreamsMax = Int.max
    /// How many of them have no stream.
    private var idleSessions = 0
    /// The plan that owned this pool is gone: nothing is parked any more.
    private var isRetired = false
    /// Its address is a name, whose addresses may change.
    let isNamed: Bool

    init(
        _ configuration: EndpointConfiguration, limits: Limits, tls: EndpointTLS?, service: Int, endpoint: Int,
        worker: Worker
    ) {
        self.tls = tls
        self.worker = worker
        self.limits = limits
        self.service = service
        self.endpoint = endpoint
        addressText = Buffer(capacity: 64)
        switch configuration.target {
        case .address(let address):
            isNamed = false
            addresses = [address]
            addressText.append("\(address)")
            if case .unix = address {
                hostText = Buffer(capacity: 16)
                hostText.append("localhost")
            } else {
                hostText = addressText
            }
        case .host(let name, let port):
            isNamed = true
            addresses = []
            addressText.append("\(name):\(port)")
            hostText = addressText
        }
        idle.reserveCapacity(min(limits.idleMax, 64))
    }

    /// The name resolves to these now. Idle connections to others are closed; those in use are not parked again.
    func resolved(_ addresses: [SocketAddress]) {
        self.addresses = addresses
        for connection in idle where !addresses.contains(connection.address) { connection.close(.notReusable) }
        for session in sessions where !addresses.contains(session.address) { session.drain() }
    }

    /// The endpoint's address as configured, for failures' details.
    var description: String {
        let text = addressText
        return text.readable.text
    }

    /// A connection for `exchange`: an idle one at once, or a new one that is connecting. `fresh` asks for a new one
    /// where a parked one may have been closed unseen, as HTTP/2 ones are not.
    func checkOut(for exchange: Exchange, fresh: Bool) -> CheckOut {
        if limits.isHTTP2 { return checkOutStream(for: exchange) }
        if !fresh, let connection = idle.popLast() {
            count(.poolHits)
            uncount(.connectionsIdle)
            count(.connectionsActive)
            connection.checkOut(for: exchange)
            return .idle(connection)
        }
        if openCount >= limits.connectionsMax {
            // An idle one may give way to the new one.
            guard fresh, let oldest = idle.first else { return .full }
            oldest.close(.poolFull)
        }
        return connect { (address) throws(IOError) in
            let connection = try UpstreamConnection(to: address, pool: self, for: exchange, worker: worker)
            connection.token = connections.insert(connection)
            return connection
        }
    }

    /// A stream of the first HTTP/2 connection that has room, or of a new one.
    private func checkOutStream(for exchange: Exchange) -> CheckOut {
        for session in sessions where session.hasRoom {
            let (stream, isConnected) = session.open(for: exchange)
            guard isConnected else { return .connecting(stream) }
            count(.poolHits)
            return .idle(stream)
        }
        if openCount >= limits.connectionsMax { return .full }
        return connect { (address) throws(IOError) in
            let session = try UpstreamSession(to: address, pool: self, worker: worker)
            session.token = sessionSlab.insert(session)
            sessions.append(session)
            return session.open(for: exchange).stream
        }
    }

    /// Begins a connection to the next address that there is a way to.
    private func connect(_ begin: (SocketAddress) throws(IOError) -> any Upstream) -> CheckOut {
        guard !addresses.isEmpty else { return .unresolved }
        var failure = IOError.unexpected("connecting")
        // An address to which there is no way fails at once: another of the name's may do.
        for _ in addresses.indices {
            let address = addresses[nextAddress % addresses.count]
            nextAddress &+= 1
            do {
                let upstream = try begin(address)
                openCount += 1
                count(.connections)
                count(.connectionsActive)
                return .connecting(upstream)
            } catch {
                failure = error
                if error.isExhaustion { break }
            }
        }
        return .failed(failure)
    }

    /// Where a connection that this pool does not keep is to go.
    func nextAddressToConnect() throws(IOError) -> SocketAddress {
        guard !addresses.isEmpty else { throw .unexpected("the name does not resolve") }
        defer { nextAddress &+= 1 }
        return addresses[nextAddress % addresses.count]
    }

    // MARK: HTTP/2 connections

    /// One without a stream got one.
    func becameBusy() {
        idleSessions -= 1
        uncount(.connectionsIdle)
        count(.connectionsActive)
    }

    /// One lost its last stream.
    func becameIdle() {
        idleSessions += 1
        uncount(.connectionsActive)
        count(.connectionsIdle)
    }

    /// Whether an idle one is worth keeping.
    func keeps(_ session: UpstreamSession) -> Bool {
        guard !isRetired, idleSessions <= limits.idleMax else { return false }
        return !isNamed || addresses.contains(session.address)
    }

    /// One takes no more streams.
    func leaves(_ session: UpstreamSession) { sessions.removeAll { $0 === session } }

    /// One has closed.
    func closed(_ session: UpstreamSession, wasIdle: Bool, _ reason: UpstreamLease.Reason) {
        openCount -= 1
        leaves(session)
        if wasIdle {
            idleSessions -= 1
            uncount(.connectionsIdle)
        } else {
            uncount(.connectionsActive)
        }
        countClosed(reason)
        if let token = session.token { sessionSlab.remove(token) }
    }

    // MARK: HTTP/1 connections

    /// Takes an idle connection back; false when there are enough.
    func park(_ connection: UpstreamConnection) -> Bool {
        guard !isRetired, idle.count < limits.idleMax else { return false }
        guard !isNamed || addresses.contains(connection.address) else { return false }
        idle.append(connection)
        uncount(.connectionsActive)
        count(.connectionsIdle)
        return true
    }

    /// A connection has closed.
    func closed(_ connection: UpstreamConnection, wasIdle: Bool, _ reason: UpstreamLease.Reason) {
        openCount -= 1
        if wasIdle, let index = idle.lastIndex(where: { $0 === connection }) {
            idle.remove(at: index)
            uncount(.connectionsIdle)
        } else {
            uncount(.connectionsActive)
        }
        countClosed(reason)
        if let token = connection.token { connections.remove(token) }
    }

    private func countClosed(_ reason: UpstreamLease.Reason) {
        switch reason {
        case .idleTooLong, .poolFull: count(.closedIdle)
        case .usedUp, .tooOld: count(.closedUsedUp)
        case .peerClosed: count(.closedByPeer)
        case .notReusable: count(.closedUnusable)
        case .connectFailed:
            count(.closedFailed)
            count(.connectFailures)
            worker.report(connectFailed: self)
        }
    }

    /// Names the endpoint in a request whose client has not named any host.
    func nameHost(in request: RequestHead) {
        // HTTP/1.0 knows no Host, and servers refuse an empty one.
        guard request.authority.isEmpty, !request.headers.contains(.host) else { return }
        let host = hostText
        request.headers.append(.host, spelled: "Host", host.readable)
    }

    @inline(__always)
    private func count(_ metric: EndpointMetric) { worker.metrics.add(metric, service: service, endpoint: endpoint) }

    @inline(__always)
    private func uncount(_ metric: EndpointMetric) {
        worker.metrics.subtract(metric, service: service, endpoint: endpoint)
    }

    /// Closes the idle connections, and from now on every one that comes back.
    func retire() {
        isRetired = true
        while let connection = idle.last { connection.close(.idleTooLong) }
        for session in sessions {
            if session.streamCount == 0 { session.close(.idleTooLong) } else { session.drain() }
        }
    }
}
