/// A contiguous run of bytes with a reading and a writing end.
///
/// Leased from its worker's `BufferPool` and held only while there are bytes in it; one owner at a time, on one thread.
/// `readable` borrows the buffer: copy out, or keep offsets, before the next mutation.
///
///     |  consumed  |  readable  |  writable  |
///     0        readerIndex  writerIndex   capacity
@safe
package final class Buffer {
    private var base: UnsafeMutableRawPointer
    package private(set) var capacity: Int
    package private(set) var readerIndex = 0
    package private(set) var writerIndex = 0

    /// A buffer of `capacity` bytes, at least one, uninitialised.
    package init(capacity: Int) {
        precondition(capacity > 0)
        unsafe base = .allocate(byteCount: capacity, alignment: 64)
        self.capacity = capacity
    }

    deinit { unsafe base.deallocate() }

    @inline(__always) package var readableCount: Int { writerIndex - readerIndex }
    @inline(__always) package var writableCount: Int { capacity - writerIndex }
    @inline(__always) package var isEmpty: Bool { readerIndex == writerIndex }

    /// The bytes between the two ends.
    @inline(__always)
    package var readable: Span<UInt8> {
        @_lifetime(borrow self) get { bytes(readerIndex..<writerIndex) }
    }

    /// Written bytes by their position from the start of the buffer, consumed ones included.
    @inline(__always)
    @_lifetime(borrow self)
    package func bytes(_ range: Range<Int>) -> Span<UInt8> {
        precondition(range.lowerBound >= 0 && range.upperBound <= writerIndex, "range outside the written bytes")
        // SAFETY: the range lies within the allocation and was written; the span is bound to the borrow of self.
        return unsafe _overrideLifetime(
            Span(
                _unsafeStart: UnsafePointer(base.advanced(by: range.lowerBound).assumingMemoryBound(to: UInt8.self)),
                count: range.count),
            borrowing: self)
    }

    /// Drops `count` bytes from the reading end; an empty buffer starts over at zero.
    @inline(__always)
    package func consume(_ count: Int) {
        precondition(count >= 0 && count <= readableCount, "consumed more than is readable")
        readerIndex += count
        if readerIndex == writerIndex { clear() }
    }

    @inline(__always)
    package func clear() {
        readerIndex = 0
        writerIndex = 0
    }

    /// Drops bytes from the writing end until `count` are readable.
    package func truncate(to count: Int) {
        precondition(count >= 0 && count <= readableCount)
        writerIndex = readerIndex + count
    }

    /// Moves the readable bytes to the front, so that all free space is writable.
    package func compact() {
        guard readerIndex > 0 else { return }
        // SAFETY: both ranges lie within the allocation; memmove allows them to overlap.
        unsafe base.copyMemory(from: base.advanced(by: readerIndex), byteCount: readableCount)
        writerIndex -= readerIndex
        readerIndex = 0
    }

    /// Moves `count` readable bytes at `source` to `destination`, both counted from the reading end; ranges may overlap.
    package func move(_ count: Int, from source: Int, to destination: Int) {
        precondition(count >= 0 && source >= 0 && destination >= 0)
        precondition(source + count <= readableCount && destination + count <= readableCount)
        // SAFETY: both ranges lie within the readable bytes; memmove allows them to overlap.
        unsafe base.advanced(by: readerIndex + destination)
            .copyMemory(from: base.advanced(by: readerIndex + source), byteCount: count)
    }

    /// Makes room for `count` more bytes: by compacting when that is enough, otherwise by growing to the next power of two.
    @inline(__always)
    package func reserve(_ count: Int) {
        if writableCount < count { makeRoom(count) }
    }

    private func makeRoom(_ count: Int) {
        if readerIndex + writableCount >= count { return compact() }
        let needed = readableCount + count
        let grown = 1 << (Int.bitWidth - (needed - 1).leadingZeroBitCount)
        let moved = readableCount
        unsafe replaceStorage(by: .allocate(byteCount: grown, alignment: 64), capacity: grown, keeping: moved)
    }

    private func replaceStorage(by storage: UnsafeMutableRawPointer, capacity: Int, keeping count: Int) {
        // SAFETY: the new allocation is larger than the readable bytes, and disjoint from the old one.
        unsafe storage.copyMemory(from: base.advanced(by: readerIndex), byteCount: count)
        unsafe base.deallocate()
        unsafe base = storage
        self.capacity = capacity
        readerIndex = 0
        writerIndex = count
    }

    // MARK: Appending

    @inline(__always)
    package func append(_ byte: UInt8) {
        reserve(1)
        // SAFETY: reserve made room for one byte at writerIndex.
        unsafe base.storeBytes(of: byte, toByteOffset: writerIndex, as: UInt8.self)
        writerIndex += 1
    }

    @inline(__always)
    package func append(_ bytes: Span<UInt8>) {
        let count = bytes.count
        guard count > 0 else { return }
        reserve(count)
        // SAFETY: reserve made room for count bytes; the source span is alive for the call and cannot be the free space.
        unsafe bytes.withUnsafeBufferPointer { source in
            unsafe base.advanced(by: writerIndex).copyMemory(from: source.baseAddress!, byteCount: count)
        }
        writerIndex += count
    }

    @inline(__always)
    package func append(_ text: StaticString) { append(text.bytes) }

    /// Appends the text's UTF-8.
    package func append(_ text: String) {
        var text = text
        text.withUTF8 { utf8 in
            // SAFETY: the pointer is valid within the closure, and append copies.
            unsafe append(Span(_unsafeElements: utf8))
        }
    }

    /// Appends a decimal number without leading zeros.
    @inline(__always)
    package func append(decimal value: UInt64) {
        if value < 10 { return append(ASCII.zero + UInt8(truncatingIfNeeded: value)) }
        var digits = 1
        var power: UInt64 = 10
        while digits < 20, value >= power {
            digits += 1
            let (next, overflow) = power.multipliedReportingOverflow(by: 10)
            if overflow { break }
            power = next
        }
        appendDigits(of: value, count: digits)
    }

    /// Appends the lowest `count` decimal digits of `value`, zero-padded.
    package func appendDigits(of value: UInt64, count: Int) {
        reserve(count)
        var rest = value
        var position = writerIndex + count
        while position > writerIndex {
            position -= 1
            // SAFETY: reserve made room for count bytes from writerIndex on.
            unsafe base.storeBytes(
                of: ASCII.zero + UInt8(truncatingIfNeeded: rest % 10), toByteOffset: position, as: UInt8.self)
            rest /= 10
        }
        writerIndex += count
    }

    /// Appends a lower-case hexadecimal number: `digits` of them, or as few as it takes.
    package func append(hex value: UInt64, digits: Int? = nil) {
        let count = digits ?? max(1, (64 - value.leadingZeroBitCount + 3) / 4)
        for position in stride(from: count - 1, through: 0, by: -1) {
            let nibble = UInt8(truncatingIfNeeded: value >> UInt64(position * 4)) & 15
            append(nibble < 10 ? ASCII.zero + nibble : 0x57 + nibble)
        }
    }

    // MARK: The kernel's and C's way in and out

    /// Lets `body` write into the free space; it returns how many bytes it wrote, at most the space given.
    @inline(__always)
    @unsafe
    package func write<Failure: Error>(
        _ body: (UnsafeMutableRawBufferPointer) throws(Failure) -> Int
    ) throws(Failure) -> Int {
        // SAFETY: the pointer covers the free space of the allocation and does not outlive the call.
        let written = try unsafe body(
            UnsafeMutableRawBufferPointer(start: base.advanced(by: writerIndex), count: writableCount))
        precondition(written >= 0 && written <= writableCount, "wrote more than the free space")
        writerIndex += written
        return written
    }

    /// The address of the written byte at `index`, counted from the start of the buffer. Valid until the next mutation.
    @inline(__always)
    @unsafe
    package func address(of index: Int) -> UnsafeMutableRawPointer {
        precondition(index >= 0 && index <= writerIndex)
        return unsafe base.advanced(by: index)
    }
}
