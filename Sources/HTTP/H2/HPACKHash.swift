import Core

/// Hashes and comparisons of names and values, eight bytes at a time, for finding fields again.
///
/// Not keyed: a peer that makes hashes collide makes the chain of one table's entries long, which has at most 128.
enum HPACKHash {
    private static var factor: UInt64 { 0x9E37_79B9_7F4A_7C15 }

    @inline(__always)
    private static func mixed(_ state: UInt64, _ word: UInt64) -> UInt64 {
        let product = (state ^ word) &* factor
        return product ^ product &>> 32
    }

    @inline(__always)
    private static func folded(_ state: UInt64) -> UInt32 { UInt32(truncatingIfNeeded: state &* factor &>> 32) }

    /// The hash of a name that is known by a number.
    @inline(__always)
    static func name(_ known: HeaderName, _ pseudo: HPACKPseudo) -> UInt32 {
        folded(UInt64(known.rawValue) | UInt64(pseudo.rawValue) &<< 8 | 1 &<< 16)
    }

    /// The hash of a name in lower case, however it is spelled.
    @inline(__always)
    static func name(_ name: Span<UInt8>) -> UInt32 {
        var state = UInt64(truncatingIfNeeded: name.count)
        var index = 0
        while index < name.count {
            state = mixed(state, ASCIIWord(name.word(at: index)).lowercased)
            index &+= 8
        }
        return folded(state)
    }

    /// The hash of a field, from the one of its name.
    @inline(__always)
    static func field(_ name: UInt32, _ value: Span<UInt8>) -> UInt32 {
        var state = UInt64(name) &<< 32 | UInt64(truncatingIfNeeded: value.count)
        var index = 0
        while index < value.count {
            state = mixed(state, value.word(at: index))
            index &+= 8
        }
        return folded(state)
    }

    /// Whether the bytes at `address`, of which there are as many, are `bytes`.
    @inline(__always)
    @unsafe
    static func equals(_ address: UnsafeRawPointer, _ bytes: Span<UInt8>) -> Bool {
        // SAFETY: the caller vouches for as many bytes as the span has; it is alive for the call only.
        unsafe Span<UInt8>(_unsafeStart: address.assumingMemoryBound(to: UInt8.self), count: bytes.count).equals(bytes)
    }

    /// Whether the bytes at `address`, of which there are as many, are `name` in lower case.
    @inline(__always)
    @unsafe
    static func equals(_ address: UnsafeRawPointer, lowercasing name: Span<UInt8>) -> Bool {
        // SAFETY: the caller vouches for as many bytes as the span has; it is alive for the call only.
        let stored = unsafe Span<UInt8>(_unsafeStart: address.assumingMemoryBound(to: UInt8.self), count: name.count)
        var index = 0
        while index < name.count {
            if stored.word(at: index) != ASCIIWord(name.word(at: index)).lowercased { return false }
            index &+= 8
        }
        return true
    }
}
