package import Core

/// Encodes the header blocks of one connection's one direction, in the order they are sent (RFC 7541).
///
/// Owned by its session, on one thread. What repeats goes to the dynamic table and costs a byte or two from then on;
/// see `HPACKIndexing` for what that is. Only literals on their way into the table are Huffman-encoded, which is paid
/// for once; the others change with each message and are sent plain, which costs neither side more than a copy.
///
/// A block is `beginBlock` and the `append`s of its fields; they must be sent as they were appended.
package final class HPACKEncoder {
    // SAFETY: of the unchecked exclusivity, here and below: numbers of one owner on one thread, and nothing foreign is
    // called while they are accessed.
    /// The table's size that the peer knows of.
    @exclusivity(unchecked) private var tableBytesSent = HPACKDecoder.tableBytesInitially
    /// The smallest size since the last block, which the peer must be told of (RFC 7541 §4.2).
    @exclusivity(unchecked) private var tableBytesLeast: Int
    /// Hashes of fields seen once, by their lowest bits; a newer one takes the place of an older.
    @exclusivity(unchecked) private var seen = InlineArray<64, UInt32>(repeating: 0)

    private let tableBytesMax: Int
    let table: HPACKDynamicTable
    private let index = HPACKEncoderIndex()
    private let statics = HPACKStaticTable.shared
    private let huffman = HPACKHuffman.shared

    /// `tableBytesMax`: how large the table may be at most, whatever the peer allows; at most 16 MiB.
    package init(tableBytesMax: Int) {
        precondition(tableBytesMax >= 0 && tableBytesMax <= HPACKDynamicTable.sizeLimit)
        self.tableBytesMax = tableBytesMax
        let tableBytes = min(tableBytesMax, HPACKDecoder.tableBytesInitially)
        table = HPACKDynamicTable(sizeMax: tableBytes)
        unsafe tableBytesLeast = tableBytes
    }

    /// What it takes of the heap beside the objects themselves.
    var allocatedBytes: Int { table.allocatedBytes + index.allocatedBytes }

    /// The peer's SETTINGS_HEADER_TABLE_SIZE came: the table is resized now, and the next block begins with saying so.
    package func peerAllows(tableBytes: Int) {
        let tableBytes = min(max(0, tableBytes), tableBytesMax)
        table.resize(to: tableBytes)
        unsafe tableBytesLeast = min(tableBytesLeast, tableBytes)
    }

    /// Begins a header block: writes the dynamic table size updates that are due (RFC 7541 §4.2).
    @inline(__always)
    package func beginBlock(into output: Buffer) {
        if unsafe tableBytesSent == table.sizeMax && tableBytesLeast == tableBytesSent { return }
        appendUpdates(into: output)
    }

    private func appendUpdates(into output: Buffer) {
        let size = table.sizeMax
        if unsafe tableBytesLeast < min(tableBytesSent, size) {
            unsafe HPACKInteger.append(tableBytesLeast, mask: 0x1F, flags: 0x20, into: output)
        }
        HPACKInteger.append(size, mask: 0x1F, flags: 0x20, into: output)
        unsafe tableBytesSent = size
        unsafe tableBytesLeast = size
    }

    // MARK: Fields

    /// Appends `:status`; `status` is 100 to 999.
    package func append(status: UInt16, into output: Buffer) {
        switch status {
        case 200: output.append(0x88)
        case 204: output.append(0x89)
        case 206: output.append(0x8A)
        case 304: output.append(0x8B)
        case 400: output.append(0x8C)
        case 404: output.append(0x8D)
        case 500: output.append(0x8E)
        default:
            precondition(status >= 100 && status <= 999)
            let digits: InlineArray<3, UInt8> = [
                ASCII.zero + UInt8(status / 100), ASCII.zero + UInt8(status / 10 % 10), ASCII.zero + UInt8(status % 10),
            ]
            append(.status, digits.span, into: output)
        }
    }

    /// Appends `:method`, `:scheme`, `:authority`, `:path` or `:protocol`.
    package func append(_ pseudo: HPACKPseudo, _ value: Span<UInt8>, into output: Buffer) {
        let first: Int
        let last: Int
        switch pseudo {
        case .authority: (first, last) = (1, 1)
        case .method: (first, last) = (2, 3)
        case .path: (first, last) = (4, 5)
        case .scheme: (first, last) = (6, 7)
        case .status: (first, last) = (8, 14)
        case .protocol: (first, last) = (0, 0)
        case .none, .unknown: preconditionFailure("no pseudo field to send")
        }
        var index = first
        while index > 0, index <= last {
            if isStatic(index, value) { return output.append(0x80 | UInt8(truncatingIfNeeded: index)) }
            index &+= 1
        }
        let name = Name(
            known: .other, pseudo: pseudo, staticIndex: first, hash: HPACKHash.name(.other, pseudo))
        append(name, spelled: pseudo.name.bytes, value, HPACKIndexing(pseudo, value: value), into: output)
    }

    /// Appends an ordinary field. `name` may be in any case and is sent in lower case; `known` is its `HeaderName`.
    /// `isNeverIndexed`: it came so and must be passed on so (RFC 7541 §6.2.3).
    package func append(
        _ known: HeaderName, name: Span<UInt8>, value: Span<UInt8>, isNeverIndexed: Bool = false, into output: Buffer
    ) {
        let hash: UInt32
        let staticIndex: Int
        if known == .other {
            hash = HPACKHash.name(name)
            staticIndex = statics.index(of: name, hash: hash)
        } else {
            hash = HPACKHash.name(known, .none)
            staticIndex = statics.index(of: known)
        }
        let indexing =
            isNeverIndexed ? .neverByAnyone : HPACKIndexing(known, staticIndex: staticIndex, value: value)
        if staticIndex > 0, indexing != .neverByAnyone, isStatic(staticIndex, value) {
            return output.append(0x80 | UInt8(truncatingIfNeeded: staticIndex))
        }
        append(
            Name(known: known, pseudo: .none, staticIndex: staticIndex, hash: hash), spelled: name, value, indexing,
            into: output)
    }

    private struct Name {
        let known: HeaderName
        let pseudo: HPACKPseudo
        /// The first static entry of this name, or 0.
        let staticIndex: Int
        let hash: UInt32
    }

    @inline(__always)
    private func append(
        _ name: Name, spelled: Span<UInt8>, _ value: Span<UInt8>, _ indexing: HPACKIndexing, into output: Buffer
    ) {
        if indexing.rawValue >= HPACKIndexing.never.rawValue {
            let flags: UInt8 = indexing == .neverByAnyone ? 0x10 : 0
            return appendPlain(name.staticIndex, flags: flags, spelled: spelled, value, into: output)
        }
        let hash = HPACKHash.field(name.hash, value)
        let age = find(name, spelled: spelled, value, hash: hash)
        if age >= 0 {
            return HPACKInteger.append(
                age &+ HPACKStaticTable.count &+ 1, mask: 0x7F, flags: 0x80, into: output)
        }
        let nameIndex = name.staticIndex > 0 ? name.staticIndex : findName(name, spelled: spelled)
        let size = spelled.count &+ value.count &+ HPACKEntry.overhead
        if size > table.sizeMax &>> 2 || indexing == .whenRepeated && !wasSeen(hash) {
            return appendPlain(nameIndex, flags: 0, spelled: spelled, value, into: output)
        }
        insert(name, nameIndex, spelled: spelled, value, hash: hash, into: output)
    }

    @inline(__always)
    private func isStatic(_ index: Int, _ value: Span<UInt8>) -> Bool {
        let entry = statics[index]
        guard Int(entry.valueCount) == value.count else { return false }
        // SAFETY: the line has a value of as many bytes there.
        return unsafe HPACKHash.equals(statics.line(of: entry).advanced(by: entry.valueOffset), value)
    }

    /// Whether such a field was seen lately; it is now.
    @inline(__always)
    private func wasSeen(_ hash: UInt32) -> Bool {
        let slot = Int(hash & 63)
        if unsafe seen[slot] == hash { return true }
        unsafe seen[slot] = hash
        return false
    }

    // MARK: The table

    /// The age of the newest entry that is this field, or -1.
    @inline(__always)
    private func find(_ name: Name, spelled: Span<UInt8>, _ value: Span<UInt8>, hash: UInt32) -> Int {
        let table = self.table
        let index = self.index
        let count = table.count
        guard count > 0 else { return -1 }
        let newest = table.inserted &- 1
        var number = index.newest(field: hash)
        var above = -1
        while true {
            let age = Int(newest &- number)
            // Numbers go round after 2^32 entries, so an ancient one may look live; ages must grow all the same.
            guard age < count, age > above else { return -1 }
            if index.field(of: number) == hash {
                let entry = table[age]
                // SAFETY: the line has as many bytes of value there.
                if unsafe Int(entry.valueCount) == value.count && hasName(entry, name, spelled: spelled)
                    && HPACKHash.equals(table.line(of: entry).advanced(by: entry.valueOffset), value)
                {
                    return age
                }
            }
            above = age
            number = index.olderField(number)
        }
    }

    /// The index of an entry of this name, or 0.
    private func findName(_ name: Name, spelled: Span<UInt8>) -> Int {
        let table = self.table
        let index = self.index
        let count = table.count
        guard count > 0 else { return 0 }
        let newest = table.inserted &- 1
        var number = index.newest(name: name.hash)
        var above = -1
        while true {
            let age = Int(newest &- number)
            guard age < count, age > above else { return 0 }
            if hasName(table[age], name, spelled: spelled) { return age &+ HPACKStaticTable.count &+ 1 }
            above = age
            number = index.olderName(number)
        }
    }

    @inline(__always)
    private func hasName(_ entry: HPACKEntry, _ name: Name, spelled: Span<UInt8>) -> Bool {
        guard entry.name == name.known, entry.pseudo == name.pseudo else { return false }
        if name.known != .other || name.pseudo != .none { return true }
        // SAFETY: the line begins with as many bytes of name.
        return unsafe Int(entry.nameCount) == spelled.count
            && HPACKHash.equals(table.line(of: entry), lowercasing: spelled)
    }

    /// Appends a literal with incremental indexing, and inserts it (RFC 7541 §6.2.1).
    private func insert(
        _ name: Name, _ nameIndex: Int, spelled: Span<UInt8>, _ value: Span<UInt8>, hash: UInt32,
        into output: Buffer
    ) {
        HPACKInteger.append(nameIndex, mask: 0x3F, flags: 0x40, into: output)
        if nameIndex == 0 { appendShorter(spelled, lowercasing: true, into: output) }
        appendShorter(value, lowercasing: false, into: output)

        let entry = HPACKEntry(
            nameCount: spelled.count, valueCount: value.count, name: name.known, pseudo: name.pseudo)
        let number = table.inserted
        // SAFETY: the line has room for name and value at their places; what stands between and behind them nobody
        // reads here. Neither span is the table's.
        guard let line = unsafe table.insert(entry) else { return }
        unsafe Self.copyLowercased(spelled, to: line)
        unsafe Self.copy(value, to: line.advanced(by: entry.valueOffset))
        index.insert(number, field: hash, name: name.hash, count: table.count)
    }

    // MARK: Literals

    /// Appends a literal that is not indexed (RFC 7541 §6.2.2, §6.2.3).
    @inline(__always)
    private func appendPlain(
        _ nameIndex: Int, flags: UInt8, spelled: Span<UInt8>, _ value: Span<UInt8>, into output: Buffer
    ) {
        HPACKInteger.append(nameIndex, mask: 0x0F, flags: flags, into: output)
        if nameIndex == 0 {
            HPACKInteger.append(spelled.count, mask: 0x7F, flags: 0, into: output)
            appendLowercased(spelled, into: output)
        }
        HPACKInteger.append(value.count, mask: 0x7F, flags: 0, into: output)
        output.append(value)
    }

    /// Appends a string literal, Huffman-encoded if that is shorter.
    private func appendShorter(_ bytes: Span<UInt8>, lowercasing: Bool, into output: Buffer) {
        let count = huffman.encodedCount(bytes, lowercasing: lowercasing)
        guard count < bytes.count else {
            HPACKInteger.append(bytes.count, mask: 0x7F, flags: 0, into: output)
            return lowercasing ? appendLowercased(bytes, into: output) : output.append(bytes)
        }
        HPACKInteger.append(count, mask: 0x7F, flags: 0x80, into: output)
        output.reserve(count &+ HPACKHuffman.encodedSpare)
        // SAFETY: the output has the room that the encoder needs.
        _ = unsafe output.write { room in
            unsafe huffman.encode(bytes, lowercasing: lowercasing, to: room.baseAddress.unsafelyUnwrapped)
            return count
        }
    }

    @inline(__always)
    private func appendLowercased(_ name: Span<UInt8>, into output: Buffer) {
        output.reserve(name.count &+ 8)
        // SAFETY: there is room for the name, and for the words that it is written by.
        _ = unsafe output.write { room in
            unsafe Self.copyLowercased(name, to: room.baseAddress.unsafelyUnwrapped)
            return name.count
        }
    }

    /// Writes `name` in lower case; up to seven bytes behind it are overwritten.
    @inline(__always)
    @unsafe
    private static func copyLowercased(_ name: Span<UInt8>, to address: UnsafeMutableRawPointer) {
        var index = 0
        while index < name.count {
            // SAFETY: the caller has room for whole words.
            unsafe address.storeBytes(
                of: ASCIIWord(name.word(at: index)).lowercased.littleEndian, toByteOffset: index, as: UInt64.self)
            index &+= 8
        }
    }

    @inline(__always)
    @unsafe
    private static func copy(_ bytes: Span<UInt8>, to address: UnsafeMutableRawPointer) {
        // SAFETY: the caller has room for the bytes.
        unsafe bytes.withUnsafeBytes { source in
            guard let start = source.baseAddress else { return }
            unsafe address.copyMemory(from: start, byteCount: source.count)
        }
    }
}
