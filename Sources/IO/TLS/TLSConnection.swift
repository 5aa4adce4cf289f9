import CLinux
import COpenSSL
import Core
import Glibc

/// The TLS of one transport: its handshake, its records, and who the peer is.
///
/// Owned by its `Transport`, which alone calls what moves bytes; used on one worker, dies with it. It never blocks, and asks
/// nothing of the kernel that the kernel has answered already.
@safe
package final class TLSConnection {
    // SAFETY: of all here: `ssl` and `socket` are owned, alive until deinit, and used on one thread. The BIO within `ssl`
    // finds `socket`, which stays where it is. OpenSSL calls back into nothing but `keep` and `noteRefused`, which only store what they
    // are given.
    let ssl: OpaquePointer
    private let socket: UnsafeMutablePointer<TLSSocket>
    private let scratch: TLSScratch
    /// Connections refer to their context without owning it, and its callbacks find it so.
    private let server: TLSServerContext?
    private let client: TLSClientContext?
    private let clientName: String
    private let sessions: TLSSessionStore?

    @exclusivity(unchecked) private var pendingStored = 0
    /// Its place among those that may hold buffers, which is `scratch`'s to say; -1 for none.
    var holderIndex: Int {
        get { unsafe holderIndexStored }
        set { unsafe holderIndexStored = newValue }
    }
    @exclusivity(unchecked) private var holderIndexStored = -1
    /// Since `scratch` last looked.
    var hasSpoken: Bool {
        get { unsafe hasSpokenStored }
        set { unsafe hasSpokenStored = newValue }
    }
    @exclusivity(unchecked) private var hasSpokenStored = false
    @exclusivity(unchecked) private var flagsStored = Flags()
    /// How a read ended after bytes that were returned first.
    private var ending: Transport.ReadOutcome?
    private var identity: TLSIdentity?
    /// Whom the certificate was for that was refused.
    private var refusedNames: [String] = []

    private struct Flags: BitwiseCopyable {
        var isComplete = false
        var hasFailed = false
        var readWantsWriting = false
        /// OpenSSL has a part of a record and needs the rest.
        var isStarved = false
        var writeWantsReading = false
        var isIdentityKnown = false
        var hasShutDown = false
    }

    /// Why reading or writing failed, when TLS was the reason.
    package private(set) var failure: TLSError?

    init(server: TLSServerContext, _ socket: TLSSocket, _ scratch: TLSScratch) throws(IOError) {
        guard let made = unsafe server.makeConnection() else { throw Self.outOfMemory() }
        unsafe ssl = made
        unsafe self.socket = .allocate(capacity: 1)
        unsafe self.socket.initialize(to: socket)
        self.scratch = scratch
        self.server = server
        client = nil
        clientName = ""
        sessions = nil
        unsafe SSL_set_accept_state(made)
        try connectBIO()
    }

    init(
        client: TLSClientContext, serverName: String, sessions: TLSSessionStore?, _ socket: TLSSocket,
        _ scratch: TLSScratch
    ) throws(IOError) {
        let made: OpaquePointer
        do {
            unsafe made = try client.makeConnection(
                serverName: serverName, session: sessions?.find(client, serverName))
        } catch {
            guard error.kind == .nameMismatch else { throw Self.outOfMemory() }
            throw IOError("server name", errno: EINVAL)
        }
        unsafe ssl = made
        unsafe self.socket = .allocate(capacity: 1)
        unsafe self.socket.initialize(to: socket)
        self.scratch = scratch
        server = nil
        self.client = client
        clientName = serverName
        self.sessions = sessions
        unsafe SSL_set_ex_data(made, 0, Unmanaged.passUnretained(self).toOpaque())
        unsafe SSL_set_connect_state(made)
        try connectBIO()
    }

    private func connectBIO() throws(IOError) {
        guard let bio = unsafe TLSSocket.makeBIO(socket) else { throw Self.outOfMemory() }
        unsafe SSL_set_bio(ssl, bio, bio)
    }

    deinit {
        // An end without close_notify, or of the socket, would make OpenSSL forbid the session's resumption; it is no fault
        // of the session's (RFC 5246 §7.2.1).
        if failure == nil { unsafe SSL_set_shutdown(ssl, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN) }
        unsafe SSL_free(ssl)
        unsafe socket.pointee.received?.deallocate()
        unsafe socket.deallocate()
    }

    private static func outOfMemory() -> IOError {
        ERR_clear_error()
        return IOError("SSL_new", errno: ENOMEM)
    }

    // MARK: Readiness

    func note(_ readiness: Readiness) {
        if readiness.isReadable { unsafe socket.pointee.isReadable = true }
        if readiness.isWritable { unsafe socket.pointee.isWritable = true }
        if readiness.isHungUp { unsafe socket.pointee.isHungUp = true }
    }

    /// Whether a read may find something: in the kernel, in OpenSSL, or remembered here.
    var mayRead: Bool {
        let flags = unsafe flagsStored
        if flags.readWantsWriting { return unsafe socket.pointee.isWritable }
        if unsafe socket.pointee.mayRead || ending != nil { return true }
        return unsafe !flags.isStarved && SSL_has_pending(ssl) == 1
    }

    var mayWrite: Bool {
        let flags = unsafe flagsStored
        if flags.writeWantsReading { return unsafe socket.pointee.mayRead }
        return unsafe socket.pointee.isWritable
    }

    // MARK: The handshake

    func handshake() -> TLSHandshakeOutcome {
        if unsafe flagsStored.isComplete { return .complete }
        if let failure { return .failed(failure) }
        ERR_clear_error()
        let result = unsafe SSL_do_handshake(ssl)
        if result == 1 {
            unsafe flagsStored.isComplete = true
            unsafe flagsStored.isStarved = false
            keepRenewed()
            return .complete
        }
        let what = unsafe SSL_get_error(ssl, result)
        if what == SSL_ERROR_WANT_READ || what == SSL_ERROR_WANT_WRITE {
            unsafe flagsStored.isStarved = what == SSL_ERROR_WANT_READ
            return .wouldBlock
        }
        let error = handshakeError()
        failure = error
        unsafe flagsStored.hasFailed = true
        sessions?.drop()
        return .failed(error)
    }

    private func handshakeError() -> TLSError {
        let code = ERR_get_error()
        ERR_clear_error()
        // What the socket says is only the outcome when TLS has nothing to say.
        let hasEnded = unsafe socket.pointee.hasEnded
        if code == 0 || TLSError.kind(of: code) == .peerClosed {
            if unsafe socket.pointee.error != 0 { return TLSError(socketError) }
            if hasEnded { return TLSError(.peerClosed, "the peer closed the connection during the handshake") }
        }
        let verification = unsafe SSL_get_verify_result(ssl)
        if verification != Int(X509_V_OK), sidecar_err_reason(code) == SSL_R_CERTIFICATE_VERIFY_FAILED {
            return verificationError(verification)
        }
        if sidecar_ssl_is_alert(code) != 0 {
            let alert = sidecar_err_reason(code) - SSL_AD_REASON_OFFSET
            // SAFETY: the text is a constant of the library.
            let words = unsafe String(cString: SSL_alert_desc_string_long(alert))
            return TLSError(.peerAlert, "the peer refused: \(words)")
        }
        return TLSError(TLSError.kind(of: code), code == 0 ? "the handshake failed" : TLSError.reason(of: code))
    }

    private func verificationError(_ result: Int) -> TLSError {
        let kind = TLSError.kind(ofVerification: result)
        // SAFETY: the text is a constant of the library.
        var text = unsafe String(cString: X509_verify_cert_error_string(result))
        if kind == .nameMismatch {
            let names = refusedNames.joined(separator: ", ")
            text = "the certificate is not for \(clientName)" + (names.isEmpty ? "" : " but for \(names)")
        }
        return TLSError(kind, text)
    }

    /// OpenSSL is about to refuse the server's certificate.
    @unsafe
    func noteRefused(_ certificate: OpaquePointer) {
        unsafe refusedNames = TLSName.alternatives(of: certificate).map(\.value)
    }

    /// A session to resume came from the server; whether its reference is taken over.
    @unsafe
    func keep(_ session: OpaquePointer) -> Bool {
        guard let sessions, let client, unsafe SSL_SESSION_is_resumable(session) == 1 else { return false }
        unsafe sessions.keep(session, client, clientName)
        return true
    }

    /// A ticket of TLS 1.2 that came with a resumption is told to nobody.
    private func keepRenewed() {
        guard sessions != nil, isResumed, unsafe SSL_version(ssl) == TLS1_2_VERSION else { return }
        if let session = unsafe SSL_get1_session(ssl), unsafe !keep(session) { unsafe SSL_SESSION_free(session) }
    }

    // MARK: Bytes

    /// Fills the buffer's free space with as many records as are there.
    func read(into buffer: Buffer) -> Transport.ReadOutcome {
        if let ending { return ending }
        scratch.hold(self)
        let ssl = unsafe ssl
        let socket = unsafe socket
        unsafe flagsStored.readWantsWriting = false
        unsafe flagsStored.isStarved = false
        var outcome = Transport.ReadOutcome.wouldBlock
        let total = unsafe buffer.write { free in
            var total = 0
            while total < free.count {
                let space = Int32(truncatingIfNeeded: min(free.count - total, 1 << 30))
                let count = unsafe SSL_read(ssl, free.baseAddress! + total, space)
                guard count > 0 else {
                    outcome = readEnded(count)
                    break
                }
                total += Int(count)
                // Nothing left, neither in OpenSSL nor in the kernel: no call is made only to hear so.
                if unsafe !socket.pointee.mayRead && SSL_has_pending(ssl) == 0 { break }
            }
            return total
        }
        if total == 0 {
            if outcome != .wouldBlock, outcome != .endOfStream { ending = outcome }
            return outcome
        }
        if outcome != .wouldBlock { ending = outcome }
        return .bytes(total)
    }

    /// What it means that a read gave no bytes. OpenSSL's error queue was empty before, as everybody leaves it who calls
    /// OpenSSL on a worker.
    private func readEnded(_ result: Int32) -> Transport.ReadOutcome {
        let socket = unsafe socket.pointee
        switch unsafe SSL_get_error(ssl, result) {
        case SSL_ERROR_WANT_READ:
            unsafe flagsStored.isStarved = true
            return .wouldBlock
        case SSL_ERROR_WANT_WRITE:
            unsafe flagsStored.readWantsWriting = true
            return .wouldBlock
        case SSL_ERROR_ZERO_RETURN: return .endOfStream
        default: break
        }
        let code = ERR_peek_last_error()
        ERR_clear_error()
        unsafe flagsStored.hasFailed = true
        if socket.error != 0 { return .failed(socketError) }
        if socket.hasEnded { return .failed(.truncated) }
        noteFailure(code)
        return .failed(.unexpected("SSL_read"))
    }

    private func noteFailure(_ code: UInt) {
        guard sidecar_ssl_is_alert(code) != 0 else {
            failure = TLSError(.protocolViolation, code == 0 ? "no reason given" : TLSError.reason(of: code))
            return
        }
        // SAFETY: the text is a constant of the library.
        let words = unsafe String(
            cString: SSL_alert_desc_string_long(sidecar_err_reason(code) - SSL_AD_REASON_OFFSET))
        failure = TLSError(.peerAlert, "the peer gave up: \(words)")
    }

    private var socketError: IOError {
        unsafe IOError(socket.pointee.isErrorOfWriting ? "send" : "recv", errno: socket.pointee.error)
    }

    /// Seals and sends the segments, in records as long as can be: small runs are put together, long ones are sealed from
    /// where they are. A record that the kernel had no room for is not counted as taken; its bytes must come first again.
    func write(_ segments: TLSSegments) -> Transport.WriteOutcome {
        let total = unsafe segments.total
        var taken = 0
        if unsafe pendingStored > 0 {
            // The record is sealed already; OpenSSL wants to hear of the same bytes, and looks at none of them.
            guard unsafe pendingStored <= total else { return .bytes(0) }
            guard let count = unsafe seal(scratch.bytes, pendingStored) else { return failedWriting() }
            guard count > 0 else { return .bytes(0) }
            taken = count
        }
        while taken < total {
            let run = unsafe segments.run(at: taken)
            let isGathered = run.count < min(TLSScratch.bytesMax, total - taken)
            let wanted = unsafe isGathered ? gather(segments, taken, total) : min(run.count, TLSScratch.bytesMax)
            guard let count = unsafe seal(isGathered ? UnsafeRawPointer(scratch.bytes) : run.baseAddress!, wanted)
            else { return taken > 0 ? .bytes(taken) : failedWriting() }
            taken += count
            if count < wanted { break }
        }
        return .bytes(taken)
    }

    /// Copies what follows `position` into the scratch space, as much as one record carries.
    @unsafe
    private func gather(_ segments: TLSSegments, _ position: Int, _ total: Int) -> Int {
        let wanted = min(TLSScratch.bytesMax, total - position)
        var copied = 0
        while copied < wanted {
            let run = unsafe segments.run(at: position + copied)
            let count = min(run.count, wanted - copied)
            unsafe scratch.bytes.advanced(by: copied).copyMemory(from: run.baseAddress!, byteCount: count)
            copied += count
        }
        return copied
    }

    /// Writes one record: how many bytes were taken, 0 for a full kernel, nil for a failure.
    @unsafe
    private func seal(_ bytes: UnsafeRawPointer, _ count: Int) -> Int? {
        let result = unsafe SSL_write(ssl, bytes, Int32(truncatingIfNeeded: count))
        unsafe flagsStored.writeWantsReading = false
        if result > 0 {
            unsafe pendingStored = 0
            return Int(result)
        }
        switch unsafe SSL_get_error(ssl, result) {
        case SSL_ERROR_WANT_WRITE:
            unsafe pendingStored = count
            return 0
        case SSL_ERROR_WANT_READ:
            unsafe flagsStored.writeWantsReading = true
            return 0
        default: return nil
        }
    }

    private func failedWriting() -> Transport.WriteOutcome {
        let code = ERR_peek_last_error()
        ERR_clear_error()
        unsafe flagsStored.hasFailed = true
        if unsafe socket.pointee.error != 0 { return .failed(socketError) }
        noteFailure(code)
        return .failed(.unexpected("SSL_write"))
    }

    /// Says close_notify, once, if the kernel takes it at once and nothing is half said.
    func shutDown() {
        let flags = unsafe flagsStored
        guard flags.isComplete, !flags.hasFailed, !flags.hasShutDown, unsafe pendingStored == 0 else { return }
        unsafe flagsStored.hasShutDown = true
        if unsafe SSL_shutdown(ssl) < 0 { ERR_clear_error() }
    }

    /// The transport has closed: nothing more is read or written.
    func closed() {
        scratch.forget(self)
        freeBuffers()
    }

    /// Gives OpenSSL's buffers back unless bytes stand in them; the next record takes new ones.
    func freeBuffers() { unsafe SSL_free_buffers(ssl) }

    /// Nothing more is said, not even that this is the end.
    func abandon() { unsafe flagsStored.hasShutDown = true }

    // MARK: What was agreed on

    /// By ALPN; nil when nothing was.
    package var applicationProtocol: TLSApplicationProtocol? {
        var start: UnsafePointer<UInt8>?
        var count: UInt32 = 0
        unsafe SSL_get0_alpn_selected(ssl, &start, &count)
        guard let start = unsafe start else { return nil }
        return unsafe TLSApplicationProtocol(
            Span(_unsafeElements: UnsafeBufferPointer(start: start, count: Int(count))))
    }

    /// `TLSv1.3`.
    package var versionName: String { unsafe String(cString: SSL_get_version(ssl)) }

    /// `TLS_AES_128_GCM_SHA256`.
    package var cipherName: String {
        guard let name = unsafe SSL_CIPHER_get_name(SSL_get_current_cipher(ssl)) else { return "" }
        return unsafe String(cString: name)
    }

    /// The name that the client asked for.
    package var serverName: String? {
        guard let name = unsafe SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name) else { return nil }
        return unsafe String(cString: name)
    }

    /// Whether the handshake went on with an earlier session.
    package var isResumed: Bool { unsafe SSL_session_reused(ssl) == 1 }

    /// Who the peer is; nil when it showed no certificate. Found out once.
    package var peerIdentity: TLSIdentity? {
        if unsafe !flagsStored.isIdentityKnown {
            unsafe flagsStored.isIdentityKnown = true
            if let certificate = unsafe SSL_get0_peer_certificate(ssl) { identity = unsafe TLSIdentity(certificate) }
        }
        return identity
    }
}
