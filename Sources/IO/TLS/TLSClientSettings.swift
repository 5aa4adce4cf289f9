/// What a `TLSClientContext` is made of.
package struct TLSClientSettings: Sendable {
    /// PEM file of trusted issuers; nil for those the system trusts.
    package var caPath: String?
    /// False takes any certificate for any name.
    package var verifies = true
    /// A certificate of our own, for servers that ask.
    package var certificate: TLSCertificateFiles?
    package var policy = TLSPolicy()
    /// What is offered by ALPN.
    package var alpn: TLSApplicationProtocol?

    package init() {}
}
