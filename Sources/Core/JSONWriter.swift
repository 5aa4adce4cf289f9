/// Writes one JSON text (RFC 8259) into a buffer, without a space and without building anything first.
///
/// A value on the stack of whoever writes; allocates nothing. It places the commas; that keys and values alternate and
/// that what is opened is closed is the caller's part.
package struct JSONWriter {
    package let output: Buffer
    private var needsComma = false

    package init(into output: Buffer) { self.output = output }

    package mutating func beginObject() { open(0x7B) }
    package mutating func endObject() { close(0x7D) }
    package mutating func beginArray() { open(0x5B) }
    package mutating func endArray() { close(0x5D) }

    /// Begins a member; its value follows. `name` needs no escaping.
    package mutating func key(_ name: StaticString) {
        separate()
        output.append(0x22)
        output.append(name)
        output.append(0x22)
        output.append(ASCII.colon)
        needsComma = false
    }

    /// Begins a member of any name.
    package mutating func key(_ name: String) {
        separate()
        appendString(name)
        output.append(ASCII.colon)
        needsComma = false
    }

    /// A string of any bytes; those that are no UTF-8 become U+FFFD.
    package mutating func value(_ bytes: Span<UInt8>) {
        separate()
        output.append(0x22)
        output.append(jsonEscaped: bytes)
        output.append(0x22)
    }

    package mutating func value(_ text: StaticString) { value(text.bytes) }

    package mutating func value(_ text: String) {
        separate()
        appendString(text)
    }

    package mutating func value(_ number: UInt64) {
        separate()
        output.append(decimal: number)
    }

    package mutating func value(_ number: Int) {
        separate()
        if number < 0 { output.append(0x2D) }
        output.append(decimal: UInt64(number.magnitude))
    }

    package mutating func value(_ flag: Bool) {
        separate()
        output.append(flag ? "true" : "false")
    }

    package mutating func null() {
        separate()
        output.append("null")
    }

    /// A string that `write` appends; it must need no escaping.
    package mutating func value(unescaped write: (Buffer) -> Void) {
        separate()
        output.append(0x22)
        write(output)
        output.append(0x22)
    }

    /// A duration in milliseconds, to the microsecond.
    package mutating func value(millisecondsOf nanoseconds: UInt64) {
        separate()
        output.append(millisecondsOf: nanoseconds)
    }

    // MARK: Members

    package mutating func member(_ name: StaticString, _ bytes: Span<UInt8>) {
        key(name)
        value(bytes)
    }

    package mutating func member(_ name: StaticString, _ text: StaticString) {
        key(name)
        value(text)
    }

    package mutating func member(_ name: StaticString, _ text: String) {
        key(name)
        value(text)
    }

    package mutating func member(_ name: StaticString, _ number: UInt64) {
        key(name)
        value(number)
    }

    package mutating func member(_ name: StaticString, _ number: Int) {
        key(name)
        value(number)
    }

    package mutating func member(_ name: StaticString, _ flag: Bool) {
        key(name)
        value(flag)
    }

    // MARK: Parts

    private mutating func open(_ bracket: UInt8) {
        separate()
        output.append(bracket)
        needsComma = false
    }

    private mutating func close(_ bracket: UInt8) {
        output.append(bracket)
        needsComma = true
    }

    @inline(__always)
    private mutating func separate() {
        if needsComma { output.append(ASCII.comma) }
        needsComma = true
    }

    private func appendString(_ text: String) {
        output.append(0x22)
        var text = text
        text.withUTF8 { utf8 in
            // SAFETY: the pointer is valid within the closure, and append copies.
            unsafe output.append(jsonEscaped: Span(_unsafeElements: utf8))
        }
        output.append(0x22)
    }
}

extension Buffer {
    /// Appends what stands between the quotes of a JSON string (RFC 8259 §7): quote, backslash and control characters
    /// escaped, UTF-8 as it is, and U+FFFD for every byte that is not part of UTF-8.
    ///
    /// Clean runs are found eight bytes at a time and copied whole.
    package func append(jsonEscaped bytes: Span<UInt8>) {
        var copied = 0
        var position = 0
        while true {
            position = bytes.endOfPlainRun(from: position)
            guard position < bytes.count else { break }
            let byte = bytes[position]
            if byte >= 0x80 {
                let length = bytes.utf8SequenceLength(at: position)
                if length > 0 {
                    position += length
                    continue
                }
            }
            if position > copied { append(bytes.extracting(copied..<position)) }
            append(escapeOf: byte)
            position += 1
            copied = position
        }
        if position > copied { append(bytes.extracting(copied..<position)) }
    }

    /// Appends a duration in milliseconds with three decimals.
    @inline(__always)
    package func append(millisecondsOf nanoseconds: UInt64) {
        let microseconds = nanoseconds / 1000
        append(decimal: microseconds / 1000)
        append(0x2E)
        appendDigits(of: microseconds % 1000, count: 3)
    }

    private func append(escapeOf byte: UInt8) {
        switch byte {
        case 0x22: append("\\\"")
        case 0x5C: append("\\\\")
        case 0x08: append("\\b")
        case ASCII.tab: append("\\t")
        case ASCII.lineFeed: append("\\n")
        case 0x0C: append("\\f")
        case ASCII.carriageReturn: append("\\r")
        case 0x80...: append("\\ufffd")
        default:
            append("\\u00")
            append(hex: UInt64(byte), digits: 2)
        }
    }
}

extension Span<UInt8> {
    /// The first position from `start` on whose byte a JSON string cannot hold as it is, or that begins no ASCII.
    @inline(__always)
    fileprivate func endOfPlainRun(from start: Int) -> Int {
        let ones: UInt64 = 0x0101_0101_0101_0101
        let highs: UInt64 = 0x8080_8080_8080_8080
        var position = start
        while position + 8 <= count {
            // SAFETY: the eight bytes are within the span, and any bits are an integer.
            let word = UInt64(littleEndian: unsafe bytes.unsafeLoadUnaligned(fromByteOffset: position, as: UInt64.self))
            // A byte that is zero, or less than 0x20, borrows into its high bit. A borrow can carry on into the next
            // byte, so a high bit may be set too many above one that is rightly set: the lowest one is always right.
            let quote = word ^ ones &* 0x22
            let backslash = word ^ ones &* 0x5C
            let marks = ((word &- ones &* 0x20) | (quote &- ones) | (backslash &- ones) | word) & highs
            guard marks != 0 else {
                position += 8
                continue
            }
            return position + marks.trailingZeroBitCount / 8
        }
        while position < count {
            let byte = self[position]
            if byte < 0x20 || byte == 0x22 || byte == 0x5C || byte >= 0x80 { break }
            position += 1
        }
        return position
    }

    /// How long the well-formed UTF-8 sequence (Unicode 15 table 3-7) at `start` is, 0 when there is none.
    fileprivate func utf8SequenceLength(at start: Int) -> Int {
        func continues(_ offset: Int, _ low: UInt8 = 0x80, _ high: UInt8 = 0xBF) -> Bool {
            start + offset < count && self[start + offset] >= low && self[start + offset] <= high
        }
        switch self[start] {
        case 0x00...0x7F: return 1
        case 0xC2...0xDF: return continues(1) ? 2 : 0
        case 0xE0: return continues(1, 0xA0) && continues(2) ? 3 : 0
        case 0xED: return continues(1, 0x80, 0x9F) && continues(2) ? 3 : 0
        case 0xE1...0xEF: return continues(1) && continues(2) ? 3 : 0
        case 0xF0: return continues(1, 0x90) && continues(2) && continues(3) ? 4 : 0
        case 0xF1...0xF3: return continues(1) && continues(2) && continues(3) ? 4 : 0
        case 0xF4: return continues(1, 0x80, 0x8F) && continues(2) && continues(3) ? 4 : 0
        default: return 0
        }
    }
}
