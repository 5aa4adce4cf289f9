import COpenSSL

/// A version of the protocol that is spoken here; the older ones are not (RFC 8996).
package enum TLSVersion: Int, Comparable, Sendable {
    case v12 = 12
    case v13 = 13

    package static func < (left: TLSVersion, right: TLSVersion) -> Bool { left.rawValue < right.rawValue }

    var code: Int32 { self == .v12 ? TLS1_2_VERSION : TLS1_3_VERSION }
}

/// What may be agreed on in a handshake. Lists are OpenSSL's: names separated by colons, preferred ones first.
package struct TLSPolicy: Equatable, Sendable {
    package var minVersion = TLSVersion.v12
    package var maxVersion = TLSVersion.v13
    /// Cipher suites of TLS 1.2; nil for `ciphers12Default`.
    package var ciphers12: String?
    /// Cipher suites of TLS 1.3; nil for `ciphersuites13Default`.
    package var ciphersuites13: String?
    /// Groups for the key exchange; nil for `curvesDefault`.
    package var curves: String?

    package init() {}

    /// Forward secrecy and authenticated encryption only; AES-128 first, which costs least and is not what breaks first.
    static let ciphers12Default =
        "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:"
        + "ECDHE-RSA-AES256-GCM-SHA384:ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305"
    static let ciphersuites13Default = "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256"
    static let curvesDefault = "X25519:P-256:P-384"

    /// Settles a context's versions, ciphers and groups.
    @unsafe
    func apply(to context: OpaquePointer) throws(TLSError) {
        guard minVersion <= maxVersion else {
            throw TLSError(.policyInvalid, "the lowest version is above the highest")
        }
        // SAFETY: the context is alive, by the caller's word; OpenSSL copies the lists.
        guard unsafe sidecar_ssl_ctx_set_versions(context, minVersion.code, maxVersion.code) == 1 else {
            throw .noted("versions", otherwise: .policyInvalid)
        }
        guard unsafe SSL_CTX_set_cipher_list(context, ciphers12 ?? Self.ciphers12Default) == 1 else {
            throw .noted("ciphers of TLS 1.2", otherwise: .policyInvalid)
        }
        guard unsafe SSL_CTX_set_ciphersuites(context, ciphersuites13 ?? Self.ciphersuites13Default) == 1 else {
            throw .noted("cipher suites of TLS 1.3", otherwise: .policyInvalid)
        }
        guard unsafe sidecar_ssl_ctx_set_groups(context, curves ?? Self.curvesDefault) == 1 else {
            throw .noted("curves", otherwise: .policyInvalid)
        }
    }
}
