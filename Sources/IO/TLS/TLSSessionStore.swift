import COpenSSL

/// The last session with one endpoint, to be resumed by the next connection there.
///
/// One for each endpoint and worker, used on that worker. A session counts only for the context and the name that it was
/// verified with.
@safe
package final class TLSSessionStore {
    // SAFETY: one reference, counted by OpenSSL, held from `keep` until it is replaced, dropped, or this goes.
    private var session: OpaquePointer?
    private var context: TLSClientContext?
    private var serverName = ""

    package init() {}

    deinit { drop() }

    /// Whether the next connection can ask to resume.
    package var hasSession: Bool { unsafe session != nil }

    /// The session for this context and name; the caller uses it before this changes.
    @unsafe
    func find(_ context: TLSClientContext, _ serverName: String) -> OpaquePointer? {
        guard self.context === context, self.serverName == serverName else { return nil }
        // One of TLS 1.3 can be used once.
        guard let session = unsafe session, unsafe SSL_SESSION_is_resumable(session) == 1 else { return nil }
        return unsafe session
    }

    /// Takes over the caller's reference.
    @unsafe
    func keep(_ session: OpaquePointer, _ context: TLSClientContext, _ serverName: String) {
        drop()
        unsafe self.session = session
        self.context = context
        self.serverName = serverName
    }

    /// Forgets the session: the next connection makes a full handshake.
    package func drop() {
        // SAFETY: the reference is this object's own, and given up once.
        if let session = unsafe session { unsafe SSL_SESSION_free(session) }
        unsafe session = nil
        context = nil
    }
}
