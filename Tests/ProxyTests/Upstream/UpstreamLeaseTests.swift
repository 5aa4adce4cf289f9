import Core
import Testing

@testable import Proxy

@Suite struct UpstreamLeaseTests {
    private static let second: UInt64 = 1_000_000_000
    private static let birth = Instant(nanoseconds: 100 * second)

    private static func at(_ nanoseconds: UInt64) -> Instant { birth.advanced(byNanoseconds: nanoseconds) }

    /// A lease of a connection that carries its first request: four idle seconds at most, unless said otherwise.
    private static func leased(uses: UInt32 = 10, age: UInt64 = .max) -> UpstreamLease {
        var lease = UpstreamLease(usesMax: uses, idleNanoseconds: 4 * second, ageNanoseconds: age, at: birth)
        lease.connected()
        return lease
    }

    @Test func idleConnectionClosesExactlyWhenItsTimeIsUp() {
        var lease = Self.leased()
        let action = lease.released(at: Self.at(7), reusable: true, serverTimeoutSeconds: nil)
        #expect(action == .park(until: Self.at(4 * Self.second + 7)))
    }

    @Test func theServersTimeoutShortensTheIdleTimeLessASecondForTheWay() {
        var lease = Self.leased()
        let action = lease.released(at: Self.birth, reusable: true, serverTimeoutSeconds: 3)
        #expect(action == .park(until: Self.at(2 * Self.second)))
    }

    @Test func aServersTimeoutOfOneSecondIsUsedByHalf() {
        var lease = Self.leased()
        let action = lease.released(at: Self.birth, reusable: true, serverTimeoutSeconds: 1)
        #expect(action == .park(until: Self.at(Self.second / 2)))
    }

    @Test func aServersTimeoutNeverLengthensTheIdleTime() {
        for seconds in [5, 60, UInt32.max] {
            var lease = Self.leased()
            let action = lease.released(at: Self.birth, reusable: true, serverTimeoutSeconds: seconds)
            #expect(action == .park(until: Self.at(4 * Self.second)))
        }
    }

    @Test func aServersTimeoutOfZeroMeansThatItClosesAtOnce() {
        var lease = Self.leased()
        #expect(lease.released(at: Self.birth, reusable: true, serverTimeoutSeconds: 0) == .close(.notReusable))
    }

    @Test func aConnectionInTheMiddleOfAMessageIsNotReused() {
        var lease = Self.leased()
        #expect(lease.released(at: Self.birth, reusable: false, serverTimeoutSeconds: nil) == .close(.notReusable))
    }

    @Test func theLastOfTheAllowedUsesCloses() {
        var lease = Self.leased(uses: 3)
        for _ in 1..<3 {
            guard case .park = lease.released(at: Self.birth, reusable: true, serverTimeoutSeconds: nil) else {
                Issue.record("closed before its last use")
                return
            }
            lease.checkedOut()
        }
        #expect(lease.uses == 3)
        #expect(lease.released(at: Self.birth, reusable: true, serverTimeoutSeconds: nil) == .close(.usedUp))
    }

    @Test func onlyFromTheSecondUseOnIsItReused() {
        var lease = Self.leased()
        #expect(!lease.isReused)
        _ = lease.released(at: Self.birth, reusable: true, serverTimeoutSeconds: nil)
        lease.checkedOut()
        #expect(lease.isReused)
    }

    @Test func aConnectionOfFullAgeIsNotParkedAndOneANanosecondYoungerIs() {
        var younger = Self.leased(age: 60 * Self.second)
        let last = Self.at(60 * Self.second - 1)
        #expect(
            younger.released(at: last, reusable: true, serverTimeoutSeconds: nil)
                == .park(until: last.advanced(byNanoseconds: 4 * Self.second)))
        var full = Self.leased(age: 60 * Self.second)
        let action = full.released(at: Self.at(60 * Self.second), reusable: true, serverTimeoutSeconds: nil)
        #expect(action == .close(.tooOld))
    }

    @Test func aPeerMayCloseInEveryState() {
        var connecting = UpstreamLease(usesMax: 1, idleNanoseconds: 1, ageNanoseconds: 1, at: Self.birth)
        #expect(connecting.closed(.connectFailed) == .close(.connectFailed))
        var carrying = Self.leased()
        #expect(carrying.closed(.peerClosed) == .close(.peerClosed))
        #expect(carrying.closed(.peerClosed) == .close(.peerClosed))
        var parked = Self.leased()
        _ = parked.released(at: Self.birth, reusable: true, serverTimeoutSeconds: nil)
        #expect(parked.closed(.peerClosed) == .close(.peerClosed))
    }
}
