import CLinux
package import Core
import Glibc

/// What is registered with an event loop.
package protocol EventHandler: AnyObject {
    /// The kernel has news of the descriptor. Edge-triggered: it will not say so again, so remember it.
    func ready(_ readiness: Readiness)
    /// The turn this handler asked for with `EventLoop.resume` has come.
    func resumed()
}

extension EventHandler {
    package func resumed() {}
}

/// One thread's loop: wait for events, hand them to their handlers, fire timers, again.
///
/// Owned by its thread; nothing here may be used from another, but for a `Mailbox`'s posting end. The clock is read once
/// per turn.
package final class EventLoop {
    package typealias Token = Slab<Registration>.Token

    /// A slab's element must be one object: the handler and its descriptor together.
    package final class Registration {
        fileprivate let descriptor: Int32
        // SAFETY: of the unchecked exclusivity: replaced by plain assignment, on the loop's thread.
        @exclusivity(unchecked) fileprivate var handler: any EventHandler
        fileprivate init(descriptor: Int32, handler: any EventHandler) {
            self.descriptor = descriptor
            unsafe self.handler = handler
        }
    }

    private let poller: Poller
    // SAFETY: of the unchecked exclusivity, here and below: one thread, and every access ends before a handler is called.
    @exclusivity(unchecked) private var registrations = Slab<Registration>()
    @exclusivity(unchecked) private var timers: TimerWheel
    @exclusivity(unchecked) private var resumable: [Token] = []
    private var resuming: [Token] = []
    private var isStopped = false
    /// Called at the end of every turn, before waiting.
    package var turnEnded: (() -> Void)?
    /// Where TLS connections put together what leaves as one record; made for the first of them.
    var scratch: TLSScratch {
        if let tlsScratch { return tlsScratch }
        let made = TLSScratch()
        tlsScratch = made
        return made
    }
    private var tlsScratch: TLSScratch?
    /// The turn's time.
    package var now: Instant { unsafe turnInstant }
    @exclusivity(unchecked) private var turnInstant: Instant

    package init() throws(IOError) {
        poller = try Poller()
        unsafe turnInstant = Self.clock()
        unsafe timers = unsafe TimerWheel(now: turnInstant)
    }

    /// Registered descriptors.
    package var registrationCount: Int { unsafe registrations.count }

    // MARK: Descriptors

    /// Watches a descriptor for everything, until `deregister`; the handler is kept so long.
    package func register(_ descriptor: Int32, _ handler: any EventHandler) throws(IOError) -> Token {
        let token = unsafe registrations.insert(Registration(descriptor: descriptor, handler: handler))
        do {
            try poller.add(descriptor, token: token.rawValue)
        } catch {
            unsafe registrations.remove(token)
            throw error
        }
        return token
    }

    /// Forgets a registration whose descriptor is about to be closed, which is what makes the kernel forget it.
    package func deregister(_ token: Token) { unsafe registrations.remove(token) }

    /// Forgets a registration whose descriptor stays open.
    package func detach(_ token: Token) {
        if let registration = unsafe registrations.remove(token) { poller.remove(registration.descriptor) }
    }

    /// Gives a registration another handler, which hears of everything from now on.
    package func replaceHandler(_ token: Token, _ handler: any EventHandler) {
        if let registration = unsafe registrations[token] { unsafe registration.handler = handler }
    }

    /// Takes the buffers of TLS connections that have been silent since this was last called. Whether some still hold any,
    /// so that it should be called again.
    package func trimTLS() -> Bool { tlsScratch?.trim() ?? false }

    /// Calls the handler's `resumed` once this turn's events are handled, or in the next turn when that is done already: for
    /// work that was cut short to let others have their share.
    package func resume(_ token: Token) { unsafe resumable.append(token) }

    // MARK: Timers

    @inline(__always)
    package func schedule(_ timer: Timer, at deadline: Instant) { unsafe timers.schedule(timer, at: deadline) }

    package func schedule(_ timer: Timer, after duration: Duration) {
        unsafe timers.schedule(timer, at: now.advanced(by: duration))
    }

    package func cancel(_ timer: Timer) { unsafe timers.cancel(timer) }

    // MARK: Running

    /// Runs turns until `stop`.
    package func run() {
        while !isStopped { turn(waitMs: -1) }
    }

    package func stop() { isStopped = true }

    /// One turn that waits at most `waitMs` milliseconds (-1: until something happens).
    package func turn(waitMs: Int32) {
        let count = poller.wait(timeoutMs: timeout(atMost: waitMs))
        unsafe turnInstant = Self.clock()
        for index in 0..<count {
            let (rawToken, readiness) = poller.event(at: index)
            unsafe registrations[Token(rawValue: rawToken)]?.handler.ready(readiness)
        }
        resumeWaiting()
        while let timer = unsafe timers.nextDue(at: now) { timer.fire() }
        turnEnded?()
    }

    private func resumeWaiting() {
        guard unsafe !resumable.isEmpty else { return }
        unsafe swap(&resumable, &resuming)
        for token in resuming { unsafe registrations[token]?.handler.resumed() }
        resuming.removeAll(keepingCapacity: true)
    }

    private func timeout(atMost waitMs: Int32) -> Int32 {
        if unsafe !resumable.isEmpty { return 0 }
        guard let wake = unsafe timers.nextWake(after: now) else { return waitMs }
        let milliseconds = Int32(clamping: (wake.nanoseconds(since: now) + 999_999) / 1_000_000)
        return waitMs < 0 ? milliseconds : min(waitMs, milliseconds)
    }

    private static func clock() -> Instant {
        var time = timespec()
        // SAFETY: the kernel fills in the structure, which lives for the call.
        unsafe clock_gettime(CLOCK_MONOTONIC, &time)
        return Instant(nanoseconds: UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec))
    }
}

extension Timer {
    fileprivate func fire() { target?.timerFired(self) }
}
