import COpenSSL
import Glibc

/// A certificate read from a file, with its issuers and its key. Used while a context is made of it; then it goes.
@safe
final class TLSCertificate {
    // SAFETY: each is owned here, freed once in deinit, and alive until then.
    let leaf: OpaquePointer
    private(set) var issuers: [OpaquePointer] = unsafe []
    private(set) var key: OpaquePointer?
    let info: TLSCertificateInfo

    /// Reads both files and checks that they belong together.
    init(_ files: TLSCertificateFiles) throws(TLSError) {
        let path = files.certificatePath
        let file = try unsafe Self.open(path)
        // SAFETY: the BIO is alive until this returns; every certificate read has one owner.
        defer { unsafe BIO_free(file) }
        guard let leaf = unsafe PEM_read_bio_X509(file, nil, nil, nil) else {
            ERR_clear_error()
            throw TLSError(.notPEM, "\(path) has no PEM certificate")
        }
        unsafe self.leaf = leaf
        unsafe info = TLSCertificateInfo(path: path, leaf)
        while let issuer = unsafe PEM_read_bio_X509(file, nil, nil, nil) { unsafe issuers.append(issuer) }
        // The end of the file is noted as an error too, and is none; anything else is.
        let error = ERR_peek_last_error()
        ERR_clear_error()
        let isEnd = sidecar_err_library(error) == ERR_LIB_PEM && sidecar_err_reason(error) == PEM_R_NO_START_LINE
        guard isEnd else { throw TLSError(.notPEM, "\(path): \(TLSError.reason(of: error))") }
        try readKey(files.keyPath)
        guard unsafe X509_check_private_key(leaf, key) == 1 else {
            ERR_clear_error()
            throw TLSError(.keyMismatch, "the key in \(files.keyPath) is not that of the certificate in \(path)")
        }
    }

    deinit {
        // SAFETY: owned here, and used by nobody any more; contexts have counted references of their own.
        unsafe X509_free(leaf)
        for index in unsafe issuers.indices { unsafe X509_free(issuers[index]) }
        unsafe EVP_PKEY_free(key)
    }

    private func readKey(_ path: String) throws(TLSError) {
        let file = try unsafe Self.open(path)
        var wasAsked = false
        // SAFETY: the flag outlives the call, and the callback writes nothing else: it gives no password.
        unsafe withUnsafeMutablePointer(to: &wasAsked) { flag in
            unsafe key = PEM_read_bio_PrivateKey(
                file, nil,
                { _, _, _, flag in
                    unsafe flag!.assumingMemoryBound(to: Bool.self).pointee = true
                    return -1
                }, flag)
        }
        unsafe BIO_free(file)
        ERR_clear_error()
        guard unsafe key == nil else { return }
        if wasAsked { throw TLSError(.keyEncrypted, "the key in \(path) is encrypted, and there is nobody to ask") }
        throw TLSError(.notPEM, "\(path) has no PEM key")
    }

    @unsafe
    private static func open(_ path: String) throws(TLSError) -> OpaquePointer {
        ERR_clear_error()
        // SAFETY: the path is terminated text for the call.
        guard let file = unsafe BIO_new_file(path, "r") else { throw .noted(path, otherwise: .fileUnreadable) }
        return unsafe file
    }

    /// Which of a context's slots it takes: one for each type of key.
    // SAFETY: the key is alive.
    var keyType: Int32 { unsafe EVP_PKEY_get_base_id(key) }
}
