/// Whether clients show a certificate of their own.
package enum TLSClientAuthentication: Equatable, Sendable {
    case none
    /// They are asked; one that has none is served all the same, one that shows a bad one is not.
    case optional
    case required
}

/// What a `TLSServerContext` is made of.
package struct TLSServerSettings: Sendable {
    /// At least one. The first one's names are the default for clients that name none, or an unknown one.
    package var certificates: [TLSCertificateFiles]
    package var policy = TLSPolicy()
    package var clientAuth = TLSClientAuthentication.none
    /// PEM file of those who may issue clients' certificates; needed unless `clientAuth` is `.none`.
    package var clientCAPath: String?
    /// PEM file of revocation lists; the client's certificate itself is looked up, not its issuers'.
    package var clientCRLPath: String?
    /// Whether HTTP/2 is agreed to by ALPN, before HTTP/1.1.
    package var offersHTTP2 = true
    package var sessionTickets = true

    package init(certificates: [TLSCertificateFiles]) { self.certificates = certificates }
}
