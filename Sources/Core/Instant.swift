/// A point on the monotonic clock, in nanoseconds since an arbitrary start.
///
/// The event loop reads the clock once per turn and hands the instant down; nobody else asks the kernel for the time,
/// and tests make their own.
@frozen @usableFromInline
package struct Instant: Comparable, Hashable, Sendable {
    @usableFromInline package let nanoseconds: UInt64

    @inlinable @inline(__always)
    package static var zero: Instant { Instant(nanoseconds: 0) }

    /// Later than every instant a clock returns: a deadline that never comes.
    @inlinable @inline(__always)
    package static var distantFuture: Instant { Instant(nanoseconds: .max) }

    @inlinable @inline(__always)
    package init(nanoseconds: UInt64) { self.nanoseconds = nanoseconds }

    /// This instant moved by `nanoseconds`; saturates at `distantFuture`.
    @inlinable @inline(__always)
    package func advanced(byNanoseconds nanoseconds: UInt64) -> Instant {
        let (sum, overflow) = self.nanoseconds.addingReportingOverflow(nanoseconds)
        return Instant(nanoseconds: overflow ? .max : sum)
    }

    package func advanced(by duration: Duration) -> Instant { advanced(byNanoseconds: duration.nanosecondsClamped) }

    /// Nanoseconds from `earlier` to this instant, zero when `earlier` is the later one.
    @inlinable @inline(__always)
    package func nanoseconds(since earlier: Instant) -> UInt64 {
        nanoseconds > earlier.nanoseconds ? nanoseconds - earlier.nanoseconds : 0
    }

    // Written out: the derived one is a call through a witness.
    @inlinable @inline(__always)
    package static func == (left: Instant, right: Instant) -> Bool { left.nanoseconds == right.nanoseconds }

    @inlinable @inline(__always)
    package static func < (left: Instant, right: Instant) -> Bool { left.nanoseconds < right.nanoseconds }
}

extension Duration {
    /// The duration in whole nanoseconds: negative ones are 0, those past 2^63 ns (292 years) are 2^63 - 1.
    ///
    /// The conversion divides 128-bit numbers: do it when a plan is built, not for every request.
    package var nanosecondsClamped: UInt64 {
        let (seconds, attoseconds) = components
        guard seconds >= 0, attoseconds >= 0 else { return 0 }
        let (whole, overflow) = UInt64(seconds).multipliedReportingOverflow(by: 1_000_000_000)
        guard !overflow, whole < UInt64(Int64.max) else { return UInt64(Int64.max) }
        return min(whole + UInt64(attoseconds / 1_000_000_000), UInt64(Int64.max))
    }
}
