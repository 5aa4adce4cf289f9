import Testing

@testable import Core

@Suite struct ASCIITests {
    /// Every byte at every place of inputs around a word's size, in a surrounding that must not matter.
    private func check(
        _ filler: UInt8, _ name: String, stops: (UInt8) -> Bool, _ scan: (Span<UInt8>, Int) -> Int
    ) {
        for count in [0, 1, 7, 8, 9, 15, 16, 17, 25] {
            let plain = [UInt8](repeating: filler, count: count)
            for start in 0...count where scan(plain.span, start) != count {
                Issue.record("\(name) stops in plain bytes, \(count) from \(start)")
            }
            for position in 0..<count {
                for byte in UInt8.min...UInt8.max {
                    var bytes = plain
                    bytes[position] = byte
                    let expected = stops(byte) ? position : count
                    for start in [0, position] where scan(bytes.span, start) != expected {
                        Issue.record("\(name): byte \(byte) at \(position) of \(count)")
                    }
                }
            }
        }
    }

    private static func isAlphanumeric(_ byte: UInt8) -> Bool {
        (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte)
    }
    private static let tokenMarks = Set("!#$%&'*+-.^_`|~".utf8)
    private static let hostMarks = Set("-._~!$&'()*+,;=".utf8)

    @Test func aControlIsFoundAndATabIsNone() {
        check(0x61, "control", stops: { $0 < 0x20 && $0 != 9 || $0 == 0x7F }) { $0.firstControl(from: $1) }
        check(0xFF, "control", stops: { $0 < 0x20 && $0 != 9 || $0 == 0x7F }) { $0.firstControl(from: $1) }
        check(0x09, "control", stops: { $0 < 0x20 && $0 != 9 || $0 == 0x7F }) { $0.firstControl(from: $1) }
    }

    @Test func aTokenEndsAtTheFirstByteThatIsNoneOfItsOwn() {
        let stops: (UInt8) -> Bool = { !Self.isAlphanumeric($0) && !Self.tokenMarks.contains($0) }
        for filler in [0x61, 0x5A, 0x2D, 0x5F] as [UInt8] {
            check(filler, "token", stops: stops) { $0.firstNotToken(from: $1) }
        }
        for byte in UInt8.min...UInt8.max { #expect(ASCII.isToken(byte) == !stops(byte)) }
    }

    @Test func aHostNameEndsAtTheFirstByteThatIsNoneOfItsOwn() {
        let stops: (UInt8) -> Bool = { !Self.isAlphanumeric($0) && !Self.hostMarks.contains($0) }
        for filler in [0x61, 0x2E, 0x7E] as [UInt8] {
            check(filler, "host", stops: stops) { $0.firstNotHostName(from: $1) }
        }
        for byte in UInt8.min...UInt8.max { #expect(ASCII.isHostName(byte) == !stops(byte)) }
    }

    @Test func pathAndQueryEndAtTheirMarks() {
        check(0x2F, "path", stops: { $0 <= 0x20 || $0 >= 0x7F || $0 == 0x23 || $0 == 0x3F }) {
            $0.firstNotPath(from: $1)
        }
        check(0x3D, "query", stops: { $0 <= 0x20 || $0 >= 0x7F || $0 == 0x23 }) { $0.firstNotQuery(from: $1) }
    }

    @Test func aByteIsFoundWhereItFirstStands() {
        for wanted in [0x00, 0x0A, 0x3A, 0x80, 0xFF] as [UInt8] {
            check(0x61, "byte", stops: { $0 == wanted }) { $0.firstIndex(of: wanted, from: $1) }
        }
        // A borrow out of a match must not invent another one before it.
        #expect(([0x0B, 0x0A, 0x0B, 0, 0, 0, 0, 0] as [UInt8]).span.firstIndex(of: 0x0A, from: 0) == 1)
    }

    @Test func aWordHoldsZeroesPastTheEnd() {
        let bytes: [UInt8] = Array(1...20)
        for count in 0...20 {
            let span = bytes.span.extracting(first: count)
            for offset in 0...24 {
                var expected: UInt64 = 0
                for index in (0..<8).reversed() {
                    expected = expected << 8 | (offset + index < count ? UInt64(bytes[offset + index]) : 0)
                }
                #expect(span.word(at: offset) == expected)
                #expect(span.word(at: offset, count: 3) == expected & 0xFF_FFFF)
            }
        }
    }

    @Test func lettersAndNothingElseAreLowered() {
        for byte in UInt8.min...UInt8.max {
            let expected = (0x41...0x5A).contains(byte) ? byte + 0x20 : byte
            #expect(ASCII.lowercased(byte) == expected)
            for shift in stride(from: 0, to: 64, by: 8) as StrideTo<UInt64> {
                let others: UInt64 = 0x615A_40FF_0041_5B20 & ~(0xFF << shift)
                let lowered = ASCIIWord(UInt64(byte) << shift | others).lowercased
                #expect(lowered >> shift & 0xFF == UInt64(expected))
            }
        }
    }

    @Test func digitsHaveTheirValue() {
        for byte in UInt8.min...UInt8.max {
            let character = Character(Unicode.Scalar(byte))
            let value = byte < 128 ? character.hexDigitValue : nil
            #expect(ASCII.hexDigit(byte).map(Int.init) == value)
            #expect(ASCII.digit(byte).map(Int.init) == value.flatMap { $0 < 10 ? $0 : nil })
        }
    }

    private func equal(_ left: [UInt8], _ right: [UInt8]) -> Bool { left.span.equals(right.span) }
    private func equalIgnoringCase(_ left: [UInt8], _ right: [UInt8]) -> Bool {
        left.span.equalsIgnoringCase(right.span)
    }
    private func equal(_ left: String, _ right: StaticString) -> Bool { Array(left.utf8).span.equals(right) }
    private func equalIgnoringCase(_ left: String, _ right: StaticString) -> Bool {
        Array(left.utf8).span.equalsIgnoringCase(right)
    }

    @Test func comparisonsSeeEveryByteAndTheLength() {
        for count in [0, 1, 7, 8, 9, 16, 23] {
            let bytes = [UInt8]("Abcdefgh-Ijklmnop_qRstuvwxyz".utf8.prefix(count))
            let upper = bytes.map { (0x61...0x7A).contains($0) ? $0 - 0x20 : $0 }
            #expect(equal(bytes, bytes))
            #expect(equalIgnoringCase(bytes, upper))
            #expect(!equal(bytes, bytes + [0]))
            #expect(!equalIgnoringCase(bytes, bytes + [0]))
            for position in 0..<count {
                var other = bytes
                other[position] ^= 0x80
                #expect(!equal(bytes, other))
                #expect(!equalIgnoringCase(bytes, other))
            }
        }
        let name = "Content-Length"
        #expect(equal(name, "Content-Length") && !equal(name, "content-length") && !equal(name, "Content-Lengt"))
        #expect(equalIgnoringCase(name, "content-length") && !equalIgnoringCase(name, "content_length"))
        // `@` and `[` border on the letters, a backtick and a brace on their folded forms.
        #expect(!equalIgnoringCase("@", "`") && !equalIgnoringCase("[", "{"))
    }

    @Test func spaceAroundIsTrimmed() {
        let cases = [("", ""), (" ", ""), ("\t a b \t", "a b"), ("a", "a"), ("\r a", "\r a")]
        for (text, expected) in cases { #expect([UInt8](text.utf8).span.trimmed.text == expected) }
    }
}
