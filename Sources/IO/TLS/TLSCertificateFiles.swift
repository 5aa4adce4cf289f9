/// A PEM file with a certificate and its issuers, and one with its key.
package struct TLSCertificateFiles: Equatable, Sendable {
    package var certificatePath: String
    package var keyPath: String

    package init(certificatePath: String, keyPath: String) {
        self.certificatePath = certificatePath
        self.keyPath = keyPath
    }
}
