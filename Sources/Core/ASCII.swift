/// Facts about bytes that every protocol here shares. ASCII only, no locale.
///
/// All of it is inlinable: other rooms ask these questions for every byte of a head.
@usableFromInline
package enum ASCII {
    @inlinable package static var tab: UInt8 { 0x09 }
    @inlinable package static var lineFeed: UInt8 { 0x0A }
    @inlinable package static var carriageReturn: UInt8 { 0x0D }
    @inlinable package static var space: UInt8 { 0x20 }
    @inlinable package static var percent: UInt8 { 0x25 }
    @inlinable package static var comma: UInt8 { 0x2C }
    @inlinable package static var slash: UInt8 { 0x2F }
    @inlinable package static var zero: UInt8 { 0x30 }
    @inlinable package static var colon: UInt8 { 0x3A }
    @inlinable package static var semicolon: UInt8 { 0x3B }
    @inlinable package static var questionMark: UInt8 { 0x3F }

    /// `A`...`Z` become `a`...`z`; every other byte stays.
    @inlinable @inline(__always)
    package static func lowercased(_ byte: UInt8) -> UInt8 { byte &- 0x41 < 26 ? byte | 0x20 : byte }

    /// The value of a decimal digit, or nil.
    @inlinable @inline(__always)
    package static func digit(_ byte: UInt8) -> UInt8? {
        let value = byte &- zero
        return value < 10 ? value : nil
    }

    /// The value of a hexadecimal digit of either case, or nil.
    @inlinable @inline(__always)
    package static func hexDigit(_ byte: UInt8) -> UInt8? {
        if let digit = digit(byte) { return digit }
        let letter = (byte | 0x20) &- 0x61
        return letter < 6 ? letter &+ 10 : nil
    }

    /// Whether `byte` may stand in a token: a method or a field name (RFC 9110 §5.6.2): letters, digits and
    /// ``!#$%&'*+-.^_`|~``.
    @inlinable @inline(__always)
    package static func isToken(_ byte: UInt8) -> Bool {
        contains(byte, low: 0x3FF_6CFA_0000_0000, high: 0x57FF_FFFF_C7FF_FFFE)
    }

    /// Whether `byte` may stand in a registered name or an IPv4 address (RFC 3986 §3.2.2): letters, digits and
    /// `-._~!$&'()*+,;=`. A percent sign, which begins a triplet, is not among them.
    @inlinable @inline(__always)
    package static func isHostName(_ byte: UInt8) -> Bool {
        contains(byte, low: 0x2BFF_7FD2_0000_0000, high: 0x47FF_FFFE_87FF_FFFE)
    }

    /// Whether `byte` is in a set of ASCII characters: bit n of `low` stands for character n, of `high` for 64 + n.
    @inlinable @inline(__always)
    package static func contains(_ byte: UInt8, low: UInt64, high: UInt64) -> Bool {
        byte < 128 && (byte < 64 ? low : high) &>> UInt64(byte) & 1 == 1
    }
}

/// Eight bytes looked at in one go; the first one lies in the lowest bits, whatever the machine.
///
/// A mask has the top bit of a byte set where the question is answered with yes. Masks of `lessThan` and `equal` are
/// exact up to the first yes only: a borrow may spoil bytes after it, so ask for the first and no more.
@usableFromInline
package struct ASCIIWord {
    @usableFromInline let bits: UInt64

    @inlinable @inline(__always)
    package init(_ bits: UInt64) { self.bits = bits }

    @usableFromInline static var ones: UInt64 { @inlinable @inline(__always) get { 0x0101_0101_0101_0101 } }
    @usableFromInline static var tops: UInt64 { @inlinable @inline(__always) get { 0x8080_8080_8080_8080 } }

    /// Bytes below `bound`, which is at most 128.
    @inlinable @inline(__always)
    package func lessThan(_ bound: UInt8) -> UInt64 { (bits &- Self.ones &* UInt64(bound)) & ~bits & Self.tops }

    /// Bytes that are `byte`.
    @inlinable @inline(__always)
    package func equal(_ byte: UInt8) -> UInt64 {
        let difference = bits ^ (Self.ones &* UInt64(byte))
        return (difference &- Self.ones) & ~difference & Self.tops
    }

    /// Bytes of 128 and more.
    @inlinable @inline(__always)
    package var high: UInt64 { bits & Self.tops }

    /// Bytes from `first` to `last`, both below 128. Exact for every byte.
    @inlinable @inline(__always)
    package func within(_ first: UInt8, _ last: UInt8) -> UInt64 {
        let low = bits & ~Self.tops
        let notBelow = low &+ Self.ones &* UInt64(0x80 &- first)
        let above = low &+ Self.ones &* UInt64(0x7F &- last)
        return notBelow & ~above & ~bits & Self.tops
    }

    /// The other bytes. Exact for every byte.
    @inlinable @inline(__always)
    package var notOrdinary: UInt64 { ~ordinary & Self.tops }

    /// Bytes below 32, and 127.
    @inlinable @inline(__always)
    package var control: UInt64 { lessThan(0x20) | equal(0x7F) }

    /// Letters, digits, `-` and `.`: what most tokens and host names are made of. Exact for every byte.
    @inlinable @inline(__always)
    package var ordinary: UInt64 {
        let folded = ASCIIWord(bits | Self.ones &* 0x20)
        // Folding maps control bytes to digits and marks, so only letters may be asked of the folded word.
        return folded.within(0x61, 0x7A) | within(0x30, 0x39) | within(0x2D, 0x2E)
    }

    /// The word in lower case, if all its bytes are `ordinary` or zeroes that are not looked at.
    @inlinable @inline(__always)
    package var folded: UInt64 { bits | Self.ones &* 0x20 }

    /// The word with `A`...`Z` in lower case.
    @inlinable @inline(__always)
    package var lowercased: UInt64 { bits | within(0x41, 0x5A) &>> 2 }
}

extension Span<UInt8> {
    /// The eight bytes from `offset` on; those past the end are zero.
    @inlinable @inline(__always)
    package func word(at offset: Int) -> UInt64 {
        if offset >= 0, offset &+ 8 <= count {
            // SAFETY: the eight bytes lie within the span, as just compared.
            return UInt64(
                littleEndian: unsafe bytes.unsafeLoadUnaligned(fromUncheckedByteOffset: offset, as: UInt64.self))
        }
        return lastWord(at: offset)
    }

    /// The `count` bytes from `offset` on, the first eight at most; zero behind them.
    @inlinable @inline(__always)
    package func word(at offset: Int, count: Int) -> UInt64 {
        let word = word(at: offset)
        return count >= 8 ? word : word & ((1 &<< (UInt64(truncatingIfNeeded: count) &* 8)) &- 1)
    }

    /// A word that reaches past the end.
    @inlinable
    package func lastWord(at offset: Int) -> UInt64 {
        precondition(offset >= 0)
        guard offset < count else { return 0 }
        if count >= 8 {
            // SAFETY: the last eight bytes lie within the span.
            let last = unsafe bytes.unsafeLoadUnaligned(fromUncheckedByteOffset: count &- 8, as: UInt64.self)
            return UInt64(littleEndian: last) &>> (UInt64(truncatingIfNeeded: offset &+ 8 &- count) &* 8)
        }
        // Short spans are common: two words that overlap, or three bytes that may be the same, are all of one.
        let word: UInt64
        if count >= 4 {
            // SAFETY: the first four bytes and the last four lie within the span.
            let first = unsafe bytes.unsafeLoadUnaligned(fromUncheckedByteOffset: 0, as: UInt32.self)
            let last = unsafe bytes.unsafeLoadUnaligned(fromUncheckedByteOffset: count &- 4, as: UInt32.self)
            word =
                UInt64(UInt32(littleEndian: first))
                | UInt64(UInt32(littleEndian: last)) &<< (UInt64(truncatingIfNeeded: count &- 4) &* 8)
        } else {
            let middle = count &>> 1
            word =
                UInt64(self[0]) | UInt64(self[middle]) &<< (UInt64(truncatingIfNeeded: middle) &* 8)
                | UInt64(self[count &- 1]) &<< (UInt64(truncatingIfNeeded: count &- 1) &* 8)
        }
        return word &>> (UInt64(truncatingIfNeeded: offset) &* 8)
    }

    /// The first index from `start` on at which `mask` says yes, `count` when it never does. `mask` must say yes to a
    /// zero byte, for that is what lies behind the end.
    @inlinable @inline(__always)
    package func firstIndex(from start: Int, where mask: (ASCIIWord) -> UInt64) -> Int {
        var index = start
        while index < count {
            let found = mask(ASCIIWord(word(at: index)))
            if found != 0 { return Swift.min(index &+ found.trailingZeroBitCount &>> 3, count) }
            index &+= 8
        }
        return count
    }

    /// The first index from `start` on of a control byte other than a tab, `count` if there is none.
    @inlinable
    package func firstControl(from start: Int) -> Int {
        var index = start
        // Values are long: two words at a time while there are two.
        while index >= 0, index &+ 16 <= count {
            let first = ASCIIWord(word(at: index)).control
            let second = ASCIIWord(word(at: index &+ 8)).control
            if first | second != 0 {
                index &+= (first != 0 ? first.trailingZeroBitCount : second.trailingZeroBitCount &+ 64) &>> 3
                guard self[index] == ASCII.tab else { return index }
                index &-= 15
            }
            index &+= 16
        }
        while true {
            index = firstIndex(from: index) { $0.control }
            guard index < count, self[index] == ASCII.tab else { return index }
            index &+= 1
        }
    }

    /// The first index from `start` on of a byte that may not stand in a token, `count` if all may.
    @inlinable
    package func firstNotToken(from start: Int) -> Int {
        var index = start
        while true {
            index = firstIndex(from: index) { $0.notOrdinary }
            guard index < count, ASCII.isToken(self[index]) else { return index }
            index &+= 1
        }
    }

    /// The first index from `start` on of a byte that may not stand in a registered name as it is, `count` if all may.
    @inlinable
    package func firstNotHostName(from start: Int) -> Int {
        var index = start
        while true {
            index = firstIndex(from: index) { $0.notOrdinary }
            guard index < count, ASCII.isHostName(self[index]) else { return index }
            index &+= 1
        }
    }

    /// The first index from `start` on of a byte that ends a path: `?`, `#`, or no visible ASCII character at all.
    @inlinable
    package func firstNotPath(from start: Int) -> Int {
        firstIndex(from: start) { $0.lessThan(0x21) | $0.equal(0x7F) | $0.high | $0.equal(0x23) | $0.equal(0x3F) }
    }

    /// The first index from `start` on of a byte that ends a query: `#`, or no visible ASCII character at all.
    @inlinable
    package func firstNotQuery(from start: Int) -> Int {
        firstIndex(from: start) { $0.lessThan(0x21) | $0.equal(0x7F) | $0.high | $0.equal(0x23) }
    }

    /// The first index from `start` on of `byte`, `count` if there is none.
    @inlinable
    package func firstIndex(of byte: UInt8, from start: Int) -> Int {
        var index = start
        while index &+ 8 <= count {
            let found = ASCIIWord(word(at: index)).equal(byte)
            if found != 0 { return index &+ found.trailingZeroBitCount &>> 3 }
            index &+= 8
        }
        while index < count, self[index] != byte { index &+= 1 }
        return index
    }

    /// Whether the bytes are those of `text`.
    @inlinable @inline(__always)
    package func equals(_ text: StaticString) -> Bool {
        guard count == text.utf8CodeUnitCount else { return false }
        var index = 0
        while index < text.utf8CodeUnitCount {
            if word(at: index) != text.word(at: index) { return false }
            index &+= 8
        }
        return true
    }

    /// Whether the bytes are those of `lowercase` when their ASCII letters are lower-cased; `lowercase` must be so
    /// already.
    @inlinable @inline(__always)
    package func equalsIgnoringCase(_ lowercase: StaticString) -> Bool {
        guard count == lowercase.utf8CodeUnitCount else { return false }
        var index = 0
        while index < lowercase.utf8CodeUnitCount {
            if ASCIIWord(word(at: index)).lowercased != lowercase.word(at: index) { return false }
            index &+= 8
        }
        return true
    }

    /// Whether both hold the same bytes.
    @inlinable @inline(__always)
    package func equals(_ other: Span<UInt8>) -> Bool {
        guard count == other.count else { return false }
        var index = 0
        while index < count {
            if word(at: index) != other.word(at: index) { return false }
            index &+= 8
        }
        return true
    }

    /// Whether both hold the same bytes but for the case of ASCII letters.
    @inlinable
    package func equalsIgnoringCase(_ other: Span<UInt8>) -> Bool {
        guard count == other.count else { return false }
        var index = 0
        while index < count {
            if ASCIIWord(word(at: index)).lowercased != ASCIIWord(other.word(at: index)).lowercased { return false }
            index &+= 8
        }
        return true
    }

    /// The bytes without leading and trailing spaces and tabs.
    @inlinable @inline(__always)
    package var trimmed: Span<UInt8> {
        @_lifetime(copy self) get {
            var start = 0
            var end = count
            while start < end, self[start] == ASCII.space || self[start] == ASCII.tab { start &+= 1 }
            while end > start, self[end &- 1] == ASCII.space || self[end &- 1] == ASCII.tab { end &-= 1 }
            return extracting(start..<end)
        }
    }

    /// The bytes as text; bytes that are no UTF-8 become U+FFFD. Allocates: for logs, errors and tests.
    package var text: String {
        String(decoding: (0..<count).map { self[$0] }, as: UTF8.self)
    }
}

extension StaticString {
    /// The eight bytes from `offset` on, zero past the end: what `Span.word` answers, but a constant to the compiler.
    @inlinable @inline(__always)
    package func word(at offset: Int) -> UInt64 {
        var word: UInt64 = 0
        for index in 0..<8 where offset &+ index < utf8CodeUnitCount {
            // SAFETY: the index lies within the literal, as just compared.
            word |= UInt64(unsafe utf8Start[offset &+ index]) &<< UInt64(index &* 8)
        }
        return word
    }

    /// The literal's UTF-8 bytes; they live as long as the program.
    @inlinable @inline(__always)
    package var bytes: Span<UInt8> {
        @_lifetime(immortal) get {
            // SAFETY: a StaticString with a pointer representation points into constant memory of the program.
            unsafe _overrideLifetime(
                Span(_unsafeStart: utf8Start, count: utf8CodeUnitCount), copying: ())
        }
    }
}
