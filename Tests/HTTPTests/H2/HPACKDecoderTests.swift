import Core
import Testing

@testable import HTTP

/// The decoder against the examples of the standard, another implementation's blocks, and what no block may hold.
@Suite struct HPACKDecoderTests {
    private let guarded = GuardedInput(room: 16384)

    @Test(arguments: HPACKExample.all) func theExamplesOfTheStandardAreDecoded(_ example: HPACKExample) {
        let decoder = HPACKDecoder(tableBytesMax: 4096, initially: example.tableBytesMax)
        for block in example.blocks {
            let trace = HPACKTrace.decoding(bytes(hex: block.hex), with: decoder)
            #expect(trace.fields == block.fields)
            #expect(trace.error == nil)
            #expect(decoder.table.contents == block.table)
            #expect(decoder.table.size == block.tableBytes)
        }
    }

    @Test func theBlocksOfAnotherEncoderAreDecoded() {
        let decoder = HPACKDecoder(tableBytesMax: 8192)
        for block in HPACKVectors.blocks {
            let trace = HPACKTrace.decoding(bytes(hex: block.hex), with: decoder)
            #expect(trace.fields == block.fields)
            #expect(trace.error == nil)
        }
    }

    @Test func skippingLeavesTheTableAsDecodingDoes() {
        let decoding = HPACKDecoder(tableBytesMax: 8192)
        let skipping = HPACKDecoder(tableBytesMax: 8192)
        for block in HPACKVectors.blocks {
            let decoded = HPACKTrace.decoding(bytes(hex: block.hex), with: decoding)
            #expect(HPACKTrace.skipping(bytes(hex: block.hex).span, with: skipping).sizes == decoded.sizes)
            #expect(skipping.table.contents == decoding.table.contents)
        }
        // What was inserted by skipping is known by its name like what was inserted by decoding.
        let all = (62..<62 + skipping.table.count).map { 0x80 | UInt8($0) }
        #expect(HPACKTrace.decoding(all, with: skipping) == HPACKTrace.decoding(all, with: decoding))
    }

    @Test func everyStaticEntryIsFoundByItsIndex() {
        let decoder = HPACKDecoder(tableBytesMax: 4096)
        let trace = HPACKTrace.decoding((1...61).map { 0x80 | $0 }, with: decoder)
        #expect(trace.fields.count == 61)
        #expect(trace.fields.first == ":authority: ")
        #expect(trace.fields[15] == "accept-encoding: gzip, deflate")
        #expect(trace.fields.last == "www-authenticate: ")
        for index in 15...61 {
            let entry = HPACKStaticTable.shared[index]
            let name = Array(trace.fields[index - 1].prefix(Int(entry.nameCount)).utf8)
            let found =
                entry.name == .other
                ? HPACKStaticTable.shared.index(of: name.span, hash: HPACKHash.name(name.span))
                : HPACKStaticTable.shared.index(of: entry.name)
            #expect(found == index)
        }
    }

    /// Blocks that are wrong from their beginning, and why.
    private static let refused: [(String, HPACKError)] = [
        ("80", .indexInvalid), ("be", .indexInvalid), ("ff00", .indexInvalid), ("7f0061", .indexInvalid),
        ("ffffffffff0f", .integerTooLarge), ("ff8080808010", .integerTooLarge), ("ff808080808000", .integerTooLarge),
        ("ffffffffffffffffffff7f", .integerTooLarge), ("ff80ffffff0f", .indexInvalid),
        ("ff", .truncated), ("ff80", .truncated), ("40", .truncated), ("4001", .truncated), ("400161", .truncated),
        ("40016102", .truncated), ("4001610262", .truncated), ("00ff", .truncated), ("008261", .truncated),
        ("00 7f ff ff ff ff 0e 61", .truncated), ("3f", .truncated),
        ("3fe21f", .tableSizeTooLarge), ("3fffffffff0f", .integerTooLarge), ("3fe0ffffff0f", .tableSizeTooLarge),
        ("8220", .tableSizeMisplaced), ("20822082", .tableSizeMisplaced), ("0001610020", .tableSizeMisplaced),
        // Huffman: padding of eight bits; zeroes; a cut symbol; EOS in full, alone and after a symbol.
        ("000161 81ff", .huffmanInvalid), ("000161 821fff", .huffmanInvalid), ("000161 8118", .huffmanInvalid),
        ("000161 81fe", .huffmanInvalid), ("000161 82fffe", .huffmanInvalid),
        ("000161 84ffffffff", .huffmanInvalid), ("000161 851fffffffff", .huffmanInvalid),
        ("000161 83ffffff", .huffmanInvalid), ("0081ff 00", .huffmanInvalid), ("4081ff 00", .huffmanInvalid),
    ]

    @Test(arguments: refused) func whatIsWrongIsRefusedForItsReason(_ hex: String, _ error: HPACKError) {
        guarded.with(bytes(hex: hex)) { block in
            #expect(HPACKTrace.decoding(block, with: HPACKDecoder(tableBytesMax: 4096)).error == error)
            #expect(HPACKTrace.skipping(block, with: HPACKDecoder(tableBytesMax: 4096)).error == error)
        }
    }

    @Test func integersMayBeSpelledLongerThanTheyAre() {
        let trace = HPACKTrace.decoding(bytes(hex: "0f80 8080 8000 0161"), with: HPACKDecoder(tableBytesMax: 4096))
        #expect(trace.fields == ["accept-charset: a"])
    }

    @Test func anEmptyEncodedStringIsEmpty() {
        let trace = HPACKTrace.decoding(bytes(hex: "0001 6180 0080 00"), with: HPACKDecoder(tableBytesMax: 4096))
        #expect(trace.fields == ["a: ", ": "])
        #expect(trace.error == nil)
    }

    @Test func updatesMayOpenEveryBlockAndNothingElse() {
        let decoder = HPACKDecoder(tableBytesMax: 4096)
        #expect(HPACKTrace.decoding(bytes(hex: "203fe11f4001610162"), with: decoder).fields == ["a: b"])
        #expect(decoder.table.sizeMax == 4096)
        #expect(HPACKTrace.decoding(bytes(hex: "be"), with: decoder).fields == ["a: b"])
        // A block of updates alone is a block without fields.
        #expect(HPACKTrace.decoding(bytes(hex: "20"), with: decoder) == HPACKTrace())
        #expect(decoder.table.count == 0)
        #expect(decoder.table.allocatedBytes == 0)
        #expect(HPACKTrace.decoding(bytes(hex: "be"), with: decoder).error == .indexInvalid)
    }

    @Test func anEntryLargerThanTheTableEmptiesIt() {
        for skips in [false, true] {
            let decoder = HPACKDecoder(tableBytesMax: 4096, initially: 40)
            for (hex, contents) in [("4001610162", ["a: b"]), ("40 0161 08 6262626262626262", [])] {
                let block = bytes(hex: hex)
                let trace =
                    skips
                    ? HPACKTrace.skipping(block.span, with: decoder) : HPACKTrace.decoding(block, with: decoder)
                #expect(trace.error == nil)
                #expect(decoder.table.contents == contents)
            }
        }
    }

    /// RFC 7541 §4.4: the name of the entry that must go may be the new one's.
    @Test func anEntryMayTakeTheNameOfTheOneItEvicts() {
        for skips in [false, true] {
            let decoder = HPACKDecoder(tableBytesMax: 4096, initially: 80)
            var block = bytes(hex: "40 08 6162636465666768 10") + Array("sixteen letters.".utf8)
            for value in ["another sixteen.", "the third of it."] { block += [0x7E, 0x10] + Array(value.utf8) }
            let trace =
                skips ? HPACKTrace.skipping(block.span, with: decoder) : HPACKTrace.decoding(block, with: decoder)
            #expect(trace.sizes == [56, 56, 56])
            #expect(decoder.table.contents == ["abcdefgh: the third of it."])
        }
    }

    /// One long entry and thousands of one-byte references to it.
    @Test func aBombCostsNothingToSkip() {
        let decoder = HPACKDecoder(tableBytesMax: 4096)
        let entry = [0x40, 0x01, 0x61, 0x7F, 0xE1, 0x1D] + [UInt8](repeating: 0x62, count: 127 + 0x61 + 29 * 128)
        #expect(HPACKTrace.decoding(entry, with: decoder).error == nil)
        let allocated = decoder.table.allocatedBytes
        let block = [UInt8](repeating: 0xBE, count: 60_000)
        let trace = HPACKTrace.skipping(block.span, with: decoder)
        #expect(trace.sizes.count == 60_000)
        #expect(trace.sizes.allSatisfy { $0 == entry.count - 6 + 33 })
        #expect(decoder.table.allocatedBytes == allocated)
    }

    @Test func theTableTakesMemoryAsItNeedsAndNoMoreThanTwiceItsSize() {
        let decoder = HPACKDecoder(tableBytesMax: 4096)
        #expect(decoder.table.allocatedBytes == 0)
        _ = HPACKTrace.decoding(bytes(hex: "4001610162"), with: decoder)
        #expect(decoder.table.allocatedBytes <= 512)
        var random = Random(seed: 7)
        for round in 0..<5000 {
            let name = (0..<Int.random(in: 0...30, using: &random)).map { _ in
                UInt8.random(in: 97...122, using: &random)
            }
            let value = (0..<Int.random(in: 0...90, using: &random)).map { _ in
                UInt8.random(in: 32...126, using: &random)
            }
            let block = [0x40, UInt8(name.count)] + name + [UInt8(value.count)] + value
            let trace =
                round.isMultiple(of: 2)
                ? HPACKTrace.decoding(block, with: decoder) : HPACKTrace.skipping(block.span, with: decoder)
            #expect(trace.sizes == [name.count + value.count + 32])
            let line = String(decoding: name, as: UTF8.self) + ": " + String(decoding: value, as: UTF8.self)
            #expect(decoder.table.contents.first == line)
        }
        #expect(decoder.table.allocatedBytes <= 2 * 4096 + 8 + 128 * MemoryLayout<HPACKEntry>.stride)
    }
}
