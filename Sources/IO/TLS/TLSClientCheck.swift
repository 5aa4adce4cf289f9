import COpenSSL
import Glibc

/// How a server checks its clients' certificates.
@safe
struct TLSClientCheck {
    private let trust: TLSTrust
    private let caPath: String
    private let isRequired: Bool
    /// 32 bytes that differ whenever the check does: SHA-256 of who may issue, what is revoked, and whether it is required.
    let fingerprint: [UInt8]

    /// Nil when clients are not asked.
    init?(_ settings: TLSServerSettings) throws(TLSError) {
        guard settings.clientAuth != .none else { return nil }
        guard let caPath = settings.clientCAPath else {
            throw TLSError(.fileUnreadable, "clients are asked for certificates, and no issuer of them is given")
        }
        self.caPath = caPath
        isRequired = settings.clientAuth == .required
        trust = try TLSTrust(caPath: caPath, crlPath: settings.clientCRLPath)
        let text = [caPath, settings.clientCRLPath].map { $0.flatMap { TextFile.read($0) } ?? "" }
            .joined(separator: "\0")
        var digest = [UInt8](repeating: isRequired ? 1 : 2, count: 32)
        let bytes = Array((text + (isRequired ? "!" : "?")).utf8)
        // SAFETY: the digest has the 32 bytes that SHA-256 writes.
        unsafe EVP_Digest(bytes, bytes.count, &digest, nil, EVP_sha256(), nil)
        fingerprint = digest
    }

    func apply(to context: TLSContext) throws(TLSError) {
        // SAFETY: both are alive; the context counts a reference of its own to the store.
        unsafe sidecar_ssl_ctx_share_store(context.pointer, trust.store)
        let mode = SSL_VERIFY_PEER | (isRequired ? SSL_VERIFY_FAIL_IF_NO_PEER_CERT : 0)
        unsafe SSL_CTX_set_verify(context.pointer, mode, nil)
        guard unsafe sidecar_ssl_ctx_set_client_cas(context.pointer, caPath) == 1 else {
            throw .noted(caPath, otherwise: .notPEM)
        }
    }
}
