import Core

/// The streams of one session by slot, and their slots by number.
///
/// Owned by its session, on its thread. Slots are small and dense and are reused, the one freed last first. The map
/// is a row of entries addressed by half the number: streams are numbered in a row by twos, so nearly each stands at
/// once where it is looked for.
final class H2StreamTable {
    private struct State: BitwiseCopyable {
        var firstFree = -1
        var held = 0
        var mapped = 0
        var mask = 0
        /// Entries that do not stand where they are looked for first.
        var displaced = 0
    }

    private let slots = Table<H2Stream>(capacity: 2)
    /// `id << 32 | slot`; zero where there is none.
    private let map = Table<UInt64>(capacity: 4)
    private let state = Cell(State())

    init() { extendMap(to: 4) }

    /// One past the highest slot that was ever held.
    @inline(__always) var endIndex: Int { slots.count }
    /// Slots that are held.
    @inline(__always) var heldCount: Int { state.value.held }

    @inline(__always)
    subscript(slot: Int) -> H2Stream {
        get { slots[slot] }
        set { slots[slot] = newValue }
    }

    /// Holds a slot for a stream, whose number may come later.
    func hold(_ stream: H2Stream) -> Int {
        let free = state.value.firstFree
        let slot: Int
        if free >= 0 {
            slot = free
            state.value.firstFree = slots[free].nextFree
            slots[free] = stream
        } else {
            slot = slots.count
            slots.append(stream)
        }
        slots[slot].flags.insert(.held)
        state.value.held &+= 1
        if stream.id != 0 { insert(stream.id, slot) }
        return slot
    }

    /// Gives the number that a held slot lacked.
    func number(_ slot: Int, _ id: UInt32) {
        precondition(slots[slot].flags.contains(.held) && slots[slot].id == 0, "a stream is numbered once")
        slots[slot].id = id
        insert(id, slot)
    }

    func release(_ slot: Int) {
        let stream = slots[slot]
        precondition(stream.flags.contains(.held), "a slot is released once")
        if stream.id != 0 { remove(stream.id) }
        var free = H2Stream()
        free.nextFree = state.value.firstFree
        slots[slot] = free
        state.value.firstFree = slot
        state.value.held &-= 1
    }

    /// The slot of the stream numbered `id`, nil when none holds it.
    @inline(__always)
    func find(_ id: UInt32) -> Int? {
        let mask = state.value.mask
        var index = Int(truncatingIfNeeded: id &>> 1) & mask
        while true {
            let entry = map[index]
            if UInt32(truncatingIfNeeded: entry &>> 32) == id { return Int(truncatingIfNeeded: entry & 0xFFFF_FFFF) }
            if entry == 0 { return nil }
            index = (index &+ 1) & mask
        }
    }

    // MARK: The map: open addressing, at most half full, deletion by moving up what was displaced

    private func insert(_ id: UInt32, _ slot: Int) {
        if (state.value.mapped &+ 1) &* 2 > map.count { rebuildMap() }
        state.value.mapped &+= 1
        place(UInt64(id) &<< 32 | UInt64(truncatingIfNeeded: slot))
    }

    private func place(_ entry: UInt64) {
        let mask = state.value.mask
        let start = home(of: entry)
        var index = start
        while map[index] != 0 { index = (index &+ 1) & mask }
        map[index] = entry
        if index != start { state.value.displaced &+= 1 }
    }

    private func home(of entry: UInt64) -> Int { Int(truncatingIfNeeded: entry &>> 33) & state.value.mask }

    private func remove(_ id: UInt32) {
        let mask = state.value.mask
        let start = Int(truncatingIfNeeded: id &>> 1) & mask
        var hole = start
        while UInt32(truncatingIfNeeded: map[hole] &>> 32) != id { hole = (hole &+ 1) & mask }
        state.value.mapped &-= 1
        if hole != start { state.value.displaced &-= 1 }
        // With every entry at home nobody has to move up.
        var index = hole
        while state.value.displaced > 0 {
            index = (index &+ 1) & mask
            let entry = map[index]
            if entry == 0 { break }
            // It may move up unless its home lies between the hole and itself.
            if (index &- home(of: entry)) & mask >= (index &- hole) & mask {
                map[hole] = entry
                if hole == home(of: entry) { state.value.displaced &-= 1 }
                hole = index
            }
        }
        map[hole] = 0
    }

    /// Doubles the map and places every entry anew.
    private func rebuildMap() {
        let entries = Table<UInt64>(capacity: map.count)
        for index in 0..<map.count where map[index] != 0 {
            entries.append(map[index])
            map[index] = 0
        }
        extendMap(to: map.count * 2)
        state.value.displaced = 0
        for index in 0..<entries.count { place(entries[index]) }
    }

    private func extendMap(to count: Int) {
        while map.count < count { map.append(0) }
        state.value.mask = count - 1
    }
}
