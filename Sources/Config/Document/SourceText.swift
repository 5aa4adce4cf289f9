import Core

/// The bytes of one file, checked and made ready for the YAML parser: UTF-8 without a byte order mark.
///
/// A JSON file (its first character is `{` or `[`) is also brought into the form that YAML takes: tabs around the document
/// become spaces, a surrogate pair `\ud83d\ude00` becomes `\U0001F600`, and marks count as if it had not.
struct SourceText {
    /// The longest file, in bytes.
    static let bytesMax = 16 << 20
    /// Each `%TAG` line is compared with all before it, and none means anything here.
    private static let directivesMax = 64

    let bytes: [UInt8]
    private let characters: Int
    /// By line, from 0: the columns, from 0, after which two more characters stood in the file.
    private let shortened: [Int: [Int]]

    init(_ file: [UInt8]) throws(SyntaxProblem) {
        guard file.count <= Self.bytesMax else {
            throw SyntaxProblem(mark: .none, message: "the file is larger than 16MiB")
        }
        var bytes = file
        if bytes.starts(with: [0xEF, 0xBB, 0xBF]) { bytes.removeFirst(3) }
        try Self.checkText(bytes.span)
        try Self.checkDirectives(bytes.span)
        if let start = bytes.firstIndex(where: { !Self.isBlank($0) }), bytes[start] == 0x7B || bytes[start] == 0x5B {
            for index in 0..<start where bytes[index] == ASCII.tab { bytes[index] = ASCII.space }
            while let last = bytes.last, Self.isBlank(last) { bytes.removeLast() }
            (bytes, shortened) = Self.shorten(bytes)
        } else {
            shortened = [:]
        }
        characters = bytes.count - Self.continuations(bytes.span)
        self.bytes = bytes
    }

    /// The mark for a line and column of `bytes`, both from 0, that have `index` characters before them.
    func mark(line: Int, column: Int, index: Int) -> Mark {
        // The parser ends every file with a line break, even one that has none.
        if index >= characters, column == 0, line > 0, let last = bytes.last, last != ASCII.lineFeed,
            last != ASCII.carriageReturn
        {
            return Self.mark(of: bytes.count, in: bytes.span)
        }
        var shift = 0
        if !shortened.isEmpty, let columns = shortened[line] {
            for start in columns where start < column { shift += 2 }
        }
        return Mark(line: line + 1, column: column + shift + 1)
    }

    /// The mark of the byte at `offset` of `bytes`.
    func mark(offset: Int) -> Mark { Self.mark(of: offset, in: bytes.span) }

    private static func mark(of offset: Int, in bytes: Span<UInt8>) -> Mark {
        var line = 1
        var column = 1
        for index in 0..<min(offset, bytes.count) {
            let byte = bytes[index]
            if byte == ASCII.lineFeed {
                line += 1
                column = 1
            } else if byte & 0xC0 != 0x80 {
                column += 1
            }
        }
        return Mark(line: line, column: column)
    }

    private static func isBlank(_ byte: UInt8) -> Bool {
        byte == ASCII.space || byte == ASCII.tab || byte == ASCII.lineFeed || byte == ASCII.carriageReturn
    }

    /// Refuses the first byte that no text file holds.
    private static func checkText(_ bytes: Span<UInt8>) throws(SyntaxProblem) {
        var index = 0
        while true {
            index = bytes.firstIndex(from: index) { $0.lessThan(0x20) | $0.equal(0x7F) | $0.high }
            guard index < bytes.count else { return }
            let byte = bytes[index]
            let fault: String
            if byte >= 0x80 {
                if let length = sequenceLength(bytes, at: index) {
                    index += length
                    continue
                }
                fault = "the file is not UTF-8"
            } else if isBlank(byte) {
                index += 1
                continue
            } else {
                fault = byte == 0 ? "a NUL byte is not text" : "control character 0x\(hex(byte)) is not text"
            }
            throw SyntaxProblem(mark: mark(of: index, in: bytes), message: fault)
        }
    }

    /// How many bytes continue a character that began before them.
    private static func continuations(_ bytes: Span<UInt8>) -> Int {
        var count = 0
        var index = bytes.firstIndex(from: 0) { $0.lessThan(0x01) | $0.high }
        while index < bytes.count {
            if bytes[index] & 0xC0 == 0x80 { count += 1 }
            index = bytes.firstIndex(from: index + 1) { $0.lessThan(0x01) | $0.high }
        }
        return count
    }

    private static func hex(_ byte: UInt8) -> String { (byte < 16 ? "0" : "") + String(byte, radix: 16) }

    /// The length of the well-formed UTF-8 sequence at `index` (Unicode table 3-7), nil when it is none.
    private static func sequenceLength(_ bytes: Span<UInt8>, at index: Int) -> Int? {
        let length: Int
        var second: ClosedRange<UInt8> = 0x80...0xBF
        switch bytes[index] {
        case 0xC2...0xDF: length = 2
        case 0xE0: (length, second) = (3, 0xA0...0xBF)
        case 0xED: (length, second) = (3, 0x80...0x9F)
        case 0xE1...0xEF: length = 3
        case 0xF0: (length, second) = (4, 0x90...0xBF)
        case 0xF1...0xF3: length = 4
        case 0xF4: (length, second) = (4, 0x80...0x8F)
        default: return nil
        }
        guard index + length <= bytes.count, second.contains(bytes[index + 1]) else { return nil }
        for next in stride(from: index + 2, to: index + length, by: 1) where bytes[next] & 0xC0 != 0x80 { return nil }
        return length
    }

    private static func checkDirectives(_ bytes: Span<UInt8>) throws(SyntaxProblem) {
        var directives = 0
        var index = bytes.firstIndex(of: ASCII.percent, from: 0)
        while index < bytes.count {
            if index == 0 || bytes[index - 1] == ASCII.lineFeed || bytes[index - 1] == ASCII.carriageReturn {
                directives += 1
            }
            guard directives <= directivesMax else {
                throw SyntaxProblem(
                    mark: mark(of: index, in: bytes), message: "more than \(directivesMax) lines begin with %")
            }
            index = bytes.firstIndex(of: ASCII.percent, from: index + 1)
        }
    }

    /// Rewrites the surrogate pairs in double-quoted strings, and tells where.
    private static func shorten(_ bytes: [UInt8]) -> ([UInt8], shortened: [Int: [Int]]) {
        guard bytes.contains(0x5C) else { return (bytes, [:]) }
        var shortened: [Int: [Int]] = [:]
        var result: [UInt8] = []
        result.reserveCapacity(bytes.count)
        var (line, column, index) = (0, 0, 0)
        var isQuoted = false
        func keep(_ count: Int) {
            for byte in bytes[index..<min(index + count, bytes.count)] {
                result.append(byte)
                if byte == ASCII.lineFeed {
                    line += 1
                    column = 0
                } else if byte & 0xC0 != 0x80 {
                    column += 1
                }
            }
            index += count
        }
        while index < bytes.count {
            if bytes[index] == 0x22 { isQuoted.toggle() }
            guard isQuoted, bytes[index] == 0x5C else {
                keep(1)
                continue
            }
            guard let high = escape(bytes.span, at: index), high & 0xFC00 == 0xD800,
                let low = escape(bytes.span, at: index + 6), low & 0xFC00 == 0xDC00
            else {
                keep(2)
                continue
            }
            let digits = String(0x10000 + (high - 0xD800) << 10 + (low - 0xDC00), radix: 16)
            result.append(contentsOf: "\\U\(String(repeating: "0", count: 8 - digits.count))\(digits)".utf8)
            shortened[line, default: []].append(column)
            column += 10
            index += 12
        }
        return (result, shortened)
    }

    /// The value of a `\uXXXX` at `index`.
    private static func escape(_ bytes: Span<UInt8>, at index: Int) -> UInt32? {
        guard index + 6 <= bytes.count, bytes[index] == 0x5C, bytes[index + 1] == 0x75 else { return nil }
        var value: UInt32 = 0
        for offset in 2..<6 {
            guard let digit = ASCII.hexDigit(bytes[index + offset]) else { return nil }
            value = value << 4 | UInt32(digit)
        }
        return value
    }
}

extension SourceText {
    /// Why the character at `index` (counted in characters) cannot begin a value.
    func explainCharacter(at index: Int) -> String {
        var character = 0
        for (offset, byte) in bytes.enumerated() where byte & 0xC0 != 0x80 {
            if character == index {
                if byte == ASCII.tab { return "a tab cannot indent; use spaces" }
                let scalar = String(decoding: bytes[offset..<min(offset + 1, bytes.count)], as: UTF8.self)
                return "a value that begins with \(scalar) must stand in quotes"
            }
            character += 1
        }
        return "a value is missing"
    }
}
