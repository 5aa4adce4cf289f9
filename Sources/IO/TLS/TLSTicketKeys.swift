import COpenSSL
import Core
import Glibc

/// The keys that session tickets are sealed with (RFC 5077 §4): AES-256-CBC and HMAC-SHA256.
///
/// One for the whole process, shared by all contexts and workers, so that a client resumes wherever it arrives. The main
/// thread calls `rotate` from time to time: new tickets are sealed with the new key, those of the previous one are still
/// accepted and renewed, older ones lead to a full handshake. Keys are never written anywhere.
@safe
package final class TLSTicketKeys: Sendable {
    /// One key with its name, which stands at the start of every ticket.
    private struct Key: BitwiseCopyable {
        var name: (UInt64, UInt64)
        var cipher: (UInt64, UInt64, UInt64, UInt64)
        var mac: (UInt64, UInt64, UInt64, UInt64)

        static func random() -> Key {
            var source = SystemRandomNumberGenerator()
            return Key(
                name: (source.next(), source.next()),
                cipher: (source.next(), source.next(), source.next(), source.next()),
                mac: (source.next(), source.next(), source.next(), source.next()))
        }
    }

    private struct Ring: BitwiseCopyable {
        var current: Key
        var previous: Key
        var hasPrevious = false
    }

    private let ring: Locked<Ring>
    // SAFETY: fetched once and never changed; OpenSSL counts its references atomically.
    private nonisolated(unsafe) let cipher: OpaquePointer?

    package init() {
        let key = Key.random()
        ring = Locked(Ring(current: key, previous: key))
        unsafe cipher = EVP_CIPHER_fetch(nil, "AES-256-CBC", nil)
    }

    // SAFETY: nobody uses the keys any more; OpenSSL takes nil too.
    deinit { unsafe EVP_CIPHER_free(cipher) }

    /// A new key for new tickets; the present one becomes the previous.
    package func rotate() {
        ring.withLock { ring in
            ring.previous = ring.current
            ring.current = .random()
            ring.hasPrevious = true
        }
    }

    /// What OpenSSL asks for with every ticket: 1 to go on, 2 to renew too, 0 for no ticket or an unknown one, -1 for failure.
    ///
    /// With `renewsAlways` every ticket that is taken leads to a new one: clients use those of TLS 1.3 once (RFC 8446 §C.4).
    /// `name` has 16 bytes, `vector` EVP_MAX_IV_LENGTH; both are written to when sealing.
    @unsafe
    func prepare(
        _ name: UnsafeMutablePointer<UInt8>, _ vector: UnsafeMutablePointer<UInt8>, _ encryption: OpaquePointer,
        _ mac: OpaquePointer, isSealing: Bool, renewsAlways: Bool
    ) -> Int32 {
        let ring = ring.withLock { $0 }
        // SAFETY: OpenSSL's contexts and memory are good for the call; the key's copy is too.
        var key = ring.current
        var answer: Int32 = renewsAlways && !isSealing ? 2 : 1
        if isSealing {
            unsafe withUnsafeBytes(of: &key.name) {
                unsafe UnsafeMutableRawPointer(name).copyMemory(from: $0.baseAddress!, byteCount: 16)
            }
            guard unsafe RAND_bytes(vector, 16) == 1 else { return -1 }
        } else if unsafe !Self.names(&key, name) {
            key = ring.previous
            guard unsafe ring.hasPrevious && Self.names(&key, name) else { return 0 }
            answer = 2
        }
        let isReady = unsafe withUnsafeBytes(of: &key.cipher) { secret in
            let bytes = unsafe secret.bindMemory(to: UInt8.self).baseAddress!
            return isSealing
                ? unsafe EVP_EncryptInit_ex(encryption, cipher, nil, bytes, vector) == 1
                : unsafe EVP_DecryptInit_ex(encryption, cipher, nil, bytes, vector) == 1
        }
        let isAuthenticated = unsafe withUnsafeBytes(of: &key.mac) { secret in
            unsafe sidecar_ticket_set_mac(mac, secret.bindMemory(to: UInt8.self).baseAddress!, secret.count) == 1
        }
        // SAFETY: the copy is this function's own.
        unsafe withUnsafeMutableBytes(of: &key) { unsafe OPENSSL_cleanse($0.baseAddress, $0.count) }
        return isReady && isAuthenticated ? answer : -1
    }

    @unsafe
    private static func names(_ key: inout Key, _ name: UnsafeMutablePointer<UInt8>) -> Bool {
        // SAFETY: both have 16 bytes.
        unsafe withUnsafeBytes(of: &key.name) { unsafe memcmp($0.baseAddress!, name, 16) == 0 }
    }
}
