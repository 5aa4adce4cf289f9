import Core

/// The known field names as words, ordered by length: a name is compared with the few of its own length, eight bytes at
/// a time.
///
/// Built once for the process, never changed, shared by all threads. Every block holds it, for reaching a global costs
/// a call.
final class HeaderNameTable: Sendable {
    static let shared = HeaderNameTable()

    /// A name of up to 24 bytes in lower case, eight to a word, zero behind them.
    struct Words: Equatable, Sendable {
        var first: UInt64 = 0
        var second: UInt64 = 0
        var third: UInt64 = 0

        static let bytesMax = 24
    }

    private struct Entry: Sendable {
        let words: Words
        let name: HeaderName
    }

    private let entries: [Entry]
    /// Where the entries of each length begin; those of length n end where those of n + 1 begin.
    private let starts: [Int]

    private init() {
        var entries: [Entry] = []
        var starts: [Int] = []
        for length in 0...Words.bytesMax {
            starts.append(entries.count)
            for name in HeaderName.allCases where name != .other && name.lowercased.utf8CodeUnitCount == length {
                let bytes = name.lowercased.bytes
                let words = Words(first: bytes.word(at: 0), second: bytes.word(at: 8), third: bytes.word(at: 16))
                entries.append(Entry(words: words, name: name))
            }
        }
        starts.append(entries.count)
        precondition(entries.count == HeaderName.allCases.count - 1, "a name longer than \(Words.bytesMax) bytes")
        self.entries = entries
        self.starts = starts
    }

    /// The name that `words`, of `count` bytes, spell.
    @inline(__always)
    func find(_ words: Words, count: Int) -> HeaderName {
        guard count >= 0, count <= Words.bytesMax else { return .other }
        var index = starts[count]
        let end = starts[count &+ 1]
        while index < end {
            if entries[index].words.first == words.first, entries[index].words == words { return entries[index].name }
            index &+= 1
        }
        return .other
    }

    /// The name that `count` bytes of `text` from `start` on spell, in any case.
    func find(in text: Span<UInt8>, from start: Int, count: Int) -> HeaderName {
        guard count <= Words.bytesMax else { return .other }
        var words = Words(first: ASCIIWord(text.word(at: start, count: count)).lowercased)
        if count > 8 { words.second = ASCIIWord(text.word(at: start &+ 8, count: count &- 8)).lowercased }
        if count > 16 { words.third = ASCIIWord(text.word(at: start &+ 16, count: count &- 16)).lowercased }
        return find(words, count: count)
    }

    /// Reads the name at `start` up to the first byte that is no token's, in one pass over its bytes. Most names are
    /// made of letters and dashes: their words are in lower case as soon as their end is found.
    @inline(__always)
    func scan(_ input: Span<UInt8>, from start: Int) -> (end: Int, name: HeaderName) {
        var words = Words()
        var end = start
        guard
            Self.take(input, &end, &words.first) || Self.take(input, &end, &words.second)
                || Self.take(input, &end, &words.third), end < input.count, input[end] == ASCII.colon
        else { return scanRest(input, from: start, to: end) }
        return (end, find(words, count: end &- start))
    }

    /// Adds the ordinary bytes among the eight at `end`; whether the name ends among them.
    @inline(__always)
    private static func take(_ input: Span<UInt8>, _ end: inout Int, _ taken: inout UInt64) -> Bool {
        let word = ASCIIWord(input.word(at: end))
        let stops = word.notOrdinary
        let bits = stops.trailingZeroBitCount
        end &+= bits &>> 3
        // The lowest stop is a byte's top bit: all below that byte are the name's.
        taken = stops == 0 ? word.folded : word.folded & ((1 &<< UInt64(bits &- 7)) &- 1)
        return stops != 0
    }

    /// A name of rarer bytes, an overlong one, or none: what is known is that all before `end` is ordinary.
    private func scanRest(_ input: Span<UInt8>, from start: Int, to end: Int) -> (end: Int, name: HeaderName) {
        (input.firstNotToken(from: min(end, input.count)), .other)
    }
}
