import Core

/// Finds a number by some bytes within a scope: an open-addressing hash table, built once, then never changed.
///
/// Owned by the `RouteTable`. Keys are compared in full, so a collision costs a comparison and never a wrong answer.
struct ByteTable: Sendable {
    private struct Slot {
        var hash: UInt64 = 0
        var scope: UInt32 = 0
        var keyStart: UInt32 = 0
        var keyCount: UInt32 = 0
        /// -1: free.
        var value: Int32 = -1
    }

    private var slots: [Slot] = []
    private var keys: [UInt8] = []
    private(set) var count = 0

    /// The value of `key`, whose hash the caller has made; keys with letters in lower case also match upper-case bytes
    /// when `ignoresCase`.
    @inline(__always)
    func value(of key: Span<UInt8>, hash: UInt64, scope: UInt32, ignoresCase: Bool = false) -> Int32? {
        guard count > 0 else { return nil }
        let slots = self.slots.span
        let mask = slots.count - 1
        var position = index(of: hash, mask)
        while true {
            let slot = slots[position]
            if slot.value < 0 { return nil }
            if slot.hash == hash, slot.scope == scope, Int(slot.keyCount) == key.count {
                let stored = keys.span.extracting(Int(slot.keyStart)..<Int(slot.keyStart) + key.count)
                if ignoresCase ? key.equalsIgnoringCase(stored) : key.equals(stored) { return slot.value }
            }
            position = (position + 1) & mask
        }
    }

    /// The value of `key`; `value` is kept under it first when there is none. For building only.
    mutating func value(of key: [UInt8], hash: UInt64, scope: UInt32, orInsert value: Int32) -> Int32 {
        if let found = self.value(of: key.span, hash: hash, scope: scope) { return found }
        if (count + 1) * 2 > slots.count { grow() }
        place(
            Slot(
                hash: hash, scope: scope, keyStart: UInt32(keys.count), keyCount: UInt32(key.count), value: value))
        keys.append(contentsOf: key)
        count += 1
        return value
    }

    /// FNV's low bits are its best mixed; the high ones are folded in for short keys.
    @inline(__always)
    private func index(of hash: UInt64, _ mask: Int) -> Int { Int(truncatingIfNeeded: hash ^ hash >> 32) & mask }

    private mutating func place(_ slot: Slot) {
        let mask = slots.count - 1
        var position = index(of: slot.hash, mask)
        while slots[position].value >= 0 { position = (position + 1) & mask }
        slots[position] = slot
    }

    private mutating func grow() {
        let old = slots
        slots = Array(repeating: Slot(), count: max(8, old.count * 2))
        for slot in old where slot.value >= 0 { place(slot) }
    }
}
