import Core
import Testing

@testable import Proxy

@Suite struct H2ClockTests {
    /// So many seconds after the connection began, which was at some time.
    private static func at(_ seconds: UInt64) -> Instant {
        Instant(nanoseconds: (1000 + seconds) * 1_000_000_000)
    }

    private static func seconds(_ count: UInt64) -> UInt64 { count * 1_000_000_000 }

    private static func clock(
        ping: UInt64? = nil, timeout: UInt64 = 20, age: UInt64? = nil, jitter: UInt64 = 0, grace: UInt64? = nil
    ) -> H2Clock {
        var settings = H2Clock.Settings()
        settings.pingInterval = ping.map(seconds) ?? .max
        settings.pingTimeout = seconds(timeout)
        settings.ageMax = age.map(seconds) ?? .max
        settings.ageJitter = seconds(jitter)
        settings.graceMax = grace.map(seconds) ?? .max
        var random = Random(seed: 1)
        return H2Clock(settings, now: at(0), random: &random)
    }

    @Test func withoutSettingsNothingIsEverDue() {
        var clock = Self.clock()
        #expect(clock.deadline == .distantFuture)
        clock.received(at: Self.at(5))
        clock.answered(at: Self.at(6))
        #expect(clock.deadline == .distantFuture)
        #expect(clock.fired(at: Self.at(1_000_000)) == .nothing)
        #expect(!clock.isHeard)
    }

    @Test func aSilentPeerIsAskedOnceAndIsGoneWithoutAnAnswer() {
        var clock = Self.clock(ping: 30)
        #expect(clock.deadline == Self.at(30))
        #expect(clock.fired(at: Self.at(29)) == .nothing)
        #expect(clock.fired(at: Self.at(30)) == .ping)
        #expect(clock.fired(at: Self.at(30)) == .nothing)
        #expect(clock.deadline == Self.at(50))
        #expect(clock.fired(at: Self.at(50)) == .unanswered)
    }

    @Test func whatComesPutsTheQuestionOff() {
        var clock = Self.clock(ping: 30)
        clock.received(at: Self.at(10))
        #expect(clock.fired(at: Self.at(39)) == .nothing)
        #expect(clock.deadline == Self.at(40))
        #expect(clock.fired(at: Self.at(40)) == .ping)
        clock.answered(at: Self.at(45))
        #expect(clock.deadline == Self.at(75))
        #expect(clock.fired(at: Self.at(60)) == .nothing)
    }

    @Test func bytesAreNoAnswer() {
        var clock = Self.clock(ping: 30)
        _ = clock.fired(at: Self.at(30))
        clock.received(at: Self.at(31))
        #expect(clock.fired(at: Self.at(50)) == .unanswered)
    }

    @Test func ageComesOnceAndGraceAfterIt() {
        var clock = Self.clock(age: 100, grace: 30)
        #expect(clock.fired(at: Self.at(99)) == .nothing)
        #expect(clock.fired(at: Self.at(100)) == .aged)
        clock.draining(since: Self.at(100))
        #expect(!clock.isHeard)
        #expect(clock.deadline == Self.at(120))
        clock.answered(at: Self.at(101))
        #expect(clock.isHeard)
        #expect(clock.deadline == Self.at(130))
        #expect(clock.fired(at: Self.at(129)) == .nothing)
        #expect(clock.fired(at: Self.at(130)) == .overdue)
    }

    @Test func aClientThatDoesNotHearThatItIsToGoIsGone() {
        var clock = Self.clock(age: 100, grace: 30)
        _ = clock.fired(at: Self.at(100))
        clock.draining(since: Self.at(100))
        #expect(clock.fired(at: Self.at(120)) == .unanswered)
    }

    @Test func drainingEarlyForgetsTheAge() {
        var clock = Self.clock(age: 100)
        clock.draining(since: Self.at(10))
        clock.answered(at: Self.at(11))
        #expect(clock.deadline == .distantFuture)
        #expect(clock.fired(at: Self.at(100)) == .nothing)
    }

    @Test func jitterOnlyLengthensAndIsDrawnFromTheRandomOnesAlone() {
        var random = Random(seed: 7)
        var settings = H2Clock.Settings()
        settings.ageMax = Self.seconds(100)
        settings.ageJitter = Self.seconds(10)
        let ages = (0..<200).map { _ in H2Clock(settings, now: Self.at(0), random: &random).deadline }
        #expect(ages.allSatisfy { $0 >= Self.at(100) && $0 < Self.at(110) })
        #expect(Set(ages).count > 190)
        #expect(ages.min()! < Self.at(101) && ages.max()! > Self.at(109))
    }

    @Test func idlenessCountsFromTheLastStreamsEnd() {
        var clock = Self.clock(ping: 30)
        clock.idle(since: Self.at(0), for: Self.seconds(10))
        #expect(clock.deadline == Self.at(10))
        clock.busy()
        #expect(clock.fired(at: Self.at(10)) == .nothing)
        clock.idle(since: Self.at(12), for: Self.seconds(10))
        // What comes between streams is no use of the connection.
        clock.received(at: Self.at(15))
        #expect(clock.fired(at: Self.at(22)) == .idle)
    }

    @Test func timesPastTheEndOfTimeAreNever() {
        var clock = Self.clock()
        clock.idle(since: Self.at(0), for: .max)
        #expect(clock.deadline == .distantFuture)
    }
}
