import CLinux
import Core
import Glibc
import Testing

@testable import IO

@Suite struct EventLoopTests {
    /// An eventfd that reports what it hears.
    private final class Bell: EventHandler {
        let descriptor = FileDescriptor(rawValue: eventfd(0, Int32(EFD_NONBLOCK | EFD_CLOEXEC)))
        var token = EventLoop.Token(rawValue: 0)
        var heard = 0
        var resumptions = 0
        var onReady: () -> Void = {}
        var onResumed: () -> Void = {}

        func ring() {
            var one: UInt64 = 1
            _ = unsafe write(descriptor.rawValue, &one, 8)
        }

        func ready(_ readiness: Readiness) {
            guard readiness.isReadable else { return }
            heard += 1
            onReady()
        }

        func resumed() {
            resumptions += 1
            onResumed()
        }
    }

    private final class Alarm: TimerTarget {
        let timer = Timer()
        var fired: [Instant] = []
        var onFire: () -> Void = {}
        let loop: EventLoop
        init(_ loop: EventLoop) {
            self.loop = loop
            timer.target = self
        }
        func timerFired(_ timer: Timer) {
            fired.append(loop.now)
            onFire()
        }
    }

    private func bell(on loop: EventLoop) throws -> Bell {
        let bell = Bell()
        bell.token = try loop.register(bell.descriptor.rawValue, bell)
        return bell
    }

    @Test func anEdgeIsHeardOnce() throws {
        let loop = try EventLoop()
        let bell = try bell(on: loop)
        bell.ring()
        loop.turn(waitMs: 0)
        loop.turn(waitMs: 0)
        #expect(bell.heard == 1)
        bell.ring()
        loop.turn(waitMs: 0)
        #expect(bell.heard == 2)
    }

    @Test func anEventForOneThatLeftInTheSameTurnReachesNobody() throws {
        let loop = try EventLoop()
        let bells = try (0..<2).map { _ in try bell(on: loop) }
        let tenant = Bell()
        // Whichever is heard first puts the other out and a newcomer into its slot.
        for (bell, other) in [(bells[0], bells[1]), (bells[1], bells[0])] {
            bell.onReady = { [unowned loop] in
                loop.detach(other.token)
                tenant.token = try! loop.register(tenant.descriptor.rawValue, tenant)
            }
        }
        defer { for bell in bells { bell.onReady = {} } }
        for bell in bells { bell.ring() }
        loop.turn(waitMs: 0)
        #expect(bells[0].heard + bells[1].heard == 1)
        #expect(tenant.heard == 0)
        #expect(loop.registrationCount == 2)
        tenant.ring()
        loop.turn(waitMs: 0)
        #expect(tenant.heard == 1)
    }

    @Test func aDetachedDescriptorIsSilent() throws {
        let loop = try EventLoop()
        let bell = try bell(on: loop)
        loop.detach(bell.token)
        loop.detach(bell.token)
        bell.ring()
        loop.turn(waitMs: 0)
        #expect(bell.heard == 0)
        #expect(loop.registrationCount == 0)
    }

    @Test func aClosedDescriptorCannotBeRegistered() throws {
        let loop = try EventLoop()
        let bell = Bell()
        #expect(throws: IOError("epoll_ctl", errno: EBADF)) { _ = try loop.register(-1, bell) }
        #expect(loop.registrationCount == 0)
    }

    @Test func resumedWorkGetsOneShareATurnAndTheLoopDoesNotWaitForIt() throws {
        let loop = try EventLoop()
        let bell = try bell(on: loop)
        bell.onResumed = { [unowned loop, unowned bell] in
            if bell.resumptions < 3 { loop.resume(bell.token) }
        }
        loop.resume(bell.token)
        for turns in 1...3 {
            loop.turn(waitMs: -1)
            #expect(bell.resumptions == turns)
        }
    }

    @Test func resumedWorkOfOneThatLeftIsForgotten() throws {
        let loop = try EventLoop()
        let bell = try bell(on: loop)
        loop.resume(bell.token)
        loop.detach(bell.token)
        loop.turn(waitMs: 0)
        #expect(bell.resumptions == 0)
    }

    @Test func aTimerWakesTheLoopNotBeforeItsTime() throws {
        let loop = try EventLoop()
        let alarm = Alarm(loop)
        let deadline = loop.now.advanced(by: .milliseconds(20))
        loop.schedule(alarm.timer, at: deadline)
        while alarm.fired.isEmpty { loop.turn(waitMs: -1) }
        #expect(alarm.fired[0] >= deadline)
    }

    @Test func aCancelledTimerDoesNotFire() throws {
        let loop = try EventLoop()
        let (first, second) = (Alarm(loop), Alarm(loop))
        loop.schedule(first.timer, after: .milliseconds(1))
        loop.schedule(second.timer, after: .milliseconds(1))
        // The one that fires first takes the other out, in the very turn both are due.
        first.onFire = { loop.cancel(second.timer) }
        second.onFire = { [unowned first] in loop.cancel(first.timer) }
        let end = loop.now.advanced(by: .milliseconds(60))
        #expect(loop.turn { loop.now > end })
        #expect(first.fired.count + second.fired.count == 1)
    }

    @Test func theClockStandsStillWithinATurn() throws {
        let loop = try EventLoop()
        let alarms = (0..<50).map { _ in Alarm(loop) }
        for alarm in alarms { loop.schedule(alarm.timer, after: .zero) }
        loop.turn(waitMs: 0)
        #expect(loop.turn { alarms.allSatisfy { !$0.fired.isEmpty } })
        #expect(Set(alarms.map { $0.fired[0] }).count == 1)
    }

    @Test func stopEndsTheRunAfterTheTurn() throws {
        let loop = try EventLoop()
        let alarm = Alarm(loop)
        var turns = 0
        loop.turnEnded = { turns += 1 }
        alarm.onFire = { loop.stop() }
        loop.schedule(alarm.timer, after: .milliseconds(1))
        loop.run()
        #expect(alarm.fired.count == 1)
        #expect(turns >= 1)
    }

    @Test func moreEventsThanFitIntoOneWaitAreAllHeard() throws {
        let loop = try EventLoop()
        let bells = try (0..<600).map { _ in try bell(on: loop) }
        for bell in bells { bell.ring() }
        #expect(loop.turn { bells.allSatisfy { $0.heard == 1 } })
    }
}
