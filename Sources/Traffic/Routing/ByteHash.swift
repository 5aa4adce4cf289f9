import Core

/// A hash of bytes, grown byte by byte, so that one pass yields the hash of every prefix (FNV-1a, 64 bits).
///
/// Keys come from the configuration, lookups from anywhere: a peer that knows collisions cannot add them to the table.
struct ByteHash {
    private(set) var value: UInt64

    /// Equal bytes in different scopes hash differently.
    @inline(__always)
    init(scope: UInt32) { value = 0xCBF2_9CE4_8422_2325 ^ UInt64(scope) &* 0x9E37_79B9_7F4A_7C15 }

    @inline(__always)
    mutating func add(_ byte: UInt8) { value = (value ^ UInt64(byte)) &* 0x0000_0100_0000_01B3 }

    /// The hash of the bytes in reading order.
    @inline(__always)
    static func of(_ bytes: Span<UInt8>, scope: UInt32) -> UInt64 {
        var hash = ByteHash(scope: scope)
        for index in bytes.indices { hash.add(bytes[index]) }
        return hash.value
    }
}
