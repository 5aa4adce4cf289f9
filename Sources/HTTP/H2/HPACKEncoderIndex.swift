/// Where the entries of an encoder's dynamic table are found by what they are: chains through the entries, one per hash
/// of the field and one per hash of the name, newest first.
///
/// Owned by its encoder. Eviction leaves it alone: a chain ends where it comes to an entry that is gone, for those
/// behind are older. Hashes only propose; the encoder compares.
@safe
final class HPACKEncoderIndex {
    private struct Link: BitwiseCopyable {
        var field: UInt32
        /// Numbers of the next older entries in both chains.
        var olderField: UInt32
        var olderName: UInt32
    }

    // SAFETY: of the four, and of their unchecked exclusivity: written by `init` and by leaf functions on one thread.
    // `links` has `linksMask + 1` elements, both kinds of heads `headsMask + 1`; all are initialised, and every access
    // is masked.
    private let links: UnsafeMutablePointer<Link>
    private let fieldHeads: UnsafeMutablePointer<UInt32>
    private let nameHeads: UnsafeMutablePointer<UInt32>
    private let linksMask: UInt32
    private let headsMask: UInt32

    /// For a table of at most `entriesMax` entries.
    init(entriesMax: Int) {
        let room = 1 << (Int.bitWidth - max(1, entriesMax - 1).leadingZeroBitCount)
        unsafe links = .allocate(capacity: room)
        unsafe links.initialize(repeating: Link(field: 0, olderField: 0, olderName: 0), count: room)
        unsafe fieldHeads = .allocate(capacity: room)
        unsafe fieldHeads.initialize(repeating: 0, count: room)
        unsafe nameHeads = .allocate(capacity: room)
        unsafe nameHeads.initialize(repeating: 0, count: room)
        linksMask = UInt32(room - 1)
        headsMask = UInt32(room - 1)
    }

    deinit {
        unsafe links.deallocate()
        unsafe fieldHeads.deallocate()
        unsafe nameHeads.deallocate()
    }

    /// Notes the entry `number`, which is the newest.
    @inline(__always)
    func insert(_ number: UInt32, field: UInt32, name: UInt32) {
        let fieldHead = Int(field & headsMask)
        let nameHead = Int(name & headsMask)
        unsafe links[Int(number & linksMask)] = Link(
            field: field, olderField: fieldHeads[fieldHead], olderName: nameHeads[nameHead])
        unsafe fieldHeads[fieldHead] = number
        unsafe nameHeads[nameHead] = number
    }

    /// The age of the newest entry with this field's hash for which `matches` says yes.
    @inline(__always)
    func find(field: UInt32, in table: HPACKDynamicTable, _ matches: (HPACKEntry) -> Bool) -> Int? {
        var number = unsafe fieldHeads[Int(field & headsMask)]
        let newest = table.inserted &- 1
        var above = -1
        while true {
            let age = Int(newest &- number)
            // Numbers go round after 2^32 entries, so an ancient one may look live; ages must grow all the same.
            guard age < table.count, age > above else { return nil }
            let link = unsafe links[Int(number & linksMask)]
            if link.field == field, matches(table[age]) { return age }
            above = age
            number = link.olderField
        }
    }

    /// The age of the newest entry with this name's hash for which `matches` says yes.
    @inline(__always)
    func find(name: UInt32, in table: HPACKDynamicTable, _ matches: (HPACKEntry) -> Bool) -> Int? {
        var number = unsafe nameHeads[Int(name & headsMask)]
        let newest = table.inserted &- 1
        var above = -1
        while true {
            let age = Int(newest &- number)
            guard age < table.count, age > above else { return nil }
            if matches(table[age]) { return age }
            above = age
            number = unsafe links[Int(number & linksMask)].olderName
        }
    }
}
