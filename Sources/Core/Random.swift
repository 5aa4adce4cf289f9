/// A small, fast random generator (xoshiro256**) for balancing, jitter and identifiers.
///
/// Owned by one worker and seeded from the kernel there, from a constant in tests. Not for keys: those come from
/// OpenSSL.
package struct Random: RandomNumberGenerator, Sendable, BitwiseCopyable {
    private var state: (UInt64, UInt64, UInt64, UInt64)

    /// Expands `seed` by SplitMix64, as the generator's authors advise.
    package init(seed: UInt64) {
        var mixer = seed
        func mixed() -> UInt64 {
            mixer &+= 0x9E37_79B9_7F4A_7C15
            var value = mixer
            value = (value ^ (value >> 30)) &* 0xBF58_476D_1CE4_E5B9
            value = (value ^ (value >> 27)) &* 0x94D0_49BB_1331_11EB
            return value ^ (value >> 31)
        }
        state = (mixed(), mixed(), mixed(), mixed())
    }

    @inline(__always)
    package mutating func next() -> UInt64 {
        let result = rotated(state.1 &* 5, by: 7) &* 9
        let shifted = state.1 << 17
        state.2 ^= state.0
        state.3 ^= state.1
        state.1 ^= state.2
        state.0 ^= state.3
        state.2 ^= shifted
        state.3 = rotated(state.3, by: 45)
        return result
    }

    @inline(__always)
    private func rotated(_ value: UInt64, by count: UInt64) -> UInt64 { (value << count) | (value >> (64 - count)) }
}
