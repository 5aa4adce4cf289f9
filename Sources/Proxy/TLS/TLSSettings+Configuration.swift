import Config
import IO

extension TLSServerSettings {
    /// What a listener's `tls` section says.
    init(_ tls: TLSListenerConfiguration, offersHTTP2: Bool) {
        self.init(certificates: tls.certificates.map(TLSCertificateFiles.init))
        policy = TLSPolicy(tls.policy)
        clientAuth =
            switch tls.clientAuthentication {
            case .none: .none
            case .optional: .optional
            case .required: .required
            }
        clientCAPath = tls.clientCA
        clientCRLPath = tls.clientCRL
        self.offersHTTP2 = offersHTTP2
        sessionTickets = tls.sessionTickets
    }

    /// Every file that a change of should be noticed.
    var paths: [String] {
        certificates.flatMap { [$0.certificatePath, $0.keyPath] } + [clientCAPath, clientCRLPath].compactMap(\.self)
    }
}

extension TLSClientSettings {
    /// What a service's `tls` section says.
    init(_ tls: TLSServiceConfiguration, isHTTP2: Bool) {
        self.init()
        caPath = tls.ca
        verifies = !tls.insecureSkipVerify
        certificate = tls.certificate.map(TLSCertificateFiles.init)
        policy = TLSPolicy(tls.policy)
        alpn = isHTTP2 ? .http2 : .http11
    }

    /// Every file that a change of should be noticed.
    var paths: [String] {
        [caPath, certificate?.certificatePath, certificate?.keyPath].compactMap(\.self)
    }
}

extension TLSCertificateFiles {
    fileprivate init(_ configuration: CertificateConfiguration) {
        self.init(certificatePath: configuration.certificate, keyPath: configuration.key)
    }
}

extension TLSPolicy {
    fileprivate init(_ configuration: TLSPolicyConfiguration) {
        self.init()
        minVersion = configuration.minVersion == .v12 ? .v12 : .v13
        maxVersion = configuration.maxVersion == .v12 ? .v12 : .v13
        ciphers12 = Self.list(configuration.ciphers)
        ciphersuites13 = Self.list(configuration.ciphersuites)
        curves = Self.list(configuration.curves)
    }

    private static func list(_ names: [String]) -> String? { names.isEmpty ? nil : names.joined(separator: ":") }
}
