/// Facts about bytes that every protocol here shares. ASCII only, no locale.
package enum ASCII {
    package static let tab: UInt8 = 0x09
    package static let lineFeed: UInt8 = 0x0A
    package static let carriageReturn: UInt8 = 0x0D
    package static let space: UInt8 = 0x20
    package static let comma: UInt8 = 0x2C
    package static let colon: UInt8 = 0x3A
    package static let slash: UInt8 = 0x2F
    package static let zero: UInt8 = 0x30
    package static let questionMark: UInt8 = 0x3F
    package static let percent: UInt8 = 0x25

    /// `A`...`Z` become `a`...`z`; every other byte stays.
    @inline(__always)
    package static func lowercased(_ byte: UInt8) -> UInt8 { byte &- 0x41 < 26 ? byte | 0x20 : byte }

    /// The value of a decimal digit, or nil.
    @inline(__always)
    package static func digit(_ byte: UInt8) -> UInt8? {
        let value = byte &- zero
        return value < 10 ? value : nil
    }

    /// The value of a hexadecimal digit of either case, or nil.
    @inline(__always)
    package static func hexDigit(_ byte: UInt8) -> UInt8? {
        if let digit = digit(byte) { return digit }
        let letter = (byte | 0x20) &- 0x61
        return letter < 6 ? letter + 10 : nil
    }

    /// Whether `byte` may stand in a token: a method or a field name (RFC 9110 §5.6.2).
    @inline(__always)
    package static func isToken(_ byte: UInt8) -> Bool {
        byte < 64 ? tokensLow >> UInt64(byte) & 1 == 1 : byte < 128 && tokensHigh >> UInt64(byte - 64) & 1 == 1
    }

    /// One bit per byte below 64: `!#$%&'*+-.` and the digits.
    private static let tokensLow: UInt64 = bits("!#$%&'*+-.0123456789", from: 0)
    /// One bit per byte from 64 to 127: the letters and ``^_`|~``.
    private static let tokensHigh: UInt64 = bits("ABCDEFGHIJKLMNOPQRSTUVWXYZ^_`abcdefghijklmnopqrstuvwxyz|~", from: 64)

    private static func bits(_ text: StaticString, from base: UInt64) -> UInt64 {
        var bits: UInt64 = 0
        for character in text.description.utf8 { bits |= 1 << (UInt64(character) - base) }
        return bits
    }
}

extension Span<UInt8> {
    /// Whether the bytes are those of `text`.
    @inline(__always)
    package func equals(_ text: StaticString) -> Bool {
        let expected = text.bytes
        guard count == expected.count else { return false }
        for index in indices where self[index] != expected[index] { return false }
        return true
    }

    /// Whether the bytes are those of `lowercase` when their ASCII letters are lower-cased; `lowercase` must be so already.
    @inline(__always)
    package func equalsIgnoringCase(_ lowercase: StaticString) -> Bool {
        let expected = lowercase.bytes
        guard count == expected.count else { return false }
        for index in indices where ASCII.lowercased(self[index]) != expected[index] { return false }
        return true
    }

    /// Whether both hold the same bytes.
    @inline(__always)
    package func equals(_ other: Span<UInt8>) -> Bool {
        guard count == other.count else { return false }
        for index in indices where self[index] != other[index] { return false }
        return true
    }

    /// Whether both hold the same bytes but for the case of ASCII letters.
    @inline(__always)
    package func equalsIgnoringCase(_ other: Span<UInt8>) -> Bool {
        guard count == other.count else { return false }
        for index in indices where ASCII.lowercased(self[index]) != ASCII.lowercased(other[index]) { return false }
        return true
    }

    /// The bytes without leading and trailing spaces and tabs.
    @inline(__always)
    package var trimmed: Span<UInt8> {
        @_lifetime(copy self) get {
            var start = 0
            var end = count
            while start < end, self[start] == ASCII.space || self[start] == ASCII.tab { start += 1 }
            while end > start, self[end - 1] == ASCII.space || self[end - 1] == ASCII.tab { end -= 1 }
            return extracting(start..<end)
        }
    }

    /// The bytes as text; bytes that are no UTF-8 become U+FFFD. Allocates: for logs, errors and tests.
    package var text: String {
        String(decoding: (0..<count).map { self[$0] }, as: UTF8.self)
    }
}

extension StaticString {
    /// The literal's UTF-8 bytes; they live as long as the program.
    @inline(__always)
    package var bytes: Span<UInt8> {
        @_lifetime(immortal) get {
            // SAFETY: a StaticString with a pointer representation points into constant memory of the program.
            unsafe _overrideLifetime(
                Span(_unsafeStart: utf8Start, count: utf8CodeUnitCount), copying: ())
        }
    }
}
