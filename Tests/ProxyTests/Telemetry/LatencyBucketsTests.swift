import Core
import Testing

@testable import Proxy

@Suite struct LatencyBucketsTests {
    private let octaves = LatencyBuckets.octaves()

    private func bucketTheSlowWay(_ nanoseconds: UInt64) -> Int {
        LatencyBuckets.bounds.firstIndex { nanoseconds <= $0.nanoseconds } ?? LatencyBuckets.bounds.count
    }

    @Test func aBoundBelongsToItsBucketAndTheNextNanosecondToTheNext() {
        for (index, bound) in LatencyBuckets.bounds.enumerated() {
            #expect(LatencyBuckets.bucket(of: bound.nanoseconds - 1, in: octaves) == index)
            #expect(LatencyBuckets.bucket(of: bound.nanoseconds, in: octaves) == index)
            #expect(LatencyBuckets.bucket(of: bound.nanoseconds + 1, in: octaves) == index + 1)
        }
    }

    @Test func zeroAndTheLongestDurationHaveTheOutermostBuckets() {
        #expect(LatencyBuckets.bucket(of: 0, in: octaves) == 0)
        #expect(LatencyBuckets.bucket(of: .max, in: octaves) == LatencyBuckets.count - 1)
    }

    @Test func everyPowerOfTwoAndManyOthersAgreeWithALinearSearch() {
        var random = Random(seed: 3)
        var durations = (0..<64).flatMap { bit in [UInt64(1) << UInt64(bit), (UInt64(1) << UInt64(bit)) - 1] }
        for _ in 0..<20_000 { durations.append(random.next() >> UInt64.random(in: 0..<64, using: &random)) }
        for duration in durations {
            #expect(LatencyBuckets.bucket(of: duration, in: octaves) == bucketTheSlowWay(duration))
        }
    }

    @Test func boundsAreSoFarApartThatAnOctaveHoldsOneAtMost() {
        for (lower, upper) in zip(LatencyBuckets.bounds, LatencyBuckets.bounds.dropFirst()) {
            #expect(lower.nanoseconds.leadingZeroBitCount > upper.nanoseconds.leadingZeroBitCount)
        }
        #expect(LatencyBuckets.count == LatencyBuckets.bounds.count + 1)
    }

    @Test func secondsAreTheNanosecondsWrittenDifferently() throws {
        for bound in LatencyBuckets.bounds {
            let seconds = try #require(Double(bound.seconds.description))
            #expect(UInt64((seconds * 1e9).rounded()) == bound.nanoseconds)
        }
    }
}
