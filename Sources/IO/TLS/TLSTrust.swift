import COpenSSL

/// Whose certificates are believed: issuers, and what they revoked.
@safe
final class TLSTrust {
    // SAFETY: owned here and freed once; contexts that share it count references of their own.
    let store: OpaquePointer

    /// From PEM files of issuers, or the system's when there is none, and of revocation lists.
    init(caPath: String?, crlPath: String? = nil) throws(TLSError) {
        ERR_clear_error()
        // SAFETY: of all here: the store is alive; paths are terminated text for the calls.
        guard let made = unsafe X509_STORE_new() else { throw .noted("X509_STORE_new") }
        unsafe store = made
        if let caPath {
            guard unsafe X509_STORE_load_file(made, caPath) == 1 else { throw Self.unreadable(caPath, "certificate") }
        } else {
            guard unsafe X509_STORE_set_default_paths(made) == 1 else { throw .noted("the system's trusted issuers") }
            ERR_clear_error()
        }
        guard let crlPath else { return }
        guard let lookup = unsafe X509_STORE_add_lookup(made, X509_LOOKUP_file()),
            unsafe X509_load_crl_file(lookup, crlPath, X509_FILETYPE_PEM) > 0
        else { throw Self.unreadable(crlPath, "revocation list") }
        unsafe sidecar_x509_check_revocation(made)
    }

    // SAFETY: whoever shares it holds a reference.
    deinit { unsafe X509_STORE_free(store) }

    /// Why a file could not be read: the kernel says so, or it is not what was expected.
    private static func unreadable(_ path: String, _ what: String) -> TLSError {
        let error = ERR_get_error()
        ERR_clear_error()
        if sidecar_err_library(error) == ERR_LIB_SYS {
            return TLSError(.fileUnreadable, "\(path): \(TLSError.reason(of: error))")
        }
        return TLSError(.notPEM, "\(path) has no PEM \(what)")
    }
}
