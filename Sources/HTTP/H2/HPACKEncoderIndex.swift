/// Where the entries of an encoder's dynamic table are found by what they are: chains through the entries, one per hash
/// of the field and one per hash of the name, newest first.
///
/// Owned by its encoder. Eviction leaves it alone: a chain ends where it comes to an entry that is gone, for those
/// behind are older. Hashes only propose; the encoder
/// compares. Memory is taken with the first entry.
@safe
final class HPACKEncoderIndex {
    private struct Link: BitwiseCopyable {
        let field: UInt32
        let name: UInt32
        /// Numbers of the next older entries in both chains.
        var olderField: UInt32 = 0
        var olderName: UInt32 = 0
    }

    // SAFETY: of the four, and of their unchecked exclusivity: touched by leaf functions on one thread. From the first
    // `insert` on each pointer is to `mask + 1` initialised elements, and every access is masked; before it nobody may
    // ask.
    @exclusivity(unchecked) private var links: UnsafeMutablePointer<Link>?
    @exclusivity(unchecked) private var fieldHeads: UnsafeMutablePointer<UInt32>?
    @exclusivity(unchecked) private var nameHeads: UnsafeMutablePointer<UInt32>?
    @exclusivity(unchecked) private var mask: UInt32 = 0

    init() {}

    deinit { giveBack() }

    /// What it takes of the heap beside the object itself.
    var allocatedBytes: Int {
        unsafe links == nil ? 0 : (Int(mask) + 1) * (MemoryLayout<Link>.stride + 2 * MemoryLayout<UInt32>.stride)
    }

    /// Notes the entry `number`, which is the newest of `count`.
    func insert(_ number: UInt32, field: UInt32, name: UInt32, count: Int) {
        if unsafe links == nil || count > Int(mask) + 1 { grow(number, count) }
        chain(number, Link(field: field, name: name))
    }

    private func chain(_ number: UInt32, _ link: Link) {
        var link = link
        link.olderField = newest(field: link.field)
        link.olderName = newest(name: link.name)
        unsafe links.unsafelyUnwrapped[Int(number & mask)] = link
        unsafe fieldHeads.unsafelyUnwrapped[Int(link.field & mask)] = number
        unsafe nameHeads.unsafelyUnwrapped[Int(link.name & mask)] = number
    }

    /// Makes room for twice as many entries, and chains the `count - 1` before `number` anew.
    private func grow(_ number: UInt32, _ count: Int) {
        // SAFETY: the old memory holds the links of those entries; it is given back when they have been read.
        let (oldLinks, oldMask) = unsafe (links, mask)
        let room = unsafe links == nil ? 16 : (Int(mask) + 1) * 2
        let blank = Link(field: 0, name: 0)
        let newLinks = UnsafeMutablePointer<Link>.allocate(capacity: room)
        let newFieldHeads = UnsafeMutablePointer<UInt32>.allocate(capacity: room)
        let newNameHeads = UnsafeMutablePointer<UInt32>.allocate(capacity: room)
        unsafe newLinks.initialize(repeating: blank, count: room)
        unsafe newFieldHeads.initialize(repeating: 0, count: room)
        unsafe newNameHeads.initialize(repeating: 0, count: room)
        unsafe links = nil
        giveBack()
        unsafe (links, fieldHeads, nameHeads) = (newLinks, newFieldHeads, newNameHeads)
        unsafe mask = UInt32(room - 1)
        guard let oldLinks = unsafe oldLinks else { return }
        for age in stride(from: UInt32(count - 1), to: 0, by: -1) {
            unsafe chain(number &- age, oldLinks[Int((number &- age) & oldMask)])
        }
        unsafe oldLinks.deallocate()
    }

    private func giveBack() {
        // SAFETY: nobody will ask again before there is other memory.
        unsafe links?.deallocate()
        unsafe fieldHeads?.deallocate()
        unsafe nameHeads?.deallocate()
    }

    // What follows may be asked once an entry was inserted. The numbers are of entries that may be gone, and of other
    // fields and names.

    /// The number of the newest entry in the chain of this field's hash.
    @inline(__always)
    func newest(field: UInt32) -> UInt32 { unsafe fieldHeads.unsafelyUnwrapped[Int(field & mask)] }

    /// The number of the newest entry in the chain of this name's hash.
    @inline(__always)
    func newest(name: UInt32) -> UInt32 { unsafe nameHeads.unsafelyUnwrapped[Int(name & mask)] }

    /// The hash of the entry's field.
    @inline(__always)
    func field(of number: UInt32) -> UInt32 { unsafe links.unsafelyUnwrapped[Int(number & mask)].field }

    /// The next older entry in the chain of the field's hash.
    @inline(__always)
    func olderField(_ number: UInt32) -> UInt32 { unsafe links.unsafelyUnwrapped[Int(number & mask)].olderField }

    /// The next older entry in the chain of the name's hash.
    @inline(__always)
    func olderName(_ number: UInt32) -> UInt32 { unsafe links.unsafelyUnwrapped[Int(number & mask)].olderName }
}
