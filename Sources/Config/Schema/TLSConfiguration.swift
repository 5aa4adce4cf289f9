/// A protocol version that a TLS connection may have.
package enum TLSVersion: String, CaseIterable, Comparable, Sendable {
    case v12 = "1.2"
    case v13 = "1.3"

    package static func < (left: TLSVersion, right: TLSVersion) -> Bool { left == .v12 && right == .v13 }
}

/// Which versions and algorithms a TLS connection may have. An empty list is what the library offers by default.
package struct TLSPolicyConfiguration: Equatable, Sendable {
    package var minVersion = TLSVersion.v12
    package var maxVersion = TLSVersion.v13
    /// Of TLS 1.2, by OpenSSL's names, the preferred first.
    package var ciphers: [String] = []
    /// Of TLS 1.3, by their standard names, the preferred first.
    package var ciphersuites: [String] = []
    /// Groups for the key exchange, the preferred first.
    package var curves: [String] = []
    package init() {}
}

/// A certificate with its chain, and its key: paths of PEM files. Nobody has looked yet whether they can be read.
package struct CertificateConfiguration: Hashable, Sendable {
    package var certificate: String
    package var key: String

    package init(certificate: String, key: String) {
        self.certificate = certificate
        self.key = key
    }
}

/// How a listener ends its clients' TLS.
package struct TLSListenerConfiguration: Equatable, Sendable {
    /// Whether clients show a certificate. One that is shown is verified in either case.
    package enum ClientAuthentication: String, CaseIterable, Sendable { case none, optional, required }

    /// At least one; the client's server name chooses, the first one is for clients that name none.
    package var certificates: [CertificateConfiguration] = []
    package var policy = TLSPolicyConfiguration()
    package var clientAuthentication = ClientAuthentication.none
    /// PEM file of the authorities that clients' certificates are verified against; there is one exactly when
    /// certificates are asked for.
    package var clientCA: String?
    /// PEM file of revoked certificates.
    package var clientCRL: String?
    /// Let clients resume sessions by tickets.
    package var sessionTickets = true
    /// How often the key of the tickets changes; those of the key before are still taken.
    package var ticketRotation: Duration = .seconds(12 * 3600)
    /// From a connection's beginning until its handshake is done: it is closed.
    package var handshakeTimeout: Duration = .seconds(10)
    package init() {}
}

/// How endpoints of a service are spoken to by TLS.
package struct TLSServiceConfiguration: Equatable, Sendable {
    /// PEM file of the authorities that endpoints' certificates are verified against. Nil: the system's.
    package var ca: String?
    /// The name that is sent and that the certificate must have. Nil: the endpoint's own host or address.
    package var serverName: String?
    /// Take any certificate. Then anybody between may read and change everything.
    package var insecureSkipVerify = false
    /// What the proxy shows of itself.
    package var certificate: CertificateConfiguration?
    package var policy = TLSPolicyConfiguration()
    package init() {}
}
