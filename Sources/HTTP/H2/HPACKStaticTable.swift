import Core

/// The static table (RFC 7541 Appendix A): its lines one after the other, and where each begins.
///
/// Built once for the process, never changed, shared by all threads; every coder holds it, for reaching a global costs
/// a call.
@safe
final class HPACKStaticTable: Sendable {
    static let shared = HPACKStaticTable()

    /// Entries 1 to 61; there is no entry 0.
    static let count = 61

    // SAFETY: of both pointers: written by `init` only and never freed, since the one table lives as long as the
    // process. `entries` has 62 elements, of which number 0 is blank, and their positions are those of whole lines in
    // `lines`.
    nonisolated(unsafe) private let entries: UnsafePointer<HPACKEntry>
    nonisolated(unsafe) private let lines: UnsafeRawPointer
    /// For each `HeaderName.rawValue` the entry of that name, or 0.
    private let indexesByName: InlineArray<64, UInt8>
    /// Open addressing by `HPACKHash` of the name: entries of names that `HeaderName` does not list, or 0.
    private let indexesByHash: InlineArray<128, UInt8>

    private init() {
        let lines = Buffer(capacity: 2048)
        let entries = UnsafeMutablePointer<HPACKEntry>.allocate(capacity: Self.count + 1)
        var indexesByName = InlineArray<64, UInt8>(repeating: 0)
        var indexesByHash = InlineArray<128, UInt8>(repeating: 0)
        let blank = HPACKEntry(nameCount: 0, valueCount: 0, name: .other, pseudo: .none)
        unsafe entries.initialize(to: blank)
        for index in 1...Self.count {
            let (name, value) = Self.field(index)
            let known = HeaderName(name.bytes)
            unsafe entries.advanced(by: index).initialize(
                to: HPACKEntry(
                    nameCount: name.utf8CodeUnitCount, valueCount: value.utf8CodeUnitCount, name: known,
                    pseudo: HPACKPseudo(name.bytes), position: UInt32(lines.writerIndex)))
            lines.append(name)
            lines.append(ASCII.colon, ASCII.space)
            lines.append(value)
            lines.appendLineEnd()
            if known != .other {
                indexesByName[Int(known.rawValue)] = UInt8(index)
            } else if HPACKPseudo(name.bytes) == .none {
                var slot = Int(HPACKHash.name(name.bytes)) & 127
                while indexesByHash[slot] != 0 { slot = (slot + 1) & 127 }
                indexesByHash[slot] = UInt8(index)
            }
        }
        let copy = UnsafeMutableRawPointer.allocate(byteCount: lines.readableCount, alignment: 64)
        unsafe copy.copyMemory(from: lines.address(of: 0), byteCount: lines.readableCount)
        unsafe self.entries = UnsafePointer(entries)
        unsafe self.lines = UnsafeRawPointer(copy)
        self.indexesByName = indexesByName
        self.indexesByHash = indexesByHash
    }

    /// Entry `index`, 1 to 61.
    @inline(__always)
    subscript(index: Int) -> HPACKEntry {
        precondition(index > 0 && index <= Self.count)
        return unsafe entries[index]
    }

    /// The bytes of an entry of this table.
    @inline(__always)
    @unsafe
    func line(of entry: HPACKEntry) -> UnsafeRawPointer { unsafe lines.advanced(by: Int(entry.position)) }

    /// The first entry of this name, or 0.
    @inline(__always)
    func index(of name: HeaderName) -> Int { Int(indexesByName[Int(name.rawValue)]) }

    /// The entry of a name that `HeaderName` does not list, in any case, or 0. `hash` is `HPACKHash.name` of it.
    @inline(__always)
    func index(of name: Span<UInt8>, hash: UInt32) -> Int {
        var slot = Int(hash) & 127
        while true {
            let index = Int(indexesByHash[slot])
            if index == 0 { return 0 }
            let entry = self[index]
            // SAFETY: a line of this table begins with as many bytes of name.
            if Int(entry.nameCount) == name.count,
                unsafe HPACKHash.equals(line(of: entry), lowercasing: name)
            {
                return index
            }
            slot = (slot &+ 1) & 127
        }
    }

    private static func field(_ index: Int) -> (name: StaticString, value: StaticString) {
        switch index {
        case 1: (":authority", "")
        case 2: (":method", "GET")
        case 3: (":method", "POST")
        case 4: (":path", "/")
        case 5: (":path", "/index.html")
        case 6: (":scheme", "http")
        case 7: (":scheme", "https")
        case 8: (":status", "200")
        case 9: (":status", "204")
        case 10: (":status", "206")
        case 11: (":status", "304")
        case 12: (":status", "400")
        case 13: (":status", "404")
        case 14: (":status", "500")
        case 15: ("accept-charset", "")
        case 16: ("accept-encoding", "gzip, deflate")
        case 17: ("accept-language", "")
        case 18: ("accept-ranges", "")
        case 19: ("accept", "")
        case 20: ("access-control-allow-origin", "")
        case 21: ("age", "")
        case 22: ("allow", "")
        case 23: ("authorization", "")
        case 24: ("cache-control", "")
        case 25: ("content-disposition", "")
        case 26: ("content-encoding", "")
        case 27: ("content-language", "")
        case 28: ("content-length", "")
        case 29: ("content-location", "")
        case 30: ("content-range", "")
        case 31: ("content-type", "")
        case 32: ("cookie", "")
        case 33: ("date", "")
        case 34: ("etag", "")
        case 35: ("expect", "")
        case 36: ("expires", "")
        case 37: ("from", "")
        case 38: ("host", "")
        case 39: ("if-match", "")
        case 40: ("if-modified-since", "")
        case 41: ("if-none-match", "")
        case 42: ("if-range", "")
        case 43: ("if-unmodified-since", "")
        case 44: ("last-modified", "")
        case 45: ("link", "")
        case 46: ("location", "")
        case 47: ("max-forwards", "")
        case 48: ("proxy-authenticate", "")
        case 49: ("proxy-authorization", "")
        case 50: ("range", "")
        case 51: ("referer", "")
        case 52: ("refresh", "")
        case 53: ("retry-after", "")
        case 54: ("server", "")
        case 55: ("set-cookie", "")
        case 56: ("strict-transport-security", "")
        case 57: ("transfer-encoding", "")
        case 58: ("user-agent", "")
        case 59: ("vary", "")
        case 60: ("via", "")
        case 61: ("www-authenticate", "")
        default: preconditionFailure("no such entry")
        }
    }
}
