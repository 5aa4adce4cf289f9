import COpenSSL
import Core

/// What connecting by TLS needs: whom to believe, what to show, versions and ciphers.
///
/// Made by the main thread, immutable, shared by all workers. A connection keeps its context until it goes.
@safe
package final class TLSClientContext: Sendable {
    /// The one that servers are shown when they ask; nil where there is none.
    package let certificate: TLSCertificateInfo?
    private let context: TLSContext
    private let verifies: Bool

    package init(_ settings: TLSClientSettings) throws(TLSError) {
        verifies = settings.verifies
        context = try TLSContext(settings.policy, options: 0)
        let shown: TLSCertificate? = if let files = settings.certificate { try TLSCertificate(files) } else { nil }
        certificate = shown?.info
        if let shown { try context.use(shown) }
        // SAFETY: of all here: the context is alive, and OpenSSL copies or counts what it is given.
        let pointer = unsafe context.pointer
        if verifies {
            let trust = try TLSTrust(caPath: settings.caPath)
            unsafe sidecar_ssl_ctx_share_store(pointer, trust.store)
            unsafe SSL_CTX_set_verify(pointer, SSL_VERIFY_PEER) { isGood, check in
                guard isGood == 0, let certificate = unsafe X509_STORE_CTX_get_current_cert(check) else {
                    return isGood
                }
                let index = SSL_get_ex_data_X509_STORE_CTX_idx()
                let connection = unsafe OpaquePointer(X509_STORE_CTX_get_ex_data(check, index))
                unsafe TLSClientContext.owner(of: connection)?.noteRefused(certificate)
                return 0
            }
        } else {
            unsafe SSL_CTX_set_verify(pointer, SSL_VERIFY_NONE, nil)
        }
        if let offers = settings.alpn?.wire {
            guard unsafe SSL_CTX_set_alpn_protos(pointer, offers, UInt32(offers.count)) == 0 else {
                throw .noted("ALPN")
            }
        }
        // Sessions are kept by whoever connects, one for each endpoint, and not by name in here.
        unsafe sidecar_ssl_ctx_set_session_cache(
            pointer, Int(SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL))
        unsafe SSL_CTX_sess_set_new_cb(pointer) { connection, session in
            unsafe TLSClientContext.owner(of: connection)?.keep(session!) ?? false ? 1 : 0
        }
    }

    @unsafe
    private static func owner(of connection: OpaquePointer?) -> TLSConnection? {
        // SAFETY: set by the connection for its own `SSL`, which does not outlive it.
        guard let owner = unsafe SSL_get_ex_data(connection, 0) else { return nil }
        return unsafe Unmanaged<TLSConnection>.fromOpaque(owner).takeUnretainedValue()
    }

    /// A new connection's `SSL`, which the caller owns, that will ask for this name, or this address, and check it.
    @unsafe
    func makeConnection(serverName: String, session: OpaquePointer?) throws(TLSError) -> OpaquePointer {
        let isAddress = IPAddress(serverName) != nil
        // An empty name would check none, and C ends one at a NUL.
        guard isAddress || (!serverName.isEmpty && serverName.utf8.allSatisfy(ASCII.isHostName)) else {
            throw TLSError(.nameMismatch, "\(serverName) is no name to ask for")
        }
        // SAFETY: of all here: the context is alive; the connection is the caller's or freed; OpenSSL copies the name.
        guard let made = unsafe SSL_new(context.pointer) else { throw .noted("SSL_new") }
        var isReady = true
        if verifies {
            unsafe SSL_set_hostflags(made, UInt32(X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS))
            isReady =
                isAddress
                ? unsafe X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(made), serverName) == 1
                : unsafe SSL_set1_host(made, serverName) == 1
        }
        // An address is no server name (RFC 6066 §3).
        if isReady, !isAddress { isReady = unsafe sidecar_ssl_set_server_name(made, serverName) == 1 }
        guard isReady else {
            unsafe SSL_free(made)
            throw .noted("\(serverName) is no name to ask for", otherwise: .nameMismatch)
        }
        if let session = unsafe session { unsafe SSL_set_session(made, session) }
        return unsafe made
    }
}
