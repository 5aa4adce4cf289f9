/// Objects found by a number that goes stale when they leave.
///
/// A token is `generation << 32 | slot`. The kernel hands tokens back with events; an event for an object that left in
/// the same turn finds an old generation and so nothing, never its slot's next tenant. Used on one thread.
@frozen @usableFromInline
package struct Slab<Element: AnyObject> {
    /// Names one object's stay in the slab; never reused.
    @frozen @usableFromInline
    package struct Token: Hashable, Sendable {
        @usableFromInline package let rawValue: UInt64

        @inlinable @inline(__always)
        package init(rawValue: UInt64) { self.rawValue = rawValue }

        @inlinable @inline(__always)
        init(generation: UInt32, slot: UInt32) { rawValue = UInt64(generation) << 32 | UInt64(slot) }

        @inlinable @inline(__always)
        var slot: Int { Int(truncatingIfNeeded: rawValue & 0xFFFF_FFFF) }

        @inlinable @inline(__always)
        var generation: UInt32 { UInt32(truncatingIfNeeded: rawValue >> 32) }
    }

    @frozen @usableFromInline
    struct Slot {
        @usableFromInline var element: Element?
        @usableFromInline var generation: UInt32

        @inlinable
        init(element: Element?, generation: UInt32) {
            self.element = element
            self.generation = generation
        }
    }

    @usableFromInline var slots: ContiguousArray<Slot> = []
    @usableFromInline var free: ContiguousArray<UInt32> = []

    @inlinable package init() {}

    /// How many objects are in the slab.
    @inlinable package var count: Int { slots.count - free.count }

    @inlinable
    package mutating func insert(_ element: Element) -> Token {
        if let slot = free.popLast() {
            slots[Int(slot)].element = element
            return Token(generation: slots[Int(slot)].generation, slot: slot)
        }
        slots.append(Slot(element: element, generation: 1))
        return Token(generation: 1, slot: UInt32(slots.count - 1))
    }

    /// The object of `token`, or nil when it has left.
    @inlinable @inline(__always)
    package subscript(token: Token) -> Element? {
        guard token.slot < slots.count, slots[token.slot].generation == token.generation else { return nil }
        return slots[token.slot].element
    }

    /// Takes the object out; later uses of `token` find nothing.
    @inlinable
    @discardableResult
    package mutating func remove(_ token: Token) -> Element? {
        guard let element = self[token] else { return nil }
        slots[token.slot].element = nil
        // Generation 0 is never issued, so that a token of zero bits is always stale.
        slots[token.slot].generation = token.generation == .max ? 1 : token.generation + 1
        free.append(UInt32(token.slot))
        return element
    }

    /// Calls `body` with every object. `body` must not change the slab.
    @inlinable
    package func forEach(_ body: (Element) -> Void) {
        for slot in slots {
            if let element = slot.element { body(element) }
        }
    }
}
