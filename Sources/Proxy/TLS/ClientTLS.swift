import Config
import IO
import Traffic

/// What is known of a client's TLS once its handshake is done; made once per connection, for all its requests.
package final class ClientTLS {
    /// Whom the client's certificate names; nil when it showed none. One that was shown was verified.
    let identity: ClientIdentity?
    /// Its part of a line in the access log.
    let logFields: [UInt8]

    init(_ connection: TLSConnection, _ format: AccessLogConfiguration.Format) {
        identity = connection.peerIdentity.map(ClientIdentity.init)
        logFields = TLSLogFields(connection, subject: identity?.subject).rendered(format)
    }
}

extension ClientIdentity {
    fileprivate convenience init(_ identity: TLSIdentity) {
        let names = identity.names.map { name in
            let kind: AlternativeName.Kind =
                switch name.kind {
                case .dns: .dns
                case .uri: .uri
                case .ip: .ip
                case .email: .email
                }
            return AlternativeName(kind: kind, value: name.value)
        }
        self.init(subject: identity.subject, alternativeNames: names, fingerprint: identity.fingerprint)
    }
}
