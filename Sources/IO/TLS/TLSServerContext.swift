import COpenSSL
import Core
import Glibc

/// What a listener needs to serve TLS: certificates by name, versions and ciphers, whom it asks for a certificate.
///
/// Made by the main thread, immutable, shared by all workers. A connection keeps its context until it goes, so that a new
/// one may take its place at any time.
@safe
package final class TLSServerContext: Sendable {
    /// All certificates, in the order of the settings.
    package let certificates: [TLSCertificateInfo]
    /// One for each set of the name table; the first is where every connection begins.
    private let contexts: [TLSContext]
    private let names: TLSNameTable
    private let tickets: TLSTicketKeys
    /// What is agreed to by ALPN, in order of preference.
    private let protocols: [TLSApplicationProtocol]

    package init(_ settings: TLSServerSettings, tickets: TLSTicketKeys) throws(TLSError) {
        guard !settings.certificates.isEmpty else { throw TLSError(.fileUnreadable, "no certificate is given") }
        var loaded: [TLSCertificate] = []
        for files in settings.certificates { loaded.append(try TLSCertificate(files)) }
        certificates = loaded.map(\.info)
        names = TLSNameTable(loaded.map { ($0.info.names, $0.keyType) })
        self.tickets = tickets
        protocols = settings.offersHTTP2 ? [.http2, .http11] : [.http11]
        let clients = try TLSClientCheck(settings)
        var made: [TLSContext] = []
        for set in names.sets {
            let options =
                sidecar_SSL_OP_CIPHER_SERVER_PREFERENCE | sidecar_SSL_OP_PRIORITIZE_CHACHA
                | (settings.sessionTickets ? 0 : sidecar_SSL_OP_NO_TICKET)
            let context = try TLSContext(settings.policy, options: options)
            for index in set { try context.use(loaded[index]) }
            try clients?.apply(to: context)
            made.append(context)
        }
        contexts = made
        for context in made { wire(context, clients, settings.sessionTickets) }
    }

    /// A new connection's `SSL`, which the caller owns.
    @unsafe
    func makeConnection() -> OpaquePointer? {
        // SAFETY: the context is alive, and the connection counts a reference of its own.
        unsafe SSL_new(contexts[0].pointer)
    }

    // MARK: Set-up

    /// Sessions live in tickets only; callbacks find this object.
    private func wire(_ context: TLSContext, _ clients: TLSClientCheck?, _ sessionTickets: Bool) {
        // SAFETY: of all here: the contexts are this object's, and connections keep it alive: no callback comes without one.
        let context = unsafe context.pointer
        let owner = unsafe Unmanaged.passUnretained(self).toOpaque()
        unsafe SSL_CTX_set_ex_data(context, 0, owner)
        unsafe sidecar_ssl_ctx_set_session_cache(context, Int(SSL_SESS_CACHE_OFF))
        unsafe SSL_CTX_set_num_tickets(context, sessionTickets ? 1 : 0)
        // A session counts only where clients were checked alike: the same issuers, the same revocations.
        let fingerprint = clients?.fingerprint ?? [UInt8](repeating: 0, count: 32)
        unsafe SSL_CTX_set_session_id_context(context, fingerprint, UInt32(fingerprint.count))
        if sessionTickets {
            unsafe SSL_CTX_set_tlsext_ticket_key_evp_cb(context) {
                connection, name, vector, encryption, mac, isSealing in
                let server = unsafe TLSServerContext.owner(of: SSL_get_SSL_CTX(connection))
                return unsafe server.tickets.prepare(
                    name!, vector!, encryption!, mac!, isSealing: isSealing == 1,
                    renewsAlways: SSL_version(connection) == TLS1_3_VERSION)
            }
        }
        if contexts.count > 1 {
            unsafe sidecar_ssl_ctx_on_server_name(
                context,
                { connection, _, owner in
                    let server = unsafe Unmanaged<TLSServerContext>.fromOpaque(owner!).takeUnretainedValue()
                    return unsafe server.select(for: connection!)
                }, owner)
        }
        unsafe SSL_CTX_set_alpn_select_cb(
            context,
            { _, chosen, chosenCount, offers, count, owner in
                let server = unsafe Unmanaged<TLSServerContext>.fromOpaque(owner!).takeUnretainedValue()
                let offers = unsafe UnsafeBufferPointer(start: offers, count: Int(count))
                guard let range = unsafe server.agree(Span(_unsafeElements: offers)) else {
                    return SSL_TLSEXT_ERR_ALERT_FATAL
                }
                unsafe chosen!.pointee = offers.baseAddress!.advanced(by: range.lowerBound)
                unsafe chosenCount!.pointee = UInt8(range.count)
                return SSL_TLSEXT_ERR_OK
            }, owner)
    }

    @unsafe
    private static func owner(of context: OpaquePointer?) -> TLSServerContext {
        // SAFETY: set for every context of this kind before any connection is made of it.
        unsafe Unmanaged<TLSServerContext>.fromOpaque(SSL_CTX_get_ex_data(context, 0)!).takeUnretainedValue()
    }

    // MARK: Events of OpenSSL

    /// The client has named whom it wants.
    @unsafe
    private func select(for connection: OpaquePointer) -> Int32 {
        // SAFETY: the connection is alive, and its name is until it is changed.
        guard let name = unsafe SSL_get_servername(connection, TLSEXT_NAMETYPE_host_name) else {
            return SSL_TLSEXT_ERR_NOACK
        }
        let set = unsafe names.set(for: String(cString: name))
        if set != 0 { unsafe SSL_set_SSL_CTX(connection, contexts[set].pointer) }
        return SSL_TLSEXT_ERR_OK
    }

    /// Where in the client's offers, each with its length before it, the best protocol stands (RFC 7301 §3.2).
    private func agree(_ offers: Span<UInt8>) -> Range<Int>? {
        for wanted in protocols {
            var position = 0
            while position < offers.count {
                let start = position + 1
                let end = start + Int(offers[position])
                guard end <= offers.count else { return nil }
                if TLSApplicationProtocol(offers.extracting(start..<end)) == wanted { return start..<end }
                position = end
            }
        }
        return nil
    }
}
