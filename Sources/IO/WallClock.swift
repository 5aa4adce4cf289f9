import CLinux
package import Core
import Glibc

/// The time of day for logs, from the loop's monotonic instants: the system is asked once a second, not for every line.
///
/// A value of one thread. Follows a clock that is set anew within a second.
package struct WallClock {
    private var measuredAt = Instant.zero
    /// Wall clock nanoseconds at `measuredAt`.
    private var measured: UInt64 = 0

    package init() {}

    /// Nanoseconds since 1970 in UTC at `now`, which is the present turn's instant.
    @inline(__always)
    package mutating func nanoseconds(at now: Instant) -> UInt64 {
        if measured == 0 || now.nanoseconds(since: measuredAt) > 1_000_000_000 {
            measuredAt = now
            measured = Self.now
        }
        return measured + now.nanoseconds(since: measuredAt)
    }

    /// The present time, asked of the system.
    package static var now: UInt64 {
        var time = timespec()
        // SAFETY: the kernel fills in the structure, which lives for the call.
        unsafe clock_gettime(CLOCK_REALTIME, &time)
        return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
    }
}

/// Randomness of the kernel.
package enum SystemRandom {
    /// 64 bits to seed a generator with.
    package static func seed() -> UInt64 {
        var generator = SystemRandomNumberGenerator()
        return generator.next()
    }
}
