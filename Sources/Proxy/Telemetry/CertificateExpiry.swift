import IO

/// Until when a certificate in use is good: one sample of `sidecar_tls_certificate_expiry_timestamp_seconds`.
package struct CertificateExpiry: Equatable, Sendable {
    /// Whose it is: the label, `listener` or `service`, and its value.
    let kind: StaticString
    let name: String
    let path: String
    /// Seconds since 1970 in UTC.
    let notAfter: Int64

    init(_ kind: StaticString, _ name: String, _ certificate: TLSCertificateInfo) {
        self.kind = kind
        self.name = name
        path = certificate.path
        notAfter = certificate.notAfter
    }

    package static func == (left: CertificateExpiry, right: CertificateExpiry) -> Bool {
        left.name == right.name && left.path == right.path && left.notAfter == right.notAfter
            && left.kind.description == right.kind.description
    }
}
