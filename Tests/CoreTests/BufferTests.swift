import Testing

@testable import Core

@Suite struct BufferTests {
    private func buffer(_ text: String, capacity: Int = 16) -> Buffer {
        let buffer = Buffer(capacity: capacity)
        buffer.append(text)
        return buffer
    }

    @Test func whatIsAppendedIsReadInOrder() {
        let buffer = Buffer(capacity: 4)
        buffer.append(0x61)
        buffer.append(0x62, 0x63)
        buffer.append("def" as StaticString)
        buffer.append("ghi")
        buffer.append(("jk" as StaticString).bytes)
        buffer.appendLineEnd()
        #expect(buffer.readable.text == "abcdefghijk\r\n")
        #expect(buffer.readableCount == 13)
    }

    @Test func anEmptiedBufferStartsOver() {
        let consumed = buffer("abc")
        consumed.consume(2)
        #expect(consumed.readerIndex == 2 && consumed.readable.text == "c")
        consumed.consume(1)
        #expect(consumed.readerIndex == 0 && consumed.writerIndex == 0 && consumed.isEmpty)
        let truncated = buffer("abc")
        truncated.consume(1)
        truncated.truncate(to: 1)
        #expect(truncated.readable.text == "b")
        truncated.truncate(to: 0)
        #expect(truncated.readerIndex == 0 && truncated.writerIndex == 0)
    }

    @Test func roomIsMadeByCompactingWhileThatIsEnough() {
        let buffer = buffer("0123456789abcdef")
        buffer.consume(10)
        buffer.append("ghijklmnop")
        #expect(buffer.capacity == 16)
        #expect(buffer.readable.text == "abcdefghijklmnop")
        buffer.append("q")
        #expect(buffer.capacity == 32)
        #expect(buffer.readable.text == "abcdefghijklmnopq")
    }

    @Test func growingKeepsTheReadableBytesOnly() {
        let buffer = buffer("0123456789abcdef")
        buffer.consume(4)
        buffer.reserve(20)
        #expect(buffer.capacity == 32 && buffer.readerIndex == 0)
        #expect(buffer.readable.text == "456789abcdef")
        #expect(buffer.writableCount == 20)
    }

    @Test func movedBytesMayOverlap() {
        let buffer = buffer("..abcdef")
        buffer.move(6, from: 2, to: 0)
        #expect(buffer.readable.text == "abcdefef")
        buffer.move(4, from: 0, to: 1)
        #expect(buffer.readable.text == "aabcdfef")
        buffer.move(0, from: 8, to: 0)
    }

    @Test func bytesAreFoundByTheirPositionConsumedOnesIncluded() {
        let buffer = buffer("abcdef")
        buffer.consume(3)
        #expect(buffer.bytes(1..<5).text == "bcde")
        #expect(buffer.bytes(6..<6).count == 0)
    }

    @Test func prependingUsesConsumedSpaceOrMakesSome() {
        let roomy = buffer("xxxxabc")
        roomy.consume(4)
        roomy.prepend(("123" as StaticString).bytes)
        #expect(roomy.readable.text == "123abc" && roomy.readerIndex == 1)
        roomy.prepend(("45" as StaticString).bytes)
        #expect(roomy.readable.text == "45123abc" && roomy.capacity == 16)
        roomy.prepend(("0123456789" as StaticString).bytes)
        #expect(roomy.readable.text == "012345678945123abc" && roomy.capacity == 32)
        roomy.prepend(("" as StaticString).bytes)
        #expect(roomy.readableCount == 18)
    }

    @Test(arguments: [0, 9, 10, 99, 100, 12_345, UInt64.max / 10, UInt64.max - 1, UInt64.max])
    func numbersAreWrittenAsSwiftWritesThem(_ value: UInt64) {
        let decimal = Buffer(capacity: 1)
        decimal.append(decimal: value)
        #expect(decimal.readable.text == "\(value)")
        let hex = Buffer(capacity: 1)
        hex.append(hex: value)
        #expect(hex.readable.text == String(value, radix: 16))
    }

    @Test func digitsAreCutAndPaddedToTheirCount() {
        let buffer = Buffer(capacity: 1)
        buffer.appendDigits(of: 42, count: 4)
        buffer.appendDigits(of: 123, count: 2)
        buffer.append(hex: 0xAB, digits: 4)
        buffer.append(hex: 0xABC, digits: 2)
        #expect(buffer.readable.text == "00422300abbc")
    }

    @Test func whatCWritesIsReadable() {
        let buffer = buffer("ab")
        // SAFETY: two bytes of the free space, which is larger, are written.
        let written = unsafe buffer.write { space in
            unsafe space.copyBytes(from: [0x63, 0x64])
            return 2
        }
        #expect(written == 2)
        #expect(buffer.readable.text == "abcd")
        // SAFETY: the byte was written and nothing changes the buffer meanwhile.
        #expect(unsafe buffer.address(of: 3).load(as: UInt8.self) == 0x64)
    }
}

@Suite struct BufferPoolTests {
    @Test func aBufferHoldsStorageOnlyWhileItIsLentSome() {
        let pool = BufferPool(idleMax: 1)
        let buffer = Buffer()
        #expect(!buffer.hasStorage && buffer.isEmpty && buffer.writableCount == 0)
        pool.lend(to: buffer)
        buffer.append("abc")
        #expect(pool.lent == 1 && buffer.readable.text == "abc" && buffer.capacity == BufferPool.bufferBytes)
        pool.reclaim(from: buffer)
        #expect(pool.lent == 0 && pool.idleCount == 1 && !buffer.hasStorage && buffer.isEmpty)
    }

    @Test func storageThatGrewOrIsTooMuchIsNotKept() {
        let pool = BufferPool(idleMax: 1)
        let (first, second, grown) = (Buffer(), Buffer(), Buffer())
        for buffer in [first, second, grown] { pool.lend(to: buffer) }
        grown.reserve(BufferPool.bufferBytes + 1)
        pool.reclaim(from: grown)
        #expect(pool.idleCount == 0)
        pool.reclaim(from: first)
        pool.reclaim(from: second)
        #expect(pool.idleCount == 1 && pool.lent == 0)
    }

    @Test func aBufferThatNobodyLentStorageGrowsByItself() {
        let buffer = Buffer()
        buffer.append("one")
        buffer.append(" two")
        #expect(buffer.readable.text == "one two")
    }

    @Test func hexadecimalNumbersAreWrittenWholeOrCut() {
        let buffer = Buffer()
        buffer.append(hex: 0)
        buffer.append(hex: 0x1F)
        buffer.append(hex: 0xDEAD_BEEF_0123_4567, digits: 16)
        buffer.append(hex: 0xABCD, digits: 2)
        buffer.append(hex: 9, digits: 4)
        #expect(buffer.readable.text == "01fdeadbeef01234567cd0009")
    }
}
