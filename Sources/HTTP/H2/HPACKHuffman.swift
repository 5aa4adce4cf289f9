import Core

/// The Huffman code of RFC 7541 Appendix B, both ways.
///
/// The code is canonical, so all of it follows from the lengths. Decoding looks at eleven bits at once, which are one
/// symbol or two (most text is made of codes of five and six bits); codes longer than that are found by their length.
/// Built once for the process, never changed, shared by all threads.
@safe
final class HPACKHuffman: Sendable {
    static let shared = HPACKHuffman()

    /// How many bits the first look takes; a table of 8 KiB.
    private static let lookBits = 11
    private static let longest = 30
    private static let endOfString = 256

    /// The codes of one length: they follow each other, and so do their symbols in `symbols`.
    private struct Run: Sendable {
        var firstCode: UInt32 = 0
        var count: UInt32 = 0
        var firstSymbol = 0
    }

    // SAFETY: of the three: written by `init` only and never freed, since the one table lives as long as the process.
    /// For each byte its code (low 32 bits) and the code's length (high 32 bits).
    nonisolated(unsafe) private let codes: UnsafePointer<UInt64>
    /// For each way that eleven bits may begin: first symbol, second symbol, bits of both, count (0, 1 or 2); a byte
    /// each from the lowest on.
    nonisolated(unsafe) private let looks: UnsafePointer<UInt32>
    /// The 257 symbols in the order of their codes.
    nonisolated(unsafe) private let symbols: UnsafePointer<UInt16>
    private let runs: InlineArray<31, Run>

    private init() {
        let lengths = Self.lengths
        let codes = UnsafeMutablePointer<UInt64>.allocate(capacity: 256)
        let looks = UnsafeMutablePointer<UInt32>.allocate(capacity: 1 << Self.lookBits)
        let symbols = UnsafeMutablePointer<UInt16>.allocate(capacity: 257)
        var runs = InlineArray<31, Run>(repeating: Run())
        var code: UInt32 = 0
        var position = 0
        for length in 1...Self.longest {
            code <<= 1
            runs[length] = Run(firstCode: code, firstSymbol: position)
            for symbol in 0...Self.endOfString where Int(lengths[symbol]) == length {
                unsafe symbols[position] = UInt16(symbol)
                if symbol < Self.endOfString { unsafe codes[symbol] = UInt64(code) | UInt64(length) << 32 }
                position += 1
                code += 1
            }
            runs[length].count = code - runs[length].firstCode
        }
        unsafe looks.initialize(repeating: 0, count: 1 << Self.lookBits)
        for first in 0...255 where Int(lengths[first]) <= Self.lookBits {
            let used = Int(lengths[first])
            let rest = Self.lookBits - used
            let start = unsafe Int(UInt32(truncatingIfNeeded: codes[first])) << rest
            for look in start..<start + 1 << rest {
                unsafe looks[look] = UInt32(first) | UInt32(used) << 16 | 1 << 24
            }
            for second in 0...255 where Int(lengths[second]) <= rest {
                let spare = rest - Int(lengths[second])
                let from = unsafe start + Int(UInt32(truncatingIfNeeded: codes[second])) << spare
                let bits = used + Int(lengths[second])
                for look in from..<from + 1 << spare {
                    unsafe looks[look] = UInt32(first) | UInt32(second) << 8 | UInt32(bits) << 16 | 2 << 24
                }
            }
        }
        unsafe self.codes = UnsafePointer(codes)
        unsafe self.looks = UnsafePointer(looks)
        unsafe self.symbols = UnsafePointer(symbols)
        self.runs = runs
    }

    // MARK: Decoding

    /// The room that `decode` needs for a string of `count` encoded bytes: no code is shorter than five bits, and it
    /// always writes two bytes.
    @inline(__always)
    static func decodedRoom(_ count: Int) -> Int { count &* 8 / 5 &+ 2 }

    /// Decodes the bytes of `block` in `range` to `output`, which has `decodedRoom`, and says how many they are; -1 if
    /// they are no Huffman-encoded string.
    @unsafe
    func decode(_ block: Span<UInt8>, _ range: Range<Int>, to output: UnsafeMutableRawPointer) -> Int {
        unsafe decode(block, range, to: output, stores: true)
    }

    /// How many bytes `decode` would write, or -1.
    func decodedCount(_ block: Span<UInt8>, _ range: Range<Int>) -> Int {
        // SAFETY: nothing is stored, so there need be no memory.
        unsafe decode(block, range, to: UnsafeMutableRawPointer(bitPattern: 64).unsafelyUnwrapped, stores: false)
    }

    @inline(__always)
    @unsafe
    private func decode(
        _ block: Span<UInt8>, _ range: Range<Int>, to output: UnsafeMutableRawPointer, stores: Bool
    ) -> Int {
        precondition(range.lowerBound >= 0 && range.upperBound <= block.count)
        var index = range.lowerBound
        let end = range.upperBound
        var count = 0
        // The next bits, the first one on top; `valid` of them are the string's. What is below them is of no account:
        // bits of the string that are or'ed in again later, or ones once the string has ended.
        var window: UInt64 = 0
        var valid = 0
        let looks = unsafe self.looks
        while true {
            if valid < Self.longest {
                if index &+ 8 <= end {
                    window |= block.word(at: index).byteSwapped &>> UInt64(valid)
                    let taken = (63 &- valid) &>> 3
                    index &+= taken
                    valid &+= taken &* 8
                } else {
                    while valid <= 56, index < end {
                        window |= UInt64(block[index]) &<< UInt64(56 &- valid)
                        index &+= 1
                        valid &+= 8
                    }
                    if index == end {
                        window |= UInt64.max >> UInt64(valid)
                        // The padding: the beginning of EOS, shorter than a byte.
                        if valid < 8, window == UInt64.max { return count }
                    }
                }
            }
            let look = unsafe looks[Int(truncatingIfNeeded: window &>> UInt64(64 &- Self.lookBits))]
            var bits = Int(look &>> 16 & 0xFF)
            if bits != 0 {
                // SAFETY: `count` is at most the symbols that the bits taken so far can be, so there is room for two
                // more.
                if stores {
                    unsafe output.storeBytes(
                        of: UInt16(truncatingIfNeeded: look).littleEndian, toByteOffset: count, as: UInt16.self)
                }
                count &+= Int(look &>> 24)
            } else {
                let symbol = long(window, &bits)
                guard symbol < Self.endOfString else { return -1 }
                // SAFETY: as above.
                if stores {
                    unsafe output.storeBytes(
                        of: UInt8(truncatingIfNeeded: symbol), toByteOffset: count, as: UInt8.self)
                }
                count &+= 1
            }
            // A symbol that reaches into the ones behind the end: so its own first bits were no padding.
            guard bits <= valid else { return -1 }
            window &<<= UInt64(bits)
            valid &-= bits
        }
    }

    /// The symbol of more than `lookBits` bits that the window begins with.
    private func long(_ window: UInt64, _ bits: inout Int) -> Int {
        var length = Self.lookBits &+ 1
        while length <= Self.longest {
            let offset = UInt32(truncatingIfNeeded: window &>> UInt64(64 &- length)) &- runs[length].firstCode
            if offset < runs[length].count {
                bits = length
                // SAFETY: the runs together are as long as the list of symbols.
                return unsafe Int(symbols[runs[length].firstSymbol &+ Int(offset)])
            }
            length &+= 1
        }
        // Every 30 bits begin with a code, for the code is complete.
        return Self.endOfString
    }

    // MARK: Encoding

    /// What `encode` may write beyond the encoded bytes.
    static let encodedSpare = 3

    /// How many bytes `bytes` take encoded, in lower case if `lowercasing`.
    func encodedCount(_ bytes: Span<UInt8>, lowercasing: Bool) -> Int {
        var bits = 0
        for index in bytes.indices {
            let byte = lowercasing ? ASCII.lowercased(bytes[index]) : bytes[index]
            // SAFETY: there is a code for each byte.
            bits &+= unsafe Int(codes[Int(byte)] &>> 32)
        }
        return (bits &+ 7) &>> 3
    }

    /// Writes `bytes` encoded to `output`, which has room for `encodedCount` of them and `encodedSpare`.
    @unsafe
    func encode(_ bytes: Span<UInt8>, lowercasing: Bool, to output: UnsafeMutableRawPointer) {
        // Fewer than 32 bits wait, in the lowest places, between two symbols.
        var waiting: UInt64 = 0
        var valid: UInt64 = 0
        var count = 0
        for index in bytes.indices {
            let byte = lowercasing ? ASCII.lowercased(bytes[index]) : bytes[index]
            // SAFETY: there is a code for each byte.
            let code = unsafe codes[Int(byte)]
            let length = code &>> 32
            waiting = waiting &<< length | code & 0xFFFF_FFFF
            valid &+= length
            // SAFETY: four whole bytes of what `encodedCount` counted.
            if valid >= 32 {
                valid &-= 32
                unsafe output.storeBytes(
                    of: UInt32(truncatingIfNeeded: waiting &>> valid).bigEndian, toByteOffset: count, as: UInt32.self)
                count &+= 4
            }
        }
        guard valid > 0 else { return }
        // Padded with the first bits of EOS, which are ones. SAFETY: at least one byte is counted, three are to spare.
        let last = UInt32(truncatingIfNeeded: waiting &<< (32 &- valid)) | UInt32.max &>> UInt32(valid)
        unsafe output.storeBytes(of: last.bigEndian, toByteOffset: count, as: UInt32.self)
    }
}
