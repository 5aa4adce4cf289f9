import Core
import Testing

@testable import IO

@Suite struct TimerWheelTests {
    private static let tick = TimerWheel.tickNanoseconds
    private static let rotation: UInt64 = 1024
    private let start = Instant(nanoseconds: 1_234_567 * tick + 17)

    /// A target that only counts, with its timer.
    private final class Alarm: TimerTarget {
        private(set) var timer: Timer!
        init() { timer = Timer(target: self) }
        func timerFired(_ timer: Timer) {}
    }

    private func ticks(_ count: UInt64) -> UInt64 { count * Self.tick }

    private func fired(_ wheel: inout TimerWheel, at now: Instant) -> [Timer] {
        var fired: [Timer] = []
        while let timer = wheel.nextDue(at: now) { fired.append(timer) }
        return fired
    }

    @Test func aTimerNeverFiresEarlyAndFiresAtItsDeadline() {
        for delay: UInt64 in [0, 1, ticks(1) - 18, ticks(1), ticks(3) + 5, ticks(1023), ticks(1024), ticks(5000) + 1] {
            var wheel = TimerWheel(now: start)
            let alarm = Alarm()
            let deadline = start.advanced(byNanoseconds: delay)
            wheel.schedule(alarm.timer, at: deadline)
            if delay > 0 {
                #expect(fired(&wheel, at: Instant(nanoseconds: deadline.nanoseconds - 1)).isEmpty, "early by \(delay)")
            }
            #expect(fired(&wheel, at: deadline).count == 1)
            #expect(wheel.count == 0)
        }
    }

    @Test func theLoopIsWokenAtMostOneTickAfterTheDeadline() throws {
        for delay: UInt64 in [0, 1, ticks(1), ticks(7) + 123, ticks(1023)] {
            var wheel = TimerWheel(now: start)
            let alarm = Alarm()
            let deadline = start.advanced(byNanoseconds: delay)
            wheel.schedule(alarm.timer, at: deadline)
            let wake = try #require(wheel.nextWake(after: start))
            #expect(wake >= deadline)
            #expect(wake.nanoseconds(since: deadline) <= Self.tick)
        }
    }

    @Test func aTimerBeyondOneRotationSurvivesItsSlotBeingVisited() {
        var wheel = TimerWheel(now: start)
        let alarm = Alarm()
        let deadline = start.advanced(byNanoseconds: ticks(3 * Self.rotation + 5))
        wheel.schedule(alarm.timer, at: deadline)
        var now = start
        var wakes = 0
        while let wake = wheel.nextWake(after: now) {
            now = wake
            wakes += 1
            if !fired(&wheel, at: now).isEmpty { break }
        }
        #expect(now >= deadline)
        #expect(now.nanoseconds(since: deadline) <= Self.tick)
        #expect(wakes <= 10)
    }

    @Test func aDeadlineMovedLaterFiresOnlyThen() {
        var wheel = TimerWheel(now: start)
        let alarm = Alarm()
        wheel.schedule(alarm.timer, at: start.advanced(byNanoseconds: ticks(2)))
        let later = start.advanced(byNanoseconds: ticks(50))
        wheel.schedule(alarm.timer, at: later)
        #expect(wheel.count == 1)
        #expect(fired(&wheel, at: start.advanced(byNanoseconds: ticks(49))).isEmpty)
        #expect(fired(&wheel, at: later).count == 1)
    }

    /// Moved later by whole rotations a timer stays in its slot; brought forward after that slot was visited, it must leave.
    @Test func aDeadlineMovedByARotationAndBackFiresInTime() {
        var wheel = TimerWheel(now: start)
        let alarm = Alarm()
        wheel.schedule(alarm.timer, at: start.advanced(byNanoseconds: ticks(5)))
        wheel.schedule(alarm.timer, at: start.advanced(byNanoseconds: ticks(5 + Self.rotation)))
        #expect(fired(&wheel, at: start.advanced(byNanoseconds: ticks(100))).isEmpty)
        let deadline = start.advanced(byNanoseconds: ticks(500))
        wheel.schedule(alarm.timer, at: deadline)
        #expect(fired(&wheel, at: deadline).count == 1)
    }

    @Test func aDeadlineMovedEarlierFiresThen() {
        var wheel = TimerWheel(now: start)
        let alarm = Alarm()
        wheel.schedule(alarm.timer, at: start.advanced(byNanoseconds: ticks(500)))
        let earlier = start.advanced(byNanoseconds: ticks(3))
        wheel.schedule(alarm.timer, at: earlier)
        #expect(wheel.count == 1)
        #expect(fired(&wheel, at: earlier).count == 1)
        #expect(fired(&wheel, at: start.advanced(byNanoseconds: ticks(501))).isEmpty)
    }

    @Test func aSuspendedTimerDoesNotFireAndCanBeSetAgain() {
        var wheel = TimerWheel(now: start)
        let alarm = Alarm()
        wheel.schedule(alarm.timer, at: start.advanced(byNanoseconds: ticks(2)))
        wheel.schedule(alarm.timer, at: .distantFuture)
        #expect(fired(&wheel, at: start.advanced(byNanoseconds: ticks(10))).isEmpty)
        #expect(wheel.count == 0)
        #expect(wheel.nextWake(after: start) == nil)
        let deadline = start.advanced(byNanoseconds: ticks(20))
        wheel.schedule(alarm.timer, at: deadline)
        #expect(fired(&wheel, at: deadline).count == 1)
    }

    @Test func aCancelledTimerLeavesTheWheelAtOnce() {
        var wheel = TimerWheel(now: start)
        let alarms = (0..<3).map { _ in Alarm() }
        for alarm in alarms { wheel.schedule(alarm.timer, at: start.advanced(byNanoseconds: ticks(4))) }
        wheel.cancel(alarms[1].timer)
        wheel.cancel(alarms[1].timer)
        #expect(wheel.count == 2)
        let fired = fired(&wheel, at: start.advanced(byNanoseconds: ticks(5)))
        #expect(
            Set(fired.map { ObjectIdentifier($0) }) == [
                ObjectIdentifier(alarms[0].timer), ObjectIdentifier(alarms[2].timer),
            ])
    }

    @Test func aFiredTimerMaySetItselfAgain() {
        var wheel = TimerWheel(now: start)
        let alarm = Alarm()
        var now = start
        wheel.schedule(alarm.timer, at: now.advanced(byNanoseconds: ticks(1)))
        for _ in 0..<5000 {
            now = now.advanced(byNanoseconds: ticks(1))
            let due = wheel.nextDue(at: now)
            #expect(due === alarm.timer)
            wheel.schedule(alarm.timer, at: now.advanced(byNanoseconds: ticks(1)))
            #expect(wheel.nextDue(at: now) == nil)
        }
    }

    @Test func aClockThatJumpsFarFiresEverythingOnce() {
        var wheel = TimerWheel(now: start)
        let alarms = (0..<100).map { _ in Alarm() }
        for (index, alarm) in alarms.enumerated() {
            wheel.schedule(alarm.timer, at: start.advanced(byNanoseconds: ticks(UInt64(index) * 97)))
        }
        #expect(fired(&wheel, at: start.advanced(byNanoseconds: ticks(1_000_000))).count == 100)
        #expect(wheel.count == 0)
    }

    /// Random work against a list of deadlines that is searched whole.
    @Test(arguments: 1...20 as ClosedRange<UInt64>)
    func itAgreesWithANaiveModel(seed: UInt64) {
        var random = Random(seed: seed)
        var wheel = TimerWheel(now: start)
        let alarms = (0..<40).map { _ in Alarm() }
        var deadlines: [ObjectIdentifier: Instant] = [:]
        var now = start
        for _ in 0..<3000 {
            let alarm = alarms[Int.random(in: 0..<alarms.count, using: &random)]
            let id = ObjectIdentifier(alarm.timer)
            switch Int.random(in: 0..<10, using: &random) {
            case 0:
                wheel.cancel(alarm.timer)
                deadlines[id] = nil
            case 1:
                wheel.schedule(alarm.timer, at: .distantFuture)
                deadlines[id] = nil
            case 2..<5:
                if let wake = wheel.nextWake(after: now), Bool.random(using: &random) {
                    if let first = deadlines.values.min() {
                        #expect(wake <= max(first, now).advanced(byNanoseconds: Self.tick))
                    }
                    now = max(now, wake)
                } else {
                    let most = ticks([1, 20, 3 * Self.rotation].randomElement(using: &random)!)
                    now = now.advanced(byNanoseconds: UInt64.random(in: 0...most, using: &random))
                }
                for timer in fired(&wheel, at: now) {
                    let deadline = deadlines.removeValue(forKey: ObjectIdentifier(timer))
                    #expect(deadline != nil && deadline! <= now, "fired early, twice, or after it was taken out")
                }
                #expect(deadlines.values.allSatisfy { $0 > now }, "a timer is late")
            default:
                let base = deadlines[id] ?? now
                let delay: UInt64 =
                    switch Int.random(in: 0..<4, using: &random) {
                    case 0: UInt64.random(in: 0...ticks(2), using: &random)
                    case 1: ticks(Self.rotation * UInt64.random(in: 1...2, using: &random))
                    case 2: UInt64.random(in: 0...ticks(100), using: &random)
                    default: UInt64.random(in: 0...ticks(4 * Self.rotation), using: &random)
                    }
                let deadline = (Bool.random(using: &random) ? base : now).advanced(byNanoseconds: delay)
                wheel.schedule(alarm.timer, at: deadline)
                deadlines[id] = deadline
            }
        }
        for alarm in alarms { wheel.cancel(alarm.timer) }
        #expect(wheel.count == 0)
    }
}
