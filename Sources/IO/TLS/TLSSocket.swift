import CLinux
import COpenSSL
import Glibc

/// The socket below one TLS connection, as OpenSSL sees it: a BIO that reads and writes the descriptor itself.
///
/// Owned by its `TLSConnection`, which has it in memory of its own. It remembers readiness as `Transport` does: nothing is
/// asked of the kernel only to hear EAGAIN.
@safe
struct TLSSocket {
    let descriptor: Int32
    /// What the kernel last said.
    var isReadable: Bool
    var isWritable: Bool
    var isHungUp: Bool
    /// The peer closed the stream below TLS.
    var hasEnded = false
    /// The error that ended it, and which call's it was; 0 for none.
    var error: Int32 = 0
    var isErrorOfWriting = false
    /// Bytes that the owner had read before TLS began, and how many of them were taken.
    // SAFETY: an allocation of `receivedCount` bytes, freed by the connection or when the last was taken.
    var received: UnsafeMutableRawPointer?
    var receivedCount = 0
    var receivedTaken = 0

    init(descriptor: Int32, isReadable: Bool, isWritable: Bool, isHungUp: Bool) {
        self.descriptor = descriptor
        self.isReadable = isReadable
        self.isWritable = isWritable
        self.isHungUp = isHungUp
    }

    /// Whether a read may find something without another word from the kernel.
    var mayRead: Bool { unsafe isReadable || received != nil }

    // MARK: Events of OpenSSL

    fileprivate mutating func read(_ bio: OpaquePointer, _ bytes: UnsafeMutableRawPointer, _ count: Int) -> Int32 {
        // SAFETY: of all here: OpenSSL gives room for `count` bytes.
        unsafe sidecar_bio_no_retry(bio)
        if let received = unsafe received { return unsafe take(received, bytes, count) }
        while isReadable {
            let result = unsafe recv(descriptor, bytes, count, 0)
            if result > 0 {
                // After a hang-up no further event comes: the end has to be read.
                if result < count, !isHungUp { isReadable = false }
                return Int32(truncatingIfNeeded: result)
            }
            if result == 0 {
                hasEnded = true
                return 0
            }
            switch errno {
            case EINTR: continue
            case EAGAIN: isReadable = false
            default:
                error = errno
                return -1
            }
        }
        unsafe sidecar_bio_retry_read(bio)
        return -1
    }

    @unsafe
    private mutating func take(
        _ source: UnsafeMutableRawPointer, _ bytes: UnsafeMutableRawPointer, _ count: Int
    ) -> Int32 {
        let taken = min(count, receivedCount - receivedTaken)
        unsafe bytes.copyMemory(from: source.advanced(by: receivedTaken), byteCount: taken)
        receivedTaken += taken
        if receivedTaken == receivedCount {
            unsafe source.deallocate()
            unsafe received = nil
        }
        return Int32(truncatingIfNeeded: taken)
    }

    fileprivate mutating func write(_ bio: OpaquePointer, _ bytes: UnsafeRawPointer, _ count: Int) -> Int32 {
        // SAFETY: of all here: OpenSSL gives `count` bytes.
        unsafe sidecar_bio_no_retry(bio)
        while isWritable {
            let result = unsafe send(descriptor, bytes, count, Int32(MSG_NOSIGNAL))
            if result >= 0 {
                if result < count { isWritable = false }
                return Int32(truncatingIfNeeded: result)
            }
            switch errno {
            case EINTR: continue
            case EAGAIN: isWritable = false
            default:
                error = errno
                isErrorOfWriting = true
                return -1
            }
        }
        unsafe sidecar_bio_retry_write(bio)
        return -1
    }

    // MARK: The BIO

    /// A BIO for the socket, which must stay where it is as long as the BIO lives; nil without memory.
    @unsafe
    static func makeBIO(_ socket: UnsafeMutablePointer<TLSSocket>) -> OpaquePointer? {
        guard let method = unsafe method, let bio = unsafe BIO_new(method) else { return nil }
        unsafe BIO_set_data(bio, socket)
        unsafe BIO_set_init(bio, 1)
        return unsafe bio
    }

    // SAFETY: made once, never changed afterwards nor freed. Its functions find the socket they were given.
    private nonisolated(unsafe) static let method: OpaquePointer? = {
        let type = BIO_get_new_index() | BIO_TYPE_SOURCE_SINK
        guard let method = unsafe BIO_meth_new(type, "descriptor") else { return nil }
        unsafe BIO_meth_set_read(method) { bio, bytes, count in
            let socket = unsafe BIO_get_data(bio!)!.assumingMemoryBound(to: TLSSocket.self)
            return unsafe socket.pointee.read(bio!, bytes!, Int(count))
        }
        unsafe BIO_meth_set_write(method) { bio, bytes, count in
            let socket = unsafe BIO_get_data(bio!)!.assumingMemoryBound(to: TLSSocket.self)
            return unsafe socket.pointee.write(bio!, bytes!, Int(count))
        }
        unsafe BIO_meth_set_ctrl(method) { _, command, _, _ in
            switch command {
            case BIO_CTRL_FLUSH, BIO_CTRL_DUP: return 1
            // Nor is it told of the end: it would answer with an alert, and forbid the session's resumption. Whoever reads
            // asks for `hasEnded`.
            default: return 0
            }
        }
        return unsafe method
    }()
}
