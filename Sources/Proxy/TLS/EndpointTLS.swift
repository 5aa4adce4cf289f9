import Config
import Core
import IO

/// How one worker speaks TLS with one endpoint.
///
/// Owned by the endpoint's pool, used on its worker. Its connections share the last session, so that most of them make a
/// short handshake.
final class EndpointTLS {
    private let context: CurrentContext<TLSClientContext>
    /// What is asked for, and what the certificate must be for.
    private let serverName: String
    private let sessions = TLSSessionStore()
    private let metrics: WorkerMetrics
    /// Its index, whose handshakes are counted.
    private let service: Int
    let isHTTP2: Bool

    init(
        _ context: CurrentContext<TLSClientContext>, serverName: String, isHTTP2: Bool, service: Int,
        metrics: WorkerMetrics
    ) {
        self.context = context
        self.serverName = serverName
        self.isHTTP2 = isHTTP2
        self.service = service
        self.metrics = metrics
    }

    func begin(on transport: Transport) throws(IOError) {
        try transport.beginTLS(context.value, serverName: serverName, sessions: sessions)
    }

    /// A handshake came to its end.
    func completed(isResumed: Bool) { metrics.add(isResumed ? .tlsResumed : .tlsHandshakes, service: service) }

    /// A handshake came to nothing.
    func failed() { metrics.add(.tlsFailed, service: service) }
}

extension ServiceConfiguration {
    /// The name that an endpoint's certificate must have.
    func serverName(of endpoint: EndpointConfiguration) -> String {
        if let name = tls?.serverName { return name }
        return switch endpoint.target {
        case .host(let name, _): name
        case .address(let address): address.ip.map { "\($0)" } ?? "localhost"
        }
    }
}
