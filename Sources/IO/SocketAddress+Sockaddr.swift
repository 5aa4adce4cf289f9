import CLinux
import Core
import Glibc

extension SocketAddress {
    /// The socket family, `AF_INET`, `AF_INET6` or `AF_UNIX`.
    var family: Int32 {
        switch self {
        case .ip(let address, _): address.isV6 ? AF_INET6 : AF_INET
        case .unix: AF_UNIX
        }
    }

    /// Calls `body` with the kernel's form of the address.
    func withSockaddr<Result>(_ body: (UnsafePointer<sockaddr>, socklen_t) -> Result) -> Result {
        // SAFETY: each structure is filled whole, lives for the call, and its true size is passed along.
        switch self {
        case .ip(let address, let port):
            if let bits = address.v4 {
                var storage = sockaddr_in()
                storage.sin_family = sa_family_t(AF_INET)
                storage.sin_port = port.bigEndian
                storage.sin_addr.s_addr = bits.bigEndian
                return unsafe withUnsafeBytes(of: &storage) {
                    unsafe body($0.baseAddress!.assumingMemoryBound(to: sockaddr.self), socklen_t($0.count))
                }
            }
            var storage = sockaddr_in6()
            storage.sin6_family = sa_family_t(AF_INET6)
            storage.sin6_port = port.bigEndian
            unsafe withUnsafeMutableBytes(of: &storage.sin6_addr) {
                unsafe $0.storeBytes(of: address.high.bigEndian, toByteOffset: 0, as: UInt64.self)
                unsafe $0.storeBytes(of: address.low.bigEndian, toByteOffset: 8, as: UInt64.self)
            }
            return unsafe withUnsafeBytes(of: &storage) {
                unsafe body($0.baseAddress!.assumingMemoryBound(to: sockaddr.self), socklen_t($0.count))
            }
        case .unix(let path):
            var storage = sockaddr_un()
            storage.sun_family = sa_family_t(AF_UNIX)
            let isAbstract = path.hasPrefix("@")
            let count = min(path.utf8.count, Self.unixPathBytesMax)
            unsafe withUnsafeMutableBytes(of: &storage.sun_path) { target in
                for (index, byte) in path.utf8.prefix(count).enumerated() { unsafe target[index] = byte }
                if isAbstract { unsafe target[0] = 0 }
            }
            // An abstract name has no terminator: its length is part of it.
            let length = MemoryLayout.offset(of: \sockaddr_un.sun_path)! + count + (isAbstract ? 0 : 1)
            return unsafe withUnsafeBytes(of: &storage) {
                unsafe body($0.baseAddress!.assumingMemoryBound(to: sockaddr.self), socklen_t(length))
            }
        }
    }

    /// Lets `call` fill in an address (accept4, getsockname) and reads it; nil when it is of no family known here.
    static func filled(by call: (UnsafeMutablePointer<sockaddr>, UnsafeMutablePointer<socklen_t>) -> Void)
        -> SocketAddress?
    {
        var storage = sockaddr_storage()
        var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
        // SAFETY: the kernel writes at most `length` bytes into the storage; each view is of the family it names.
        return unsafe withUnsafeMutableBytes(of: &storage) { bytes in
            unsafe call(bytes.baseAddress!.assumingMemoryBound(to: sockaddr.self), &length)
            return unsafe read(bytes.baseAddress!, length: Int(length))
        }
    }

    @unsafe
    static func read(_ base: UnsafeRawPointer, length: Int) -> SocketAddress? {
        // SAFETY: the caller passes the kernel's structure and its length.
        switch unsafe Int32(base.load(as: sa_family_t.self)) {
        case AF_INET:
            let address = unsafe base.load(as: sockaddr_in.self)
            return unsafe .ip(
                IPAddress(v4: UInt32(bigEndian: address.sin_addr.s_addr)), port: UInt16(bigEndian: address.sin_port))
        case AF_INET6:
            let address = unsafe base.load(as: sockaddr_in6.self)
            let (high, low) = unsafe withUnsafeBytes(of: address.sin6_addr) {
                unsafe ($0.load(as: UInt64.self), $0.load(fromByteOffset: 8, as: UInt64.self))
            }
            return unsafe .ip(
                IPAddress(high: UInt64(bigEndian: high), low: UInt64(bigEndian: low)),
                port: UInt16(bigEndian: address.sin6_port))
        case AF_UNIX:
            let start = MemoryLayout.offset(of: \sockaddr_un.sun_path)!
            guard length > start else { return .unix("") }
            let path = unsafe UnsafeRawBufferPointer(start: base + start, count: length - start)
            if unsafe path.first == 0 { return unsafe .unix("@" + String(decoding: path.dropFirst(), as: UTF8.self)) }
            return unsafe .unix(String(decoding: path.prefix { $0 != 0 }, as: UTF8.self))
        default:
            return nil
        }
    }
}
