package import Core

/// What is known of one name, and when to ask again. Performs no I/O and asks no clock.
///
/// Owned by `ResolvedNames`. A failed query never takes addresses away: the last good answer stays until a new one comes.
package struct ResolvedName: Sendable {
    /// What an outcome means to those who use the name.
    package enum Change: Equatable, Sendable {
        case none
        /// The addresses, or the failure, are other than before.
        case changed
    }

    package static let ttlSecondsMin: UInt32 = 1
    package static let ttlSecondsMax: UInt32 = 60
    /// After the first failure in a row; doubled with each further one.
    package static let backoffSecondsMin: UInt64 = 1
    package static let backoffSecondsMax: UInt64 = 30
    /// Two queries for one name are at least this far apart, whoever asks.
    package static let spacingNanoseconds: UInt64 = 1_000_000_000

    /// The last good answer's addresses; empty before the first.
    package private(set) var addresses: [IPAddress] = []
    /// When that answer came.
    package private(set) var answeredAt: Instant?
    /// Why the latest query failed; nil when it did not.
    package private(set) var failure: Resolver.Failure?
    /// Failures since the last good answer.
    package private(set) var failuresInRow: UInt32 = 0
    /// When to ask next; `distantFuture` while a query is under way.
    package private(set) var nextQuery: Instant
    private var queriedAt: Instant?

    package init(now: Instant) { nextQuery = now }

    package var isQuerying: Bool { queriedAt != nil && nextQuery == .distantFuture }

    /// A query was sent.
    package mutating func queried(at now: Instant) {
        queriedAt = now
        nextQuery = .distantFuture
    }

    /// An answer came. `jitter`, 0 to 1, spreads the next queries of many names, up to a tenth later than the TTL says.
    package mutating func answered(_ answer: Resolver.Answer, at now: Instant, jitter: Double) -> Change {
        let isSame = failure == nil && answeredAt != nil && Set(answer.addresses) == Set(addresses)
        // The servers rotate the order to spread load; that is no change, and the balancer's business.
        if !isSame { addresses = answer.addresses }
        answeredAt = now
        failure = nil
        failuresInRow = 0
        nextQuery = Self.after(UInt64(Self.clampedTTL(Int32(clamping: answer.ttlSeconds))), from: now, jitter: jitter)
        return isSame ? .none : .changed
    }

    /// The query failed.
    package mutating func failed(_ failure: Resolver.Failure, at now: Instant, jitter: Double) -> Change {
        let change = self.failure == failure ? Change.none : .changed
        self.failure = failure
        let doublings = min(failuresInRow, 5)
        if failuresInRow < .max { failuresInRow += 1 }
        let seconds = min(Self.backoffSecondsMin << UInt64(doublings), Self.backoffSecondsMax)
        nextQuery = Self.after(seconds, from: now, jitter: jitter)
        return change
    }

    /// Somebody could not connect to an address of this name: ask again at once, but not more than once a second.
    package mutating func doubted(at now: Instant) {
        guard !isQuerying else { return }
        let earliest = queriedAt?.advanced(byNanoseconds: Self.spacingNanoseconds) ?? now
        nextQuery = min(nextQuery, max(now, earliest))
    }

    /// Seconds of a record's time to live as they are used here: what is 0 or negative would hammer the servers, what is
    /// long would miss a move.
    package static func clampedTTL(_ seconds: Int32) -> UInt32 {
        UInt32(min(max(seconds, Int32(ttlSecondsMin)), Int32(ttlSecondsMax)))
    }

    private static func after(_ seconds: UInt64, from now: Instant, jitter: Double) -> Instant {
        let nanoseconds = seconds * 1_000_000_000
        return now.advanced(byNanoseconds: nanoseconds + UInt64(Double(nanoseconds) / 10 * min(max(jitter, 0), 1)))
    }
}
