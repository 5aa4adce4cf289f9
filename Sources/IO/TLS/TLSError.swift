import COpenSSL
import Glibc

/// Why a TLS context could not be made, or a handshake failed: one stable word, and a text for people.
package struct TLSError: Error, Equatable, Sendable, CustomStringConvertible {
    /// The raw values are stable words for logs and metrics.
    package enum Kind: String, CaseIterable, Sendable {
        // Making a context.
        case fileUnreadable = "file_unreadable"
        case notPEM = "not_pem"
        case keyMismatch = "key_mismatch"
        case keyEncrypted = "key_encrypted"
        case certificateRefused = "certificate_refused"
        case policyInvalid = "policy_invalid"
        // What the peer showed.
        case certificateExpired = "certificate_expired"
        case certificateNotYetValid = "certificate_not_yet_valid"
        case certificateRevoked = "certificate_revoked"
        case certificateInvalid = "certificate_invalid"
        case clientCertificateMissing = "client_certificate_missing"
        case unknownCA = "unknown_ca"
        case nameMismatch = "name_mismatch"
        // What both could not agree on.
        case noSharedCipher = "no_shared_cipher"
        case protocolVersion = "protocol_version"
        case noApplicationProtocol = "no_application_protocol"
        // What the peer did.
        case notTLS = "not_tls"
        case peerAlert = "peer_alert"
        case peerClosed = "peer_closed"
        case protocolViolation = "protocol_violation"
        /// The socket failed; the text has the kernel's words.
        case io
        /// OpenSSL could not do its own part: memory, mostly.
        case library
    }

    package let kind: Kind
    package let text: String

    package init(_ kind: Kind, _ text: String) {
        self.kind = kind
        self.text = text
    }

    package var description: String { "\(kind.rawValue): \(text)" }

    init(_ error: IOError) { self.init(.io, error.description) }

    /// What OpenSSL last noted on this thread, which is forgotten: the first of it, which the rest only follow from.
    static func noted(_ what: String, otherwise kind: Kind = .library) -> TLSError {
        // SAFETY: OpenSSL's error queue is the thread's own.
        let error = ERR_get_error()
        ERR_clear_error()
        let reason = error == 0 ? "no reason given" : Self.reason(of: error)
        return TLSError(kind, what.isEmpty ? reason : "\(what): \(reason)")
    }

    /// OpenSSL's words for an error code; the kernel's when it was a system call.
    static func reason(of error: UInt) -> String {
        if sidecar_err_library(error) == ERR_LIB_SYS { return IOError.message(sidecar_err_reason(error)) }
        // SAFETY: the text is a constant of the library.
        guard let text = unsafe ERR_reason_error_string(error) else { return "error \(error)" }
        return unsafe String(cString: text)
    }

    /// The kind that an error of OpenSSL's in a handshake means, beside the verification of certificates.
    static func kind(of error: UInt) -> Kind {
        if sidecar_ssl_is_alert(error) != 0 { return .peerAlert }
        guard sidecar_err_library(error) == ERR_LIB_SSL else { return .library }
        switch sidecar_err_reason(error) {
        case SSL_R_NO_SHARED_CIPHER, SSL_R_NO_SUITABLE_SIGNATURE_ALGORITHM, SSL_R_NO_SHARED_SIGNATURE_ALGORITHMS,
            SSL_R_NO_CIPHERS_AVAILABLE, SSL_R_NO_SUITABLE_GROUPS, SSL_R_NO_SUITABLE_KEY_SHARE:
            return .noSharedCipher
        case SSL_R_UNSUPPORTED_PROTOCOL, SSL_R_VERSION_TOO_LOW, SSL_R_VERSION_TOO_HIGH, SSL_R_WRONG_SSL_VERSION,
            SSL_R_NO_PROTOCOLS_AVAILABLE:
            return .protocolVersion
        case SSL_R_NO_APPLICATION_PROTOCOL: return .noApplicationProtocol
        case SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE: return .clientCertificateMissing
        case SSL_R_HTTP_REQUEST, SSL_R_HTTPS_PROXY_REQUEST, SSL_R_WRONG_VERSION_NUMBER: return .notTLS
        case SSL_R_UNEXPECTED_EOF_WHILE_READING: return .peerClosed
        default: return .protocolViolation
        }
    }

    /// The kind that a result of certificate verification means.
    static func kind(ofVerification result: Int) -> Kind {
        switch Int32(truncatingIfNeeded: result) {
        case X509_V_ERR_CERT_HAS_EXPIRED: .certificateExpired
        case X509_V_ERR_CERT_NOT_YET_VALID: .certificateNotYetValid
        case X509_V_ERR_CERT_REVOKED: .certificateRevoked
        case X509_V_ERR_HOSTNAME_MISMATCH, X509_V_ERR_IP_ADDRESS_MISMATCH: .nameMismatch
        case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT, X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY,
            X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN, X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT,
            X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE, X509_V_ERR_CERT_UNTRUSTED:
            .unknownCA
        default: .certificateInvalid
        }
    }
}
