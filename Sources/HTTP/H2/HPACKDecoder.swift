package import Core

/// Decodes the header blocks of one connection's one direction, in the order they came (RFC 7541).
///
/// Owned by its session, on one thread. Fields come out one by one as lines of HTTP/1, so that a session can stop
/// keeping them and go on with `skip`: what a block does to the table must be done whether anybody wants its fields or
/// not. After an error the connection is over, and so is the decoder.
package final class HPACKDecoder {
    /// The size of a dynamic table until its encoder says otherwise (RFC 9113 §6.5.2).
    package static let tableBytesInitially = 4096

    private let tableBytesMax: Int
    let table: HPACKDynamicTable
    private let statics = HPACKStaticTable.shared
    private let huffman = HPACKHuffman.shared
    private let names = HeaderNameTable.shared

    /// `tableBytesMax`: the SETTINGS_HEADER_TABLE_SIZE that was announced. It bounds what the peer may ask for; until
    /// it asks, the table has the protocol's 4096 bytes, for a peer may send before it has read the settings. Memory is
    /// taken with the first entry. At most 16 MiB.
    package convenience init(tableBytesMax: Int) {
        self.init(tableBytesMax: tableBytesMax, initially: Self.tableBytesInitially)
    }

    init(tableBytesMax: Int, initially tableBytes: Int) {
        // What a peer may ask for must be possible.
        precondition(tableBytesMax >= 0 && tableBytesMax <= HPACKDynamicTable.sizeLimit)
        self.tableBytesMax = tableBytesMax
        table = HPACKDynamicTable(sizeMax: tableBytes)
    }

    /// How a field is sent (RFC 7541 §6).
    private struct Representation {
        /// Into both tables, as §2.3.3 counts; of a literal the name's, or 0.
        var index: Int
        var isIndexed = false
        var isInserted = false
        var isNeverIndexed = false
    }

    /// Decodes the next field of `block`, a whole header block, from `position` on; nil at the block's end. The field
    /// is appended to `storage` as a line, in parts if it turns out to be wrong. `storage` must not have been consumed
    /// from.
    package func next(
        _ block: Span<UInt8>, _ position: inout Int, into storage: Buffer
    ) throws(HPACKError) -> HPACKField? {
        var local = position
        guard let representation = try readRepresentation(block, &local) else {
            position = local
            return nil
        }
        let field =
            representation.isIndexed
            ? try appendIndexed(representation.index, into: storage)
            : try appendLiteral(representation, block, &local, into: storage)
        position = local
        return field
    }

    /// Does to the table what `next` would do and keeps nothing else. Returns the field's size by RFC 9113 §6.5.2, which
    /// is that of its name and value and 32; nil at the block's end.
    package func skip(_ block: Span<UInt8>, _ position: inout Int) throws(HPACKError) -> Int? {
        guard let representation = try readRepresentation(block, &position) else { return nil }
        if representation.isIndexed {
            // SAFETY: only the entry is of interest.
            return try unsafe find(representation.index).entry.size
        }
        return try skipLiteral(representation, block, &position)
    }

    // MARK: Representations

    /// Reads what precedes a field's strings, and does the table size updates before it.
    @inline(__always)
    private func readRepresentation(
        _ block: Span<UInt8>, _ position: inout Int
    ) throws(HPACKError) -> Representation? {
        var mayUpdate = position == 0
        while position < block.count {
            let first = block[position]
            position &+= 1
            if first >= 0x80 {
                return Representation(
                    index: try HPACKInteger.read(block, first, mask: 0x7F, &position), isIndexed: true)
            }
            if first >= 0x40 {
                return Representation(
                    index: try HPACKInteger.read(block, first, mask: 0x3F, &position), isInserted: true)
            }
            if first < 0x20 {
                return Representation(
                    index: try HPACKInteger.read(block, first, mask: 0x0F, &position), isNeverIndexed: first >= 0x10)
            }
            guard mayUpdate else { throw .tableSizeMisplaced }
            let size = try HPACKInteger.read(block, first, mask: 0x1F, &position)
            guard size <= tableBytesMax else { throw .tableSizeTooLarge }
            table.resize(to: size)
            mayUpdate = true
        }
        return nil
    }

    /// The entry of `index`, and its line.
    @inline(__always)
    @unsafe
    private func find(_ index: Int) throws(HPACKError) -> (entry: HPACKEntry, line: UnsafeRawPointer) {
        if index > HPACKStaticTable.count {
            let age = index &- HPACKStaticTable.count &- 1
            guard age < table.count else { throw .indexInvalid }
            let entry = table[age]
            // SAFETY: of both pointers: whoever calls knows how long a table's lines stay where they are.
            return unsafe (entry, table.line(of: entry))
        }
        guard index > 0 else { throw .indexInvalid }
        let entry = statics[index]
        return unsafe (entry, statics.line(of: entry))
    }

    // MARK: Keeping

    @inline(__always)
    private func appendIndexed(_ index: Int, into storage: Buffer) throws(HPACKError) -> HPACKField {
        // SAFETY: the line stays where it is meanwhile; `append` has made room for it.
        let (entry, line) = try unsafe find(index)
        let start = storage.writerIndex
        unsafe Self.append(line, entry.lineCount, to: storage)
        return HPACKField(entry, at: start, isNeverIndexed: false)
    }

    private func appendLiteral(
        _ representation: Representation, _ block: Span<UInt8>, _ position: inout Int, into storage: Buffer
    ) throws(HPACKError) -> HPACKField {
        let start = storage.writerIndex
        let nameCount: Int
        let name: HeaderName
        let pseudo: HPACKPseudo
        if representation.index > 0 {
            // SAFETY: the line stays where it is meanwhile; of it the name and what follows a name are copied.
            let (entry, line) = try unsafe find(representation.index)
            (nameCount, name, pseudo) = (Int(entry.nameCount), entry.name, entry.pseudo)
            unsafe Self.append(line, entry.valueOffset, to: storage)
        } else {
            try appendString(block, &position, into: storage)
            nameCount = storage.writerIndex &- start
            let bytes = storage.bytes(start..<storage.writerIndex)
            (name, pseudo) = recognise(bytes)
            storage.append(ASCII.colon, ASCII.space)
        }
        let valueStart = storage.writerIndex
        try appendString(block, &position, into: storage)
        let entry = HPACKEntry(
            nameCount: nameCount, valueCount: storage.writerIndex &- valueStart, name: name, pseudo: pseudo)
        storage.appendLineEnd()
        if representation.isInserted {
            // SAFETY: both places hold a line of the entry's, and they are disjoint.
            unsafe table.insert(entry)?.copyMemory(from: storage.address(of: start), byteCount: entry.lineCount)
        }
        return HPACKField(entry, at: start, isNeverIndexed: representation.isNeverIndexed)
    }

    @inline(__always)
    private func recognise(_ name: Span<UInt8>) -> (HeaderName, HPACKPseudo) {
        if name.count > 0, name[0] == ASCII.colon { return (.other, HPACKPseudo(name)) }
        return (names.find(in: name, from: 0, count: name.count), .none)
    }

    /// Appends `count` bytes at `source`, which are not the storage's.
    @inline(__always)
    @unsafe
    private static func append(_ source: UnsafeRawPointer, _ count: Int, to storage: Buffer) {
        // SAFETY: the caller vouches for the source; `append` copies.
        unsafe storage.append(
            Span<UInt8>(_unsafeStart: source.assumingMemoryBound(to: UInt8.self), count: count))
    }

    /// A string literal (§5.2): where its bytes are, and whether they are encoded.
    @inline(__always)
    private func readString(
        _ block: Span<UInt8>, _ position: inout Int
    ) throws(HPACKError) -> (range: Range<Int>, isEncoded: Bool) {
        guard position < block.count else { throw .truncated }
        let first = block[position]
        position &+= 1
        let count = try HPACKInteger.read(block, first, mask: 0x7F, &position)
        guard count <= block.count &- position else { throw .truncated }
        let start = position
        position &+= count
        return (start..<position, first >= 0x80)
    }

    @inline(__always)
    private func appendString(
        _ block: Span<UInt8>, _ position: inout Int, into storage: Buffer
    ) throws(HPACKError) {
        let (range, isEncoded) = try readString(block, &position)
        guard isEncoded else { return storage.append(block.extracting(range)) }
        storage.reserve(HPACKHuffman.decodedRoom(range.count))
        // SAFETY: the storage has the room that the decoder may need.
        let count = unsafe storage.write { room in
            unsafe max(0, huffman.decode(block, range, to: room.baseAddress.unsafelyUnwrapped))
        }
        // Only an empty string decodes to nothing.
        if count == 0, range.count > 0 { throw .huffmanInvalid }
    }

    // MARK: Skipping

    /// Lengths are found first and bytes decoded only into the table, if they go there: a string that does not is never
    /// written anywhere, however long it is.
    private func skipLiteral(
        _ representation: Representation, _ block: Span<UInt8>, _ position: inout Int
    ) throws(HPACKError) -> Int {
        var named: HPACKEntry?
        var nameString: (range: Range<Int>, isEncoded: Bool) = (0..<0, false)
        let nameCount: Int
        if representation.index > 0 {
            // SAFETY: the line is looked for again when it is copied.
            let entry = try unsafe find(representation.index).entry
            named = entry
            nameCount = Int(entry.nameCount)
        } else {
            nameString = try readString(block, &position)
            nameCount = try count(nameString, block)
        }
        let valueString = try readString(block, &position)
        let valueCount = try count(valueString, block)
        var entry = HPACKEntry(
            nameCount: nameCount, valueCount: valueCount, name: named?.name ?? .other, pseudo: named?.pseudo ?? .none)
        guard representation.isInserted, let line = unsafe table.insert(entry) else { return entry.size }
        // SAFETY: the table made room for the line and for what decoding writes behind it. The name's entry may have
        // been evicted just now, but its line is still there.
        if let named {
            let isStatic = representation.index <= HPACKStaticTable.count
            let source = unsafe isStatic ? statics.line(of: named) : table.line(of: named)
            unsafe line.copyMemory(from: source, byteCount: nameCount)
        } else {
            unsafe write(nameString, block, to: line)
            let name = unsafe Span<UInt8>(
                _unsafeStart: UnsafePointer(line.assumingMemoryBound(to: UInt8.self)), count: nameCount)
            let (known, pseudo) = recognise(name)
            entry = HPACKEntry(nameCount: nameCount, valueCount: valueCount, name: known, pseudo: pseudo)
            table.setNewest(known, pseudo)
        }
        unsafe line.storeBytes(of: ASCII.colon, toByteOffset: nameCount, as: UInt8.self)
        unsafe line.storeBytes(of: ASCII.space, toByteOffset: nameCount &+ 1, as: UInt8.self)
        unsafe write(valueString, block, to: line.advanced(by: entry.valueOffset))
        unsafe line.storeBytes(of: ASCII.carriageReturn, toByteOffset: entry.lineCount &- 2, as: UInt8.self)
        unsafe line.storeBytes(of: ASCII.lineFeed, toByteOffset: entry.lineCount &- 1, as: UInt8.self)
        return entry.size
    }

    /// How many bytes a string literal stands for.
    private func count(
        _ string: (range: Range<Int>, isEncoded: Bool), _ block: Span<UInt8>
    ) throws(HPACKError) -> Int {
        guard string.isEncoded else { return string.range.count }
        let count = huffman.decodedCount(block, string.range)
        guard count >= 0 else { throw .huffmanInvalid }
        return count
    }

    /// Writes the bytes that a string literal stands for; it is known to be a right one.
    @unsafe
    private func write(
        _ string: (range: Range<Int>, isEncoded: Bool), _ block: Span<UInt8>, to address: UnsafeMutableRawPointer
    ) {
        // SAFETY: the caller has room for the bytes, as `count` told, and for one more.
        guard string.isEncoded else {
            return unsafe block.extracting(string.range).withUnsafeBytes { source in
                guard let start = source.baseAddress else { return }
                unsafe address.copyMemory(from: start, byteCount: source.count)
            }
        }
        _ = unsafe huffman.decode(block, string.range, to: address)
    }
}
