import Core
import Testing

@testable import HTTP

/// The Huffman code, both ways.
@Suite struct HPACKHuffmanTests {
    private let huffman = HPACKHuffman.shared
    private let guarded = GuardedInput(room: 16384)

    private func encoded(_ text: [UInt8], lowercasing: Bool = false) -> [UInt8] {
        let output = Buffer(capacity: 1)
        let count = huffman.encodedCount(text.span, lowercasing: lowercasing)
        output.reserve(count + HPACKHuffman.encodedSpare)
        // SAFETY: there is room for what the encoder writes.
        _ = unsafe output.write { room in
            unsafe huffman.encode(text.span, lowercasing: lowercasing, to: room.baseAddress.unsafelyUnwrapped)
            return count
        }
        return (0..<count).map { output.readable[$0] }
    }

    private func decoded(_ bytes: [UInt8]) -> [UInt8]? {
        guarded.with(bytes) { input in
            let range = 0..<input.count
            let expected = huffman.decodedCount(input, range)
            let output = Buffer(capacity: 1)
            output.reserve(HPACKHuffman.decodedRoom(input.count))
            // SAFETY: there is room for what the decoder writes.
            let count = unsafe output.write { room in
                unsafe max(0, huffman.decode(input, range, to: room.baseAddress.unsafelyUnwrapped))
            }
            #expect(count == max(0, expected))
            return expected < 0 ? nil : (0..<count).map { output.readable[$0] }
        }
    }

    @Test func everyByteHasTheCodeOfTheStandard() {
        let all = (0...255).map { UInt8($0) }
        let code = bytes(hex: HPACKVectors.everyByteEncoded)
        #expect(encoded(all) == code)
        #expect(decoded(code) == all)
    }

    @Test(arguments: [
        ("www.example.com", "f1e3c2e5f23a6ba0ab90f4ff"), ("no-cache", "a8eb10649cbf"), ("302", "6402"), ("", ""),
        ("Mon, 21 Oct 2013 20:13:21 GMT", "d07abe941054d444a8200595040b8166e082a62d1bff"),
    ]) func theExamplesOfTheStandardAreEncodedAlike(_ text: String, _ hex: String) {
        #expect(encoded(Array(text.utf8)) == bytes(hex: hex))
        #expect(decoded(bytes(hex: hex)) == Array(text.utf8))
    }

    @Test func namesAreLowerCasedOnTheWay() {
        #expect(encoded(Array("X-Custom_KEY".utf8), lowercasing: true) == encoded(Array("x-custom_key".utf8)))
    }

    @Test func everyPairOfBytesComesBack() {
        for first in UInt8.min...UInt8.max {
            for second in UInt8.min...UInt8.max {
                let text = [first, second, first]
                if decoded(encoded(text)) != text { Issue.record("\(text)") }
            }
        }
    }

    @Test func randomTextsComeBackAndRandomBytesAreOneTextAtMost() {
        var random = Random(seed: 29)
        var accepted = 0
        for _ in 0..<4000 {
            let text = (0..<Int.random(in: 0...70, using: &random)).map { _ in
                Bool.random(using: &random)
                    ? UInt8.random(in: 97...122, using: &random) : .random(in: 0...255, using: &random)
            }
            #expect(decoded(encoded(text)) == text)
            let bytes = (0..<Int.random(in: 0...12, using: &random)).map { _ in
                UInt8.random(in: 0...255, using: &random)
            }
            guard let text = decoded(bytes) else { continue }
            accepted += 1
            #expect(encoded(text) == bytes, "two spellings of one text")
        }
        #expect(accepted > 0)
    }
}
