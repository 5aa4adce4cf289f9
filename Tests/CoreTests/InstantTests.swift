import Testing

@testable import Core

@Suite struct InstantTests {
    @Test func arithmeticSaturates() {
        let now = Instant(nanoseconds: 100)
        #expect(now.advanced(byNanoseconds: 5).nanoseconds == 105)
        #expect(now.advanced(byNanoseconds: .max) == .distantFuture)
        #expect(now.advanced(by: .seconds(2)).nanoseconds == 2_000_000_100)
        #expect(now.advanced(by: .seconds(-2)) == now)
        #expect(now.nanoseconds(since: .zero) == 100 && Instant.zero.nanoseconds(since: now) == 0)
        #expect(Instant.zero < now && now < .distantFuture)
    }

    @Test func durationsBecomeNanosecondsWithinBounds() {
        #expect(Duration.milliseconds(1500).nanosecondsClamped == 1_500_000_000)
        #expect(Duration.nanoseconds(1).nanosecondsClamped == 1)
        #expect(Duration(secondsComponent: 0, attosecondsComponent: 999_999_999).nanosecondsClamped == 0)
        #expect(Duration.nanoseconds(-1).nanosecondsClamped == 0)
        #expect(Duration.seconds(9_223_372_036).nanosecondsClamped == 9_223_372_036_000_000_000)
        #expect(Duration.seconds(9_223_372_037).nanosecondsClamped == UInt64(Int64.max))
        #expect(Duration.seconds(Int64.max).nanosecondsClamped == UInt64(Int64.max))
        let edge = Duration.seconds(9_223_372_036) + .nanoseconds(854_775_807)
        #expect(edge.nanosecondsClamped == UInt64(Int64.max))
        #expect((edge + .nanoseconds(999_999)).nanosecondsClamped == UInt64(Int64.max))
    }
}

@Suite struct RandomTests {
    @Test func aSeedGivesTheGeneratorsPublishedSequence() {
        // xoshiro256** from the four words that SplitMix64 makes of the seed, each from its reference definition.
        var mixer = ReferenceSplitMix(state: 42)
        var state = [mixer.next(), mixer.next(), mixer.next(), mixer.next()]
        var random = Random(seed: 42)
        for _ in 0..<1000 {
            func rotated(_ value: UInt64, _ count: UInt64) -> UInt64 { value << count | value >> (64 - count) }
            let expected = rotated(state[1] &* 5, 7) &* 9
            let shifted = state[1] << 17
            state[2] ^= state[0]
            state[3] ^= state[1]
            state[1] ^= state[2]
            state[0] ^= state[3]
            state[2] ^= shifted
            state[3] = rotated(state[3], 45)
            #expect(random.next() == expected)
        }
    }

    @Test func theMixerIsSplitMix64() {
        // The first numbers that the authors' program prints for the seed 1234567.
        var mixer = ReferenceSplitMix(state: 1_234_567)
        #expect(mixer.next() == 6_457_827_717_110_365_317)
        #expect(mixer.next() == 3_203_168_211_198_807_973)
    }

    @Test func differentSeedsDiffer() {
        var (first, second) = (Random(seed: 1), Random(seed: 2))
        #expect((0..<4).map { _ in first.next() } != (0..<4).map { _ in second.next() })
    }
}

private struct ReferenceSplitMix {
    var state: UInt64
    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var value = (state ^ state >> 30) &* 0xBF58_476D_1CE4_E5B9
        value = (value ^ value >> 27) &* 0x94D0_49BB_1331_11EB
        return value ^ value >> 31
    }
}
