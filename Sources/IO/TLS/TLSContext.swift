import COpenSSL

/// One `SSL_CTX`: what connections of one kind have in common. Freed with its last owner; never changed once it is in use.
@safe
final class TLSContext: Sendable {
    // SAFETY: owned here and freed once; OpenSSL counts references atomically and locks what connections share.
    nonisolated(unsafe) let pointer: OpaquePointer

    /// A context with what holds for servers and clients alike.
    init(_ policy: TLSPolicy, options: UInt64) throws(TLSError) {
        ERR_clear_error()
        guard let made = unsafe SSL_CTX_new(TLS_method()) else { throw .noted("SSL_CTX_new") }
        unsafe pointer = made
        // Compression tells secrets by its size (CRIME), and renegotiation lets a client make the server work for nothing.
        unsafe SSL_CTX_set_options(
            made, sidecar_SSL_OP_NO_COMPRESSION | sidecar_SSL_OP_NO_RENEGOTIATION | options)
        unsafe sidecar_ssl_ctx_set_modes(made)
        try unsafe policy.apply(to: made)
    }

    // SAFETY: the last owner goes; connections hold references that OpenSSL counts.
    deinit { unsafe SSL_CTX_free(pointer) }

    /// Shows this certificate, beside any of another type of key.
    func use(_ certificate: TLSCertificate) throws(TLSError) {
        // SAFETY: all are alive; the context counts references of its own.
        let path = certificate.info.path
        guard unsafe sidecar_ssl_ctx_use(pointer, certificate.leaf, certificate.key) == 1 else {
            throw .noted(path, otherwise: .certificateRefused)
        }
        for index in unsafe certificate.issuers.indices {
            guard unsafe sidecar_ssl_ctx_add_issuer(pointer, certificate.issuers[index]) == 1 else {
                throw .noted(path, otherwise: .certificateRefused)
            }
        }
    }
}
