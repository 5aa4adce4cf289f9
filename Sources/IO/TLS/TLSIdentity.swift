import COpenSSL

/// Who the peer is, by the certificate it showed. It was verified, unless a client was told not to.
package struct TLSIdentity: Equatable, Sendable {
    /// The subject as RFC 2253 writes it: `CN=orders,O=Shop`.
    package let subject: String
    package let names: [TLSName]
    /// SHA-256 of the certificate, 64 lower-case hexadecimal digits.
    package let fingerprint: String

    @unsafe
    init(_ certificate: OpaquePointer) {
        // SAFETY: the certificate is alive, by the caller's word, and so is all that is asked of it.
        subject = unsafe Self.text(of: X509_get_subject_name(certificate))
        names = unsafe TLSName.alternatives(of: certificate)
        var digest = [UInt8](repeating: 0, count: 32)
        unsafe X509_digest(certificate, EVP_sha256(), &digest, nil)
        let digits = Array("0123456789abcdef".utf8)
        fingerprint = String(
            decoding: digest.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
    }

    @unsafe
    private static func text(of name: OpaquePointer?) -> String {
        guard let memory = unsafe BIO_new(BIO_s_mem()) else { return "" }
        // SAFETY: the memory BIO holds the bytes until it is freed, after they are copied.
        defer { unsafe BIO_free(memory) }
        guard unsafe X509_NAME_print_ex(memory, name, 0, sidecar_XN_FLAG_RFC2253_UTF8) >= 0 else { return "" }
        var start: UnsafeMutablePointer<CChar>?
        let count = unsafe sidecar_bio_contents(memory, &start)
        guard let start = unsafe start, count > 0 else { return "" }
        return unsafe String(decoding: UnsafeRawBufferPointer(start: start, count: count), as: UTF8.self)
    }
}
