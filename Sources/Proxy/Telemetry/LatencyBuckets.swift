/// The buckets of every duration histogram, and which of them a duration belongs to.
///
/// Bounds are at least a factor of two apart, so that each octave of nanoseconds holds at most one: the position of the
/// highest bit and one comparison find the bucket.
package enum LatencyBuckets {
    /// A bucket's upper bound, inclusive.
    package struct Bound: Sendable {
        package let nanoseconds: UInt64
        /// In seconds, as `le` has it.
        package let seconds: StaticString
    }

    package static let bounds: [Bound] = [
        Bound(nanoseconds: 100_000, seconds: "0.0001"),
        Bound(nanoseconds: 250_000, seconds: "0.00025"),
        Bound(nanoseconds: 500_000, seconds: "0.0005"),
        Bound(nanoseconds: 1_000_000, seconds: "0.001"),
        Bound(nanoseconds: 2_500_000, seconds: "0.0025"),
        Bound(nanoseconds: 5_000_000, seconds: "0.005"),
        Bound(nanoseconds: 10_000_000, seconds: "0.01"),
        Bound(nanoseconds: 25_000_000, seconds: "0.025"),
        Bound(nanoseconds: 50_000_000, seconds: "0.05"),
        Bound(nanoseconds: 100_000_000, seconds: "0.1"),
        Bound(nanoseconds: 250_000_000, seconds: "0.25"),
        Bound(nanoseconds: 500_000_000, seconds: "0.5"),
        Bound(nanoseconds: 1_000_000_000, seconds: "1"),
        Bound(nanoseconds: 2_500_000_000, seconds: "2.5"),
        Bound(nanoseconds: 5_000_000_000, seconds: "5"),
        Bound(nanoseconds: 10_000_000_000, seconds: "10"),
        Bound(nanoseconds: 30_000_000_000, seconds: "30"),
        Bound(nanoseconds: 60_000_000_000, seconds: "60"),
    ]

    /// Buckets in all: one for each bound, one for what is beyond the last.
    package static let count = 19
    /// Cells of one histogram: the buckets, then the sum in nanoseconds.
    package static let cells = count + 1
    package static let sumCell = count

    /// One octave `2^n ..< 2^(n+1)`: the bucket of its shorter durations, and the bound that parts them from the next
    /// bucket's; `.max` when it has none.
    package struct Octave: Sendable {
        fileprivate let bucket: Int
        fileprivate let bound: UInt64
    }

    /// The octaves by position of the highest bit: the table that `bucket` looks into.
    package static func octaves() -> [Octave] {
        (0..<64).map { bit in
            let start: UInt64 = 1 << UInt64(bit)
            let bucket = bounds.firstIndex { $0.nanoseconds >= start } ?? bounds.count
            let end = start.addingReportingOverflow(start - 1).partialValue
            let holdsBound = bucket < bounds.count && bounds[bucket].nanoseconds <= end
            return Octave(bucket: bucket, bound: holdsBound ? bounds[bucket].nanoseconds : .max)
        }
    }

    /// The bucket of a duration: the first whose bound is not below it.
    @inline(__always)
    package static func bucket(of nanoseconds: UInt64, in octaves: [Octave]) -> Int {
        let octave = octaves[63 - (nanoseconds | 1).leadingZeroBitCount]
        return octave.bucket + (nanoseconds > octave.bound ? 1 : 0)
    }
}
