import Core

/// The dynamic table of one direction of one connection (RFC 7541 §2.3.2): lines in one run of bytes, entries in a
/// ring.
///
/// Owned by its decoder or encoder. It takes memory with the first entry, as much as the entries need, and gives it
/// back when its size is set to zero. Lines stand one behind the other, oldest first; when the end of the memory is
/// reached, the live ones move to the front, which is at most half of it, so that each byte is moved about once.
@safe
final class HPACKDynamicTable {
    /// What a line may be written beyond: the Huffman decoder stores two bytes at a time, lower-casing eight.
    private static let spareBytes = 8

    /// No table may be larger, so that positions of 32 bits suffice by far.
    static let sizeLimit = 1 << 24

    // SAFETY: of all these, and of their unchecked exclusivity: they belong to one owner on one thread, and nothing
    // foreign is called while one is accessed. `ring` has `ringRoom` entries (a power of two, or nil and zero) of which
    // those numbered `inserted - count ..< inserted` are live, each at its number modulo the room. `lines` has
    // `linesRoom` bytes, of which those before `linesEnd` were written; the lines of live entries are among them.
    @exclusivity(unchecked) private var lines: UnsafeMutableRawPointer?
    @exclusivity(unchecked) private var linesRoom = 0
    @exclusivity(unchecked) private var linesEnd = 0
    /// Positions of entries are counted from the first byte ever written, modulo 2^32; this one is at the front of
    /// `lines`.
    @exclusivity(unchecked) private var linesOrigin: UInt32 = 0
    @exclusivity(unchecked) private var ring: UnsafeMutablePointer<HPACKEntry>?
    @exclusivity(unchecked) private var ringRoom = 0
    @exclusivity(unchecked) private var insertedStored: UInt32 = 0
    @exclusivity(unchecked) private var countStored = 0
    @exclusivity(unchecked) private var sizeStored = 0
    @exclusivity(unchecked) private var sizeMaxStored: Int

    /// An empty table of at most `sizeMax` bytes, by the count of RFC 7541 §4.1.
    init(sizeMax: Int) {
        precondition(sizeMax >= 0 && sizeMax <= Self.sizeLimit)
        unsafe sizeMaxStored = sizeMax
    }

    deinit { giveBack() }

    /// How many entries there are.
    @inline(__always) var count: Int { unsafe countStored }
    /// How many entries there ever were, modulo 2^32: the number of the next one.
    @inline(__always) var inserted: UInt32 { unsafe insertedStored }
    /// What the entries count together (RFC 7541 §4.1), at most `sizeMax`.
    @inline(__always) var size: Int { unsafe sizeStored }
    @inline(__always) var sizeMax: Int { unsafe sizeMaxStored }
    /// What it takes of the heap beside the object itself.
    var allocatedBytes: Int { unsafe linesRoom + ringRoom * MemoryLayout<HPACKEntry>.stride }

    /// The entry inserted `age` entries before the newest one; `age` is below `count`.
    @inline(__always)
    subscript(age: Int) -> HPACKEntry {
        precondition(age >= 0 && age < count)
        // SAFETY: the entry is live, so the ring is there and holds it.
        return unsafe ring.unsafelyUnwrapped[slot(inserted &- 1 &- UInt32(truncatingIfNeeded: age))]
    }

    /// The bytes of an entry of this table, `lineCount` of them. Valid until the next `insert`, even if that evicts it.
    @inline(__always)
    @unsafe
    func line(of entry: HPACKEntry) -> UnsafeRawPointer {
        // SAFETY: the lines of live entries lie behind the origin.
        unsafe UnsafeRawPointer(lines.unsafelyUnwrapped).advanced(by: Int(entry.position &- linesOrigin))
    }

    @inline(__always)
    private func slot(_ number: UInt32) -> Int { unsafe Int(number) & (ringRoom &- 1) }

    /// Evicts what exceeds `sizeMax`, from the oldest on (RFC 7541 §4.3).
    func resize(to sizeMax: Int) {
        precondition(sizeMax >= 0 && sizeMax <= Self.sizeLimit)
        unsafe sizeMaxStored = sizeMax
        evict(to: sizeMax)
        if sizeMax == 0 { giveBack() }
    }

    /// Inserts an entry, evicting what is in its way (RFC 7541 §4.4). Returns where its line must be written at once;
    /// up to eight bytes behind it may be overwritten. Nil if it is larger than the table, which is empty then.
    ///
    /// An entry that is evicted by this is still where `line(of:)` says: a name may be copied from there.
    @unsafe
    func insert(_ entry: HPACKEntry) -> UnsafeMutableRawPointer? {
        let sizeMax = self.sizeMax
        let lineCount = entry.lineCount
        guard entry.size <= sizeMax else {
            evict(to: 0)
            return nil
        }
        if unsafe linesEnd &+ lineCount &+ Self.spareBytes > linesRoom { makeRoom(lineCount) }
        evict(to: sizeMax &- entry.size)
        if unsafe count == ringRoom { growRing() }
        var entry = entry
        // SAFETY: there is room for one more line and for one more entry.
        unsafe entry.position = linesOrigin &+ UInt32(truncatingIfNeeded: linesEnd)
        let line = unsafe lines.unsafelyUnwrapped.advanced(by: linesEnd)
        unsafe ring.unsafelyUnwrapped.advanced(by: slot(inserted)).initialize(to: entry)
        unsafe linesEnd &+= lineCount
        unsafe insertedStored &+= 1
        unsafe countStored &+= 1
        unsafe sizeStored &+= entry.size
        return unsafe line
    }

    /// Says what the newest entry's name is, if that was not known before its line was written.
    func setNewest(_ name: HeaderName, _ pseudo: HPACKPseudo) {
        let entry = self[0]
        let known = HPACKEntry(
            nameCount: Int(entry.nameCount), valueCount: Int(entry.valueCount), name: name, pseudo: pseudo,
            position: entry.position)
        // SAFETY: there is a newest entry, as the subscript has seen.
        unsafe ring.unsafelyUnwrapped[slot(inserted &- 1)] = known
    }

    private func evict(to sizeMax: Int) {
        var count = self.count
        var size = self.size
        while size > sizeMax {
            // SAFETY: a table that has a size has entries, and the ring holds them.
            size &-= unsafe ring.unsafelyUnwrapped[slot(inserted &- UInt32(truncatingIfNeeded: count))].size
            count &-= 1
        }
        unsafe countStored = count
        unsafe sizeStored = size
    }

    /// Moves the live lines to the front, of larger memory if they would fill more than half of what there is.
    private func makeRoom(_ lineCount: Int) {
        // SAFETY: what is live begins with the oldest entry's line and ends at the end; the new place has room for it
        // and for one line more, as computed, and memmove allows the overlap.
        let start = unsafe count == 0 ? linesEnd : Int(self[count &- 1].position &- linesOrigin)
        let live = unsafe linesEnd &- start
        let needed = live &+ lineCount &+ Self.spareBytes
        var destination = unsafe lines
        if unsafe needed &* 2 > linesRoom, unsafe linesRoom < roomMax || needed > linesRoom {
            let room = max(needed, min(roomMax, max(256, 1 << (Int.bitWidth - (needed * 2 - 1).leadingZeroBitCount))))
            unsafe destination = .allocate(byteCount: room, alignment: 16)
            unsafe linesRoom = room
        }
        if live > 0, let source = unsafe lines {
            unsafe destination.unsafelyUnwrapped.copyMemory(from: source.advanced(by: start), byteCount: live)
        }
        if unsafe destination != lines { unsafe lines?.deallocate() }
        unsafe lines = destination
        unsafe linesOrigin &+= UInt32(truncatingIfNeeded: start)
        unsafe linesEnd = live
    }

    /// More memory than this is never of use: the lines that are live and one more take half of it.
    private var roomMax: Int { 2 &* sizeMax &+ Self.spareBytes }

    private func growRing() {
        let room = unsafe max(8, ringRoom * 2)
        let larger = UnsafeMutablePointer<HPACKEntry>.allocate(capacity: room)
        // SAFETY: the live entries are initialised in the old ring and go to their places in the new one, which is
        // disjoint.
        for age in 0..<count {
            let number = inserted &- 1 &- UInt32(truncatingIfNeeded: age)
            unsafe larger.advanced(by: Int(number) & (room - 1)).initialize(to: self[age])
        }
        unsafe ring?.deallocate()
        unsafe ring = larger
        unsafe ringRoom = room
    }

    private func giveBack() {
        // SAFETY: nothing is live, or nobody will ask again.
        unsafe lines?.deallocate()
        unsafe ring?.deallocate()
        unsafe lines = nil
        unsafe ring = nil
        unsafe (linesRoom, linesEnd, ringRoom) = (0, 0, 0)
    }
}
