import Core
import Testing

@testable import IO

@Suite struct ResolvedNameTests {
    private let start = Instant(nanoseconds: 1_000_000_000_000)
    private let first = IPAddress("10.0.0.1")!
    private let second = IPAddress("10.0.0.2")!

    private func seconds(_ count: Double) -> Instant { start.advanced(byNanoseconds: UInt64(count * 1e9)) }

    @Test func aNewNameIsAskedForAtOnce() {
        #expect(ResolvedName(now: start).nextQuery == start)
    }

    @Test(arguments: [(0, 1), (1, 1), (30, 30), (60, 60), (61, 60), (3600, 60), (.max, 60)] as [(UInt32, Double)])
    func theTimeToLiveIsHeldBetweenOneAndSixtySeconds(given: UInt32, used: Double) {
        var name = ResolvedName(now: start)
        name.queried(at: start)
        #expect(name.answered(.init(addresses: [first], ttlSeconds: given), at: start, jitter: 0) == .changed)
        #expect(name.nextQuery == seconds(used))
    }

    @Test func recordsWithANegativeTimeToLiveCountAsOneSecond() {
        #expect(ResolvedName.clampedTTL(-1) == 1)
        #expect(ResolvedName.clampedTTL(.min) == 1)
    }

    @Test func jitterDelaysByATenthAtMostAndNeverHastens() {
        for (jitter, expected) in [(0.0, 10.0), (0.5, 10.5), (1.0, 11.0), (7.0, 11.0), (-3.0, 10.0)] {
            var name = ResolvedName(now: start)
            _ = name.answered(.init(addresses: [first], ttlSeconds: 10), at: start, jitter: jitter)
            #expect(name.nextQuery == seconds(expected))
        }
    }

    @Test func failuresKeepTheLastGoodAnswerAndBackOffToThirtySeconds() {
        var name = ResolvedName(now: start)
        _ = name.answered(.init(addresses: [first], ttlSeconds: 5), at: start, jitter: 0)
        var waits: [UInt64] = []
        for _ in 0..<8 {
            name.queried(at: start)
            _ = name.failed(.timeout, at: start, jitter: 0)
            waits.append(name.nextQuery.nanoseconds(since: start) / 1_000_000_000)
        }
        #expect(waits == [1, 2, 4, 8, 16, 30, 30, 30])
        #expect(name.addresses == [first])
        #expect(name.answeredAt == start)
        #expect(name.failure == .timeout)
        #expect(name.failuresInRow == 8)
    }

    @Test func aGoodAnswerEndsTheBackOff() {
        var name = ResolvedName(now: start)
        for _ in 0..<4 { _ = name.failed(.notFound, at: start, jitter: 0) }
        #expect(name.answered(.init(addresses: [first], ttlSeconds: 5), at: start, jitter: 0) == .changed)
        #expect(name.failure == nil)
        _ = name.failed(.notFound, at: start, jitter: 0)
        #expect(name.nextQuery == seconds(1))
    }

    @Test func onlyNewsIsAChange() {
        var name = ResolvedName(now: start)
        func answer(_ addresses: [IPAddress]) -> Resolver.Answer { .init(addresses: addresses, ttlSeconds: 5) }
        #expect(name.answered(answer([first, second]), at: start, jitter: 0) == .changed)
        #expect(name.answered(answer([second, first]), at: start, jitter: 0) == .none)
        #expect(name.addresses == [first, second])
        #expect(name.failed(.timeout, at: start, jitter: 0) == .changed)
        #expect(name.failed(.timeout, at: start, jitter: 0) == .none)
        #expect(name.failed(.notFound, at: start, jitter: 0) == .changed)
        #expect(name.answered(answer([first, second]), at: start, jitter: 0) == .changed)
        #expect(name.answered(answer([second]), at: start, jitter: 0) == .changed)
        #expect(name.addresses == [second])
    }

    @Test func doubtAsksAtOnceButOnceASecondOnly() {
        var name = ResolvedName(now: start)
        name.queried(at: start)
        name.doubted(at: start)
        #expect(name.isQuerying, "a query under way is enough")
        _ = name.answered(.init(addresses: [first], ttlSeconds: 60), at: start, jitter: 0)
        name.doubted(at: seconds(0.25))
        #expect(name.nextQuery == seconds(1))
        name.doubted(at: seconds(0.5))
        #expect(name.nextQuery == seconds(1), "further doubts change nothing")
        name.queried(at: seconds(1))
        _ = name.answered(.init(addresses: [first], ttlSeconds: 60), at: seconds(1), jitter: 0)
        name.doubted(at: seconds(20))
        #expect(name.nextQuery == seconds(20))
    }

    @Test func doubtNeverPutsAQueryOff() {
        var name = ResolvedName(now: start)
        name.queried(at: start)
        _ = name.answered(.init(addresses: [first], ttlSeconds: 1), at: start, jitter: 0)
        name.doubted(at: seconds(5))
        #expect(name.nextQuery == seconds(1))
    }
}
