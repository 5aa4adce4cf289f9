import Core

/// The known field names as words, ordered by length: a name is compared with the few of its own length, eight bytes at a time.
///
/// Built once for the process, never changed.
struct HeaderNameTable: Sendable {
    static let names = HeaderNameTable()

    private struct Entry: Sendable {
        let first: UInt64
        let second: UInt64
        let third: UInt64
        let name: HeaderName
    }

    private static let lengthMax = 24

    private var entries: [Entry] = []
    /// Where the entries of each length begin; those of length n end where those of n + 1 begin.
    private var starts: [Int] = []

    private init() {
        for length in 0...Self.lengthMax {
            starts.append(entries.count)
            for name in HeaderName.allCases where name != .other && name.lowercased.utf8CodeUnitCount == length {
                let bytes = name.lowercased.bytes
                entries.append(
                    Entry(first: bytes.word(at: 0), second: bytes.word(at: 8), third: bytes.word(at: 16), name: name))
            }
        }
        starts.append(entries.count)
        precondition(entries.count == HeaderName.allCases.count - 1, "a name longer than \(Self.lengthMax) bytes")
    }

    /// The name that `count` bytes of `text` from `start` on spell in any case.
    func find(_ text: Span<UInt8>, _ start: Int, _ count: Int) -> HeaderName {
        guard count >= 0, count <= Self.lengthMax else { return .other }
        var index = starts[count]
        let end = starts[count &+ 1]
        guard index < end else { return .other }
        let first = ASCIIWord(text.word(at: start, count: count)).lowercased
        while index < end {
            if entries[index].first == first, matchesRest(entries[index], text, start, count) {
                return entries[index].name
            }
            index &+= 1
        }
        return .other
    }

    @inline(__always)
    private func matchesRest(_ entry: Entry, _ text: Span<UInt8>, _ start: Int, _ count: Int) -> Bool {
        if count <= 8 { return true }
        guard entry.second == ASCIIWord(text.word(at: start &+ 8, count: count &- 8)).lowercased else { return false }
        return count <= 16
            || entry.third == ASCIIWord(text.word(at: start &+ 16, count: count &- 16)).lowercased
    }
}
