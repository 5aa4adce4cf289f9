/// A contiguous run of bytes with a reading and a writing end.
///
/// Leased from its worker's `BufferPool` and held only while there are bytes in it; one owner at a time, on one thread.
/// `readable` borrows the buffer: copy out, or keep offsets, before the next mutation.
///
///     |  consumed  |  readable  |  writable  |
///     0        readerIndex  writerIndex   capacity
@safe @usableFromInline
package final class Buffer {
    // SAFETY: of the unchecked exclusivity of these four, here and below: a buffer has one owner on one thread, and no
    // method holds an access to one of them while foreign code runs. Checked, they would cost two runtime calls for
    // every byte appended. The two ends are always within the allocation, which only `replaceStorage` changes.
    @exclusivity(unchecked) @usableFromInline var base: UnsafeMutableRawPointer
    @exclusivity(unchecked) @usableFromInline var size: Int
    @exclusivity(unchecked) @usableFromInline var reader = 0
    @exclusivity(unchecked) @usableFromInline var writer = 0

    /// A buffer of `capacity` bytes, at least one, uninitialised.
    package init(capacity: Int) {
        precondition(capacity > 0)
        unsafe base = .allocate(byteCount: capacity, alignment: 64)
        unsafe size = capacity
    }

    /// A buffer without storage, which a `BufferPool` lends it while it holds bytes. Anything written to it before makes
    /// it grow by itself.
    package init() {
        unsafe base = Self.noStorage
        unsafe size = 0
    }

    deinit {
        if hasStorage { unsafe base.deallocate() }
    }

    // SAFETY: never dereferenced: every access is checked against a capacity of zero first.
    private static var noStorage: UnsafeMutableRawPointer {
        unsafe UnsafeMutableRawPointer(bitPattern: 64).unsafelyUnwrapped
    }

    @inlinable @inline(__always) package var hasStorage: Bool { unsafe size > 0 }

    /// Takes storage of a pool's. Only for a buffer without.
    @unsafe
    func attach(_ storage: UnsafeMutableRawPointer, capacity: Int) {
        precondition(!hasStorage)
        unsafe base = storage
        unsafe size = capacity
        clear()
    }

    /// Gives the storage up, with whatever is in it.
    @unsafe
    func detach() -> UnsafeMutableRawPointer {
        precondition(hasStorage)
        defer {
            unsafe base = Self.noStorage
            unsafe size = 0
            clear()
        }
        return unsafe base
    }

    @inlinable @inline(__always) package var capacity: Int { unsafe size }
    @inlinable @inline(__always) package var readerIndex: Int { unsafe reader }
    @inlinable @inline(__always) package var writerIndex: Int { unsafe writer }
    @inlinable @inline(__always) package var readableCount: Int { unsafe writer &- reader }
    @inlinable @inline(__always) package var writableCount: Int { unsafe size &- writer }
    @inlinable @inline(__always) package var isEmpty: Bool { unsafe reader == writer }

    /// The bytes between the two ends.
    @inlinable @inline(__always)
    package var readable: Span<UInt8> {
        @_lifetime(borrow self) get {
            // SAFETY: the ends lie within the allocation and all between them was written; bound to the borrow of self.
            unsafe _overrideLifetime(
                Span(
                    _unsafeStart: UnsafePointer(base.advanced(by: reader).assumingMemoryBound(to: UInt8.self)),
                    count: readableCount),
                borrowing: self)
        }
    }

    /// Written bytes by their position from the start of the buffer, consumed ones included.
    @inlinable @inline(__always)
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
    @inlinable @inline(__always)
    package func consume(_ count: Int) {
        precondition(count >= 0 && count <= readableCount, "consumed more than is readable")
        unsafe reader &+= count
        if isEmpty { clear() }
    }

    @inlinable @inline(__always)
    package func clear() {
        unsafe reader = 0
        unsafe writer = 0
    }

    /// Drops bytes from the writing end until `count` are readable; an empty buffer starts over at zero.
    @inlinable @inline(__always)
    package func truncate(to count: Int) {
        precondition(count >= 0 && count <= readableCount)
        unsafe writer = reader &+ count
        if count == 0 { clear() }
    }

    /// Moves the readable bytes to the front, so that all free space is writable.
    package func compact() {
        guard readerIndex > 0 else { return }
        // SAFETY: both ranges lie within the allocation; memmove allows them to overlap.
        unsafe base.copyMemory(from: base.advanced(by: reader), byteCount: readableCount)
        unsafe writer -= reader
        unsafe reader = 0
    }

    /// Moves `count` readable bytes at `source` to `destination`, both counted from the reading end; ranges may
    /// overlap.
    package func move(_ count: Int, from source: Int, to destination: Int) {
        precondition(count >= 0 && source >= 0 && destination >= 0)
        precondition(count <= readableCount - source && count <= readableCount - destination)
        // SAFETY: both ranges lie within the readable bytes; memmove allows them to overlap.
        unsafe base.advanced(by: reader + destination)
            .copyMemory(from: base.advanced(by: reader + source), byteCount: count)
    }

    /// Makes room for `count` more bytes: by compacting when that is enough, otherwise by growing to the next power of
    /// two.
    @inlinable @inline(__always)
    package func reserve(_ count: Int) {
        if writableCount < count { makeRoom(count) }
    }

    @usableFromInline
    func makeRoom(_ count: Int) {
        if readerIndex + writableCount >= count { return compact() }
        let needed = readableCount + count
        let grown = max(hasStorage ? 1 : 64, 1 << (Int.bitWidth - (needed - 1).leadingZeroBitCount))
        unsafe replaceStorage(by: .allocate(byteCount: grown, alignment: 64), capacity: grown)
    }

    private func replaceStorage(by storage: UnsafeMutableRawPointer, capacity: Int) {
        let count = readableCount
        // SAFETY: the new allocation is larger than the readable bytes, and disjoint from the old one.
        if hasStorage {
            unsafe storage.copyMemory(from: base.advanced(by: reader), byteCount: count)
            unsafe base.deallocate()
        }
        unsafe base = storage
        unsafe size = capacity
        unsafe reader = 0
        unsafe writer = count
    }

    // MARK: Appending

    @inlinable @inline(__always)
    package func append(_ byte: UInt8) {
        reserve(1)
        // SAFETY: reserve made room for one byte at the writing end.
        unsafe base.storeBytes(of: byte, toByteOffset: writer, as: UInt8.self)
        unsafe writer &+= 1
    }

    /// Appends two bytes, `first` before `second`.
    @inlinable @inline(__always)
    package func append(_ first: UInt8, _ second: UInt8) {
        reserve(2)
        // SAFETY: reserve made room for two bytes at the writing end.
        unsafe base.storeBytes(
            of: (UInt16(first) | UInt16(second) &<< 8).littleEndian, toByteOffset: writer, as: UInt16.self)
        unsafe writer &+= 2
    }

    /// Ends a line, as the protocols here do.
    @inlinable @inline(__always)
    package func appendLineEnd() { append(ASCII.carriageReturn, ASCII.lineFeed) }

    @inlinable @inline(__always)
    package func append(_ bytes: Span<UInt8>) {
        let count = bytes.count
        guard count > 0 else { return }
        reserve(count)
        // SAFETY: reserve made room for count bytes; the source span is alive for the call and cannot be the free
        // space.
        unsafe bytes.withUnsafeBufferPointer { source in
            unsafe base.advanced(by: writer).copyMemory(from: source.baseAddress.unsafelyUnwrapped, byteCount: count)
        }
        unsafe writer &+= count
    }

    @inlinable @inline(__always)
    package func append(_ text: StaticString) { append(text.bytes) }

    /// Appends the text's UTF-8. Disfavoured, so that literals are static strings, which cost no more than their bytes.
    @_disfavoredOverload
    package func append(_ text: String) {
        var text = text
        text.withUTF8 { utf8 in
            // SAFETY: the pointer is valid within the closure, and append copies.
            unsafe append(Span(_unsafeElements: utf8))
        }
    }

    /// Puts `bytes` in front of the readable ones: into the consumed space if it is large enough, else by moving
    /// everything.
    package func prepend(_ bytes: Span<UInt8>) {
        let count = bytes.count
        guard count > 0 else { return }
        if readerIndex < count {
            let shift = count - readerIndex
            reserve(shift)
            // Reserving may have compacted or grown, and so have moved the reading end to zero.
            let missing = count - readerIndex
            reserve(missing)
            // SAFETY: there is room for the readable bytes moved up by `missing`; memmove allows the overlap.
            unsafe base.advanced(by: reader + missing).copyMemory(
                from: base.advanced(by: reader), byteCount: readableCount)
            unsafe reader += missing
            unsafe writer += missing
        }
        // SAFETY: the `count` bytes before the reading end are consumed space; the source is alive for the call.
        unsafe bytes.withUnsafeBufferPointer { source in
            unsafe base.advanced(by: reader - count)
                .copyMemory(from: source.baseAddress.unsafelyUnwrapped, byteCount: count)
        }
        unsafe reader -= count
    }

    /// Appends a decimal number without leading zeros.
    @inlinable @inline(__always)
    package func append(decimal value: UInt64) {
        if value < 10 { return append(ASCII.zero &+ UInt8(truncatingIfNeeded: value)) }
        appendDigits(of: value, count: Self.decimalDigits(of: value))
    }

    /// How many digits `value` has in decimal.
    @usableFromInline
    static func decimalDigits(of value: UInt64) -> Int {
        var digits = 1
        var power: UInt64 = 10
        while value >= power {
            digits += 1
            let (next, overflow) = power.multipliedReportingOverflow(by: 10)
            if overflow { break }
            power = next
        }
        return digits
    }

    /// Appends the lowest `count` decimal digits of `value`, zero-padded.
    @usableFromInline
    package func appendDigits(of value: UInt64, count: Int) {
        precondition(count >= 0)
        reserve(count)
        var rest = value
        var position = writerIndex + count
        while position > writerIndex {
            position -= 1
            // SAFETY: reserve made room for count bytes from the writing end on.
            unsafe base.storeBytes(
                of: ASCII.zero + UInt8(truncatingIfNeeded: rest % 10), toByteOffset: position, as: UInt8.self)
            rest /= 10
        }
        unsafe writer += count
    }

    /// Appends a lower-case hexadecimal number: the lowest `digits` of it, at most 16, or as few as it takes.
    package func append(hex value: UInt64, digits: Int? = nil) {
        let count = digits ?? max(1, (64 - value.leadingZeroBitCount + 3) / 4)
        precondition(count <= 16)
        reserve(16)
        // Both halves are spelled out, most significant digit first; of the sixteen the last `count` are wanted.
        let high = Self.hexDigits(UInt32(truncatingIfNeeded: value >> 32))
        let low = Self.hexDigits(UInt32(truncatingIfNeeded: value))
        // SAFETY: reserve made room for sixteen bytes; the unwanted ones in front are moved over.
        unsafe base.storeBytes(of: high, toByteOffset: writer, as: UInt64.self)
        unsafe base.storeBytes(of: low, toByteOffset: writer + 8, as: UInt64.self)
        if count < 16 {
            unsafe base.advanced(by: writer).copyMemory(from: base.advanced(by: writer + 16 - count), byteCount: count)
        }
        unsafe writer &+= count
    }

    /// The eight digits of `value` as they stand in memory: the nibbles are spread over eight bytes, those from ten on moved
    /// on to the letters, and the most significant brought to the front.
    private static func hexDigits(_ value: UInt32) -> UInt64 {
        var spread = UInt64(value)
        spread = (spread | spread &<< 16) & 0x0000_FFFF_0000_FFFF
        spread = (spread | spread &<< 8) & 0x00FF_00FF_00FF_00FF
        spread = (spread | spread &<< 4) & 0x0F0F_0F0F_0F0F_0F0F
        let letters = ((spread &+ 0x0606_0606_0606_0606) &>> 4) & 0x0101_0101_0101_0101
        return (spread &+ 0x3030_3030_3030_3030 &+ letters &* 0x27).bigEndian
    }

    // MARK: The kernel's and C's way in and out

    /// Lets `body` write into the free space; it returns how many bytes it wrote, at most the space given.
    @inlinable @inline(__always)
    @unsafe
    package func write<Failure: Error>(
        _ body: (UnsafeMutableRawBufferPointer) throws(Failure) -> Int
    ) throws(Failure) -> Int {
        // SAFETY: the pointer covers the free space of the allocation and does not outlive the call.
        let written = try unsafe body(
            UnsafeMutableRawBufferPointer(start: base.advanced(by: writer), count: writableCount))
        precondition(written >= 0 && written <= writableCount, "wrote more than the free space")
        unsafe writer &+= written
        return written
    }

    /// The address of the written byte at `index`, counted from the start of the buffer. Valid until the next mutation.
    @inlinable @inline(__always)
    @unsafe
    package func address(of index: Int) -> UnsafeMutableRawPointer {
        precondition(index >= 0 && index <= writerIndex)
        return unsafe base.advanced(by: index)
    }
}
