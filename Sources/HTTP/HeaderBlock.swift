package import Core

/// Where some bytes of a head stand in its block's storage.
package struct ByteRange: Equatable, Sendable, BitwiseCopyable {
    package var start: UInt32
    package var count: UInt32

    package static let empty = ByteRange(start: 0, count: 0)

    @inline(__always)
    package init(start: Int, count: Int) {
        self.start = UInt32(truncatingIfNeeded: start)
        self.count = UInt32(truncatingIfNeeded: count)
    }

    @inline(__always) package var isEmpty: Bool { count == 0 }
    @inline(__always) package var range: Range<Int> { Int(start)..<Int(start) + Int(count) }
}

/// The fields of one message: bytes in one storage, and a table of where each line stands.
///
/// Belongs to a `RequestHead` or `ResponseHead` and is reused with it, so a warm message allocates nothing. HTTP/1
/// copies the head into the storage once and records offsets; HTTP/2 appends line by line. Every field is a whole
/// HTTP/1 line there (`Name: value CRLF`), so that writing a block copies runs of untouched lines as they were sent:
/// case, order and duplicates included. Removing marks, replacing marks and appends.
package final class HeaderBlock {
    package struct Field: BitwiseCopyable {
        package let name: HeaderName
        package var isRemoved = false
        /// It came by HTTP/2 as a field that nobody may put into a compression table (RFC 7541 §6.2.3).
        package var isNeverIndexed = false
        package let nameStart: UInt32
        package let nameCount: UInt32
        package let valueStart: UInt32
        package let valueCount: UInt32
        /// One past the line's CRLF.
        package let lineEnd: UInt32
    }

    /// The fields in the order they were recorded, removed ones included. A view: it shows what the block holds when
    /// asked.
    package struct Fields: RandomAccessCollection {
        fileprivate let table: Table<Field>
        package var startIndex: Int { 0 }
        package var endIndex: Int { table.count }
        package subscript(index: Int) -> Field { table[index] }
    }

    /// The bytes of the whole head; the start line's as well, for HTTP/1.
    package let storage: Buffer
    private let table = Table<Field>(capacity: 32)
    /// Bit `HeaderName.rawValue` is set when such a field was ever recorded.
    private let recorded = Cell<UInt64>(0)

    /// What recognises the names of lines that are parsed into this block.
    let names = HeaderNameTable.shared

    package init(capacity: Int = 1024) {
        storage = Buffer(capacity: capacity)
    }

    package var fields: Fields { Fields(table: table) }

    /// Forgets everything; keeps the memory, unless a huge head made the table grow.
    package func removeAll() {
        storage.clear()
        table.removeAll(keepingAtMost: 512)
        recorded.value = 0
    }

    // MARK: Questions

    @inline(__always)
    @_lifetime(borrow self)
    package func bytes(_ range: ByteRange) -> Span<UInt8> { bytes(range.range) }

    @inline(__always)
    @_lifetime(borrow self)
    private func bytes(_ range: Range<Int>) -> Span<UInt8> {
        let storage = self.storage
        // SAFETY: the storage is a constant of this block, so it lives as long as the borrow.
        return unsafe _overrideLifetime(storage.bytes(range), borrowing: self)
    }

    @inline(__always)
    @_lifetime(borrow self)
    package func name(of field: Field) -> Span<UInt8> {
        bytes(Int(field.nameStart)..<Int(field.nameStart + field.nameCount))
    }

    /// The value without the whitespace around it.
    @inline(__always)
    @_lifetime(borrow self)
    package func value(of field: Field) -> Span<UInt8> {
        bytes(Int(field.valueStart)..<Int(field.valueStart + field.valueCount))
    }

    /// The first field of this name that is not removed.
    @inline(__always)
    package func first(_ name: HeaderName) -> Field? {
        guard mayContain(name) else { return nil }
        var index = 0
        while index < table.count {
            let field = table[index]
            if field.name == name, !field.isRemoved { return field }
            index &+= 1
        }
        return nil
    }

    /// The first field not removed whose name is `name` in any case; for names that `HeaderName` does not list.
    package func first(named name: Span<UInt8>) -> Field? {
        var index = 0
        while index < table.count {
            let field = table[index]
            if Int(field.nameCount) == name.count, !field.isRemoved, self.name(of: field).equalsIgnoringCase(name) {
                return field
            }
            index &+= 1
        }
        return nil
    }

    @inline(__always)
    package func contains(_ name: HeaderName) -> Bool { first(name) != nil }

    /// Whether such a field was ever recorded, removed since or not: false is certain, and costs one bit.
    @inline(__always)
    package func mayContain(_ name: HeaderName) -> Bool { recorded.value & (1 &<< UInt64(name.rawValue)) != 0 }

    /// Whether a field of any of the `names`, a bit for each `HeaderName.rawValue`, was ever recorded.
    @inline(__always)
    func mayContain(anyOf names: UInt64) -> Bool { recorded.value & names != 0 }

    // MARK: Changes

    /// Notes a line whose bytes already stand in the storage. Positions are from the storage's start.
    @inline(__always)
    package func record(
        _ name: HeaderName, nameStart: Int, nameCount: Int, valueStart: Int, valueCount: Int, lineEnd: Int,
        isNeverIndexed: Bool = false
    ) {
        table.append(
            Field(
                name: name, isNeverIndexed: isNeverIndexed, nameStart: UInt32(truncatingIfNeeded: nameStart),
                nameCount: UInt32(truncatingIfNeeded: nameCount), valueStart: UInt32(truncatingIfNeeded: valueStart),
                valueCount: UInt32(truncatingIfNeeded: valueCount), lineEnd: UInt32(truncatingIfNeeded: lineEnd)))
        recorded.value |= 1 &<< UInt64(name.rawValue)
    }

    /// Adds a field at the end. `name` and `value` must be valid and must not be spans of this block.
    package func append(_ name: Span<UInt8>, _ value: Span<UInt8>) {
        append(HeaderName(name), name) { $0.append(value) }
    }

    package func append(_ name: HeaderName, spelled: StaticString, _ value: Span<UInt8>) {
        append(name, spelled.bytes) { $0.append(value) }
    }

    /// Adds a field at the end whose value `write` appends to the storage. What it appends must be a valid field value.
    @inline(__always)
    package func append(_ name: HeaderName, _ spelling: Span<UInt8>, value write: (Buffer) -> Void) {
        let nameStart = storage.writerIndex
        storage.append(spelling)
        storage.append(ASCII.colon, ASCII.space)
        let valueStart = storage.writerIndex
        write(storage)
        let valueCount = storage.writerIndex - valueStart
        storage.appendLineEnd()
        record(
            name, nameStart: nameStart, nameCount: spelling.count, valueStart: valueStart, valueCount: valueCount,
            lineEnd: storage.writerIndex)
    }

    @inline(__always)
    package func remove(at index: Int) { table[index].isRemoved = true }

    /// Removes every field of this name.
    @inline(__always)
    package func remove(_ name: HeaderName) {
        guard mayContain(name) else { return }
        var index = 0
        while index < table.count {
            if table[index].name == name { table[index].isRemoved = true }
            index &+= 1
        }
    }

    /// Removes every field whose name is `name` in any case.
    package func remove(named name: Span<UInt8>) {
        var index = 0
        while index < table.count {
            let field = table[index]
            if Int(field.nameCount) == name.count, self.name(of: field).equalsIgnoringCase(name) {
                table[index].isRemoved = true
            }
            index &+= 1
        }
    }

    // MARK: Writing

    /// Appends the lines that are not removed, without the empty line after them.
    @inline(__always)
    package func write(into output: Buffer) { write(startLineCount: 0, into: output) }

    /// Appends the first `startLineCount` bytes of the storage and the lines that are not removed, in as few runs as
    /// possible.
    func write(startLineCount: Int, into output: Buffer) {
        var runStart = 0
        var runEnd = startLineCount
        var index = 0
        while index < table.count {
            let field = table[index]
            index &+= 1
            if field.isRemoved { continue }
            if Int(field.nameStart) != runEnd {
                if runEnd > runStart { output.append(bytes(runStart..<runEnd)) }
                runStart = Int(field.nameStart)
            }
            runEnd = Int(field.lineEnd)
        }
        if runEnd > runStart { output.append(bytes(runStart..<runEnd)) }
    }
}
