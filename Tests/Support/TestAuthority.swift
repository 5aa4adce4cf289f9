import COpenSSL
import Glibc
package import IO

/// A certificate authority for one test: it issues, revokes and writes PEM files into a directory that goes with it.
@safe
package final class TestAuthority {
    package enum KeyType { case ecdsa, rsa }

    /// A certificate with its key, as files.
    package struct Issued {
        package let files: TLSCertificateFiles
        package let serial: Int
    }

    package let directory: String
    package let caPath: String
    private let certificate: OpaquePointer
    private let key: OpaquePointer
    private var serials = 1

    package init(_ name: String = "Test CA") throws {
        var template = Array("/tmp/sidecar-tls-XXXXXX".utf8CString)
        guard unsafe mkdtemp(&template) != nil else { throw IOError.last("mkdtemp") }
        directory = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        caPath = directory + "/ca.pem"
        unsafe key = Self.makeKey(.ecdsa)
        unsafe certificate = X509_new()!
        unsafe Self.fill(certificate, subject: name, serial: 1, key: key, from: -3600, to: 3600)
        unsafe Self.add(certificate, NID_basic_constraints, "critical,CA:TRUE")
        unsafe X509_set_issuer_name(certificate, X509_get_subject_name(certificate))
        unsafe X509_sign(certificate, key, EVP_sha256())
        unsafe Self.write(to: caPath) { unsafe PEM_write_bio_X509($0, certificate) }
    }

    deinit {
        unsafe X509_free(certificate)
        unsafe EVP_PKEY_free(key)
        if let entries = unsafe opendir(directory) {
            while let entry = unsafe readdir(entries) {
                let name = unsafe withUnsafeBytes(of: entry.pointee.d_name) { bytes in
                    unsafe String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
                }
                if name != ".", name != ".." { unsafe unlink(directory + "/" + name) }
            }
            unsafe closedir(entries)
        }
        unsafe rmdir(directory)
    }

    package func path(_ name: String) -> String { directory + "/" + name }

    /// Issues a certificate. `names` is a subjectAltName in OpenSSL's notation: `DNS:a.example,IP:127.0.0.1`; times are
    /// seconds from now.
    package func issue(
        _ file: String, names: String?, subject: String = "leaf", type: KeyType = .ecdsa, from: Int = -60,
        to: Int = 3600, encrypting password: String? = nil
    ) -> Issued {
        serials += 1
        let leaf = unsafe X509_new()!
        let leafKey = unsafe Self.makeKey(type)
        defer {
            unsafe X509_free(leaf)
            unsafe EVP_PKEY_free(leafKey)
        }
        unsafe Self.fill(leaf, subject: subject, serial: serials, key: leafKey, from: from, to: to)
        if let names { unsafe Self.add(leaf, NID_subject_alt_name, names) }
        unsafe X509_set_issuer_name(leaf, X509_get_subject_name(certificate))
        unsafe X509_sign(leaf, key, EVP_sha256())
        let files = TLSCertificateFiles(certificatePath: path(file + ".pem"), keyPath: path(file + ".key"))
        unsafe Self.write(to: files.certificatePath) {
            unsafe PEM_write_bio_X509($0, leaf)
            return unsafe PEM_write_bio_X509($0, certificate)
        }
        unsafe Self.write(to: files.keyPath) { bio in
            guard let password else { return unsafe PEM_write_bio_PrivateKey(bio, leafKey, nil, nil, 0, nil, nil) }
            let bytes = Array(password.utf8)
            return unsafe PEM_write_bio_PrivateKey(
                bio, leafKey, EVP_aes_128_cbc(), bytes, Int32(bytes.count), nil, nil)
        }
        return Issued(files: files, serial: serials)
    }

    /// Writes a revocation list with these serial numbers, and returns its path.
    package func revoke(_ serials: [Int]) -> String {
        let list = unsafe X509_CRL_new()!
        defer { unsafe X509_CRL_free(list) }
        unsafe X509_CRL_set_version(list, 1)
        unsafe X509_CRL_set_issuer_name(list, X509_get_subject_name(certificate))
        let (past, future) = unsafe (X509_gmtime_adj(nil, -60), X509_gmtime_adj(nil, 3600))
        unsafe X509_CRL_set1_lastUpdate(list, past)
        unsafe X509_CRL_set1_nextUpdate(list, future)
        for serial in serials {
            let revoked = unsafe X509_REVOKED_new()
            let number = unsafe ASN1_INTEGER_new()
            unsafe ASN1_INTEGER_set(number, serial)
            unsafe X509_REVOKED_set_serialNumber(revoked, number)
            unsafe X509_REVOKED_set_revocationDate(revoked, past)
            unsafe X509_CRL_add0_revoked(list, revoked)
            unsafe ASN1_INTEGER_free(number)
        }
        unsafe ASN1_STRING_free(past)
        unsafe ASN1_STRING_free(future)
        unsafe X509_CRL_sign(list, key, EVP_sha256())
        let path = path("crl-\(serials.count).pem")
        unsafe Self.write(to: path) { unsafe PEM_write_bio_X509_CRL($0, list) }
        return path
    }

    /// Writes any text as a file, and returns its path.
    package func file(_ name: String, _ text: String) -> String {
        unsafe Self.write(to: path(name)) { unsafe BIO_write($0, text, Int32(text.utf8.count)) }
        return path(name)
    }

    // MARK: Pieces

    private static func makeKey(_ type: KeyType) -> OpaquePointer {
        var key: OpaquePointer?
        let context = unsafe EVP_PKEY_CTX_new_from_name(nil, type == .rsa ? "RSA" : "EC", nil)
        unsafe EVP_PKEY_keygen_init(context)
        if type == .ecdsa { unsafe EVP_PKEY_CTX_set_group_name(context, "P-256") }
        unsafe EVP_PKEY_generate(context, &key)
        unsafe EVP_PKEY_CTX_free(context)
        return unsafe key!
    }

    private static func fill(
        _ certificate: OpaquePointer, subject: String, serial: Int, key: OpaquePointer, from: Int, to: Int
    ) {
        unsafe X509_set_version(certificate, 2)
        unsafe ASN1_INTEGER_set(X509_get_serialNumber(certificate), serial)
        unsafe X509_gmtime_adj(X509_getm_notBefore(certificate), from)
        unsafe X509_gmtime_adj(X509_getm_notAfter(certificate), to)
        let name = unsafe X509_get_subject_name(certificate)
        let text = Array(subject.utf8)
        unsafe X509_NAME_add_entry_by_txt(name, "O", MBSTRING_ASC_VALUE, "Shop", -1, -1, 0)
        unsafe X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC_VALUE, text, Int32(text.count), -1, 0)
        unsafe X509_set_pubkey(certificate, key)
    }

    /// MBSTRING_UTF8, a macro that Swift does not import.
    private static let MBSTRING_ASC_VALUE: Int32 = 0x1000

    private static func add(_ certificate: OpaquePointer, _ extension: Int32, _ value: String) {
        let made = unsafe X509V3_EXT_conf_nid(nil, nil, `extension`, value)
        unsafe X509_add_ext(certificate, made, -1)
        unsafe X509_EXTENSION_free(made)
    }

    private static func write(to path: String, _ body: (OpaquePointer) -> Int32) {
        let file = unsafe BIO_new_file(path, "w")!
        let result = unsafe body(file)
        precondition(result > 0)
        unsafe BIO_free(file)
    }
}
