package import Core

/// One deadline of one object, linked into its worker's wheel.
///
/// Owned by the object it wakes, which must cancel it before it goes. Moving the deadline later is one store: the wheel
/// finds out when the old one comes. So a connection may move it with every request.
package final class Timer {
    /// Who is woken; set once, by the owner, before the first scheduling.
    package unowned var target: (any TimerTarget)?
    /// When the target is to be woken; `distantFuture` when it is not.
    package fileprivate(set) var deadline: Instant {
        get { unsafe deadlineStored }
        set { unsafe deadlineStored = newValue }
    }
    /// The tick it is linked under, at or before the deadline's; nil when it is in no slot.
    fileprivate var tick: UInt64? {
        get { unsafe tickStored }
        set { unsafe tickStored = newValue }
    }
    // SAFETY: of the unchecked exclusivity: plain numbers of one thread. Checked, they would cost most of what moving a
    // deadline costs, and every request moves several.
    @exclusivity(unchecked) private var deadlineStored = Instant.distantFuture
    @exclusivity(unchecked) private var tickStored: UInt64?
    fileprivate var next: Timer?
    // SAFETY: set while both timers are linked in one slot, which holds them; cleared when either leaves.
    fileprivate unowned(unsafe) var previous: Timer?

    package init(target: (any TimerTarget)? = nil) { self.target = target }
}

/// Whom a timer wakes.
package protocol TimerTarget: AnyObject {
    /// The deadline has come. The timer is idle again and may be scheduled anew.
    func timerFired(_ timer: Timer)
}

/// Deadlines of one worker, in slots of some milliseconds.
///
/// Scheduling, moving and cancelling cost the same however many timers there are. A timer fires at or up to a tick after
/// its deadline, never before. Deadlines beyond one turn of the wheel stay in their slot until their turn comes.
package struct TimerWheel {
    /// Nanoseconds of one slot: about 8 ms.
    package static let tickNanoseconds: UInt64 = 1 << 23
    private static let slotCount = 1024

    private var slots = [Timer?](repeating: nil, count: slotCount)
    /// One bit per slot that holds a timer.
    private var occupied = [UInt64](repeating: 0, count: slotCount / 64)
    /// Every slot before this tick has fired.
    private var current: UInt64
    package private(set) var count = 0

    package init(now: Instant) { current = now.nanoseconds / Self.tickNanoseconds }

    /// Sets the timer's deadline; `distantFuture` suspends it, at the cost of one store.
    @inline(__always)
    package mutating func schedule(_ timer: Timer, at deadline: Instant) {
        timer.deadline = deadline
        if deadline == .distantFuture { return }
        if let tick = timer.tick, tick <= Self.tick(of: deadline) { return }
        if timer.tick != nil { unlink(timer) }
        link(timer, tick: max(Self.tick(of: deadline), current))
    }

    /// Takes the timer out of the wheel: before its target goes.
    package mutating func cancel(_ timer: Timer) {
        timer.deadline = .distantFuture
        if timer.tick != nil { unlink(timer) }
    }

    /// Takes out one timer whose deadline is at or before `now`; call it until it returns nil.
    package mutating func nextDue(at now: Instant) -> Timer? {
        let last = now.nanoseconds / Self.tickNanoseconds
        while count > 0, current <= last {
            guard let tick = nextOccupied(from: current, through: last) else { break }
            current = tick
            if let timer = takeDue(in: Int(tick % UInt64(Self.slotCount)), tick: tick, now: now) { return timer }
            if tick == last { return nil }
            current = tick + 1
        }
        current = max(current, last)
        return nil
    }

    /// When to look again at the latest, nil when there is no timer.
    package func nextWake(after now: Instant) -> Instant? {
        guard count > 0 else { return nil }
        guard let tick = nextOccupied(from: current, through: current + UInt64(Self.slotCount) - 1) else { return nil }
        return Instant(nanoseconds: (tick + 1) * Self.tickNanoseconds)
    }

    /// The first tick whose slot is occupied. Looks at no slot twice, however far the clock went.
    private func nextOccupied(from first: UInt64, through last: UInt64) -> UInt64? {
        var tick = first
        let end = min(last, first + UInt64(Self.slotCount) - 1)
        while tick <= end {
            let slot = Int(tick % UInt64(Self.slotCount))
            let word = occupied[slot / 64] >> UInt64(slot % 64)
            if word != 0 {
                let found = tick + UInt64(word.trailingZeroBitCount)
                return found <= end ? found : nil
            }
            tick += UInt64(64 - slot % 64)
        }
        return nil
    }

    private mutating func takeDue(in slot: Int, tick: UInt64, now: Instant) -> Timer? {
        var candidate = slots[slot]
        while let timer = candidate {
            candidate = timer.next
            if timer.deadline <= now {
                unlink(timer)
                timer.deadline = .distantFuture
                return timer
            }
            if timer.deadline == .distantFuture {
                unlink(timer)
                continue
            }
            // Its deadline moved, or is turns of the wheel away: file it where it belongs now.
            let due = Self.tick(of: timer.deadline)
            if due % UInt64(Self.slotCount) == UInt64(slot) {
                // Not to be taken for one of the past when it is moved to before this slot's next turn.
                timer.tick = due
            } else {
                unlink(timer)
                link(timer, tick: due)
            }
        }
        return nil
    }

    private static func tick(of deadline: Instant) -> UInt64 { deadline.nanoseconds / tickNanoseconds }

    private mutating func link(_ timer: Timer, tick: UInt64) {
        let slot = Int(tick % UInt64(Self.slotCount))
        timer.tick = tick
        timer.next = slots[slot]
        // SAFETY: the slot holds both from here on.
        unsafe timer.next?.previous = timer
        unsafe timer.previous = nil
        slots[slot] = timer
        occupied[slot / 64] |= 1 << UInt64(slot % 64)
        count += 1
    }

    private mutating func unlink(_ timer: Timer) {
        guard let tick = timer.tick else { return }
        let slot = Int(tick % UInt64(Self.slotCount))
        // SAFETY: previous is set while both timers are linked, and the list holds its timers strongly.
        if let previous = unsafe timer.previous { previous.next = timer.next } else { slots[slot] = timer.next }
        unsafe timer.next?.previous = timer.previous
        if slots[slot] == nil { occupied[slot / 64] &= ~(1 << UInt64(slot % 64)) }
        timer.next = nil
        unsafe timer.previous = nil
        timer.tick = nil
        count -= 1
    }
}
