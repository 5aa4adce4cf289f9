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
    let isHTTP2: Bool

    init(_ context: CurrentContext<TLSClientContext>, serverName: String, isHTTP2: Bool) {
        self.context = context
        self.serverName = serverName
        self.isHTTP2 = isHTTP2
    }

    func begin(on transport: Transport) throws(IOError) {
        try transport.beginTLS(context.value, serverName: serverName, sessions: sessions)
    }
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
