import Core
import Testing

@testable import HTTP

/// Every known block, cut and changed at every byte, against an unreadable page; decoding and skipping must agree.
@Suite struct HPACKCutTests {
    private let guarded = GuardedInput(room: 16384)

    /// The connections known: the blocks of each, in order.
    private static let connections: [[[UInt8]]] =
        HPACKExample.all.map { $0.blocks.map { bytes(hex: $0.hex) } } + [HPACKVectors.blocks.map { bytes(hex: $0.hex) }]

    /// Decodes and skips `block` after the ones before it; tells what decoding made of it.
    private func check(_ block: some Collection<UInt8>, after earlier: ArraySlice<[UInt8]>) -> HPACKTrace {
        let decoding = HPACKDecoder(tableBytesMax: 8192)
        let skipping = HPACKDecoder(tableBytesMax: 8192)
        for block in earlier {
            _ = HPACKTrace.decoding(block, with: decoding)
            _ = HPACKTrace.skipping(block.span, with: skipping)
        }
        let decoded = guarded.with(block) { HPACKTrace.decoding($0, with: decoding) }
        let skipped = guarded.with(block) { HPACKTrace.skipping($0, with: skipping) }
        #expect(skipped.sizes == decoded.sizes)
        #expect(skipped.error == decoded.error)
        #expect(skipping.table.contents == decoding.table.contents)
        return decoded
    }

    @Test func aCutBlockIsTruncatedOrEndsAfterAField() {
        for blocks in Self.connections {
            for (index, block) in blocks.enumerated() {
                let earlier = blocks[..<index]
                let whole = check(block, after: earlier)
                #expect(whole.error == nil)
                for cut in 0..<block.count {
                    let part = check(block.prefix(cut), after: earlier)
                    #expect(part.fields == Array(whole.fields.prefix(part.fields.count)))
                    #expect(part.error == nil || part.error == .truncated, "cut at \(cut)")
                }
            }
        }
    }

    @Test func aChangedByteNeverTraps() {
        for blocks in Self.connections {
            for (index, block) in blocks.enumerated() where block.count < 200 {
                for position in block.indices {
                    var changed = block
                    for mark: UInt8 in [0, 0x0F, 0x1F, 0x20, 0x3F, 0x40, 0x7F, 0x80, 0x81, 0xBE, 0xFE, 0xFF] {
                        changed[position] = mark
                        _ = check(changed, after: blocks[max(0, index - 1)..<index])
                    }
                }
            }
        }
    }

    @Test func randomBytesNeverTrap() {
        var random = Random(seed: 7541)
        var whole = 0
        for _ in 0..<3000 {
            var earlier: [[UInt8]] = []
            for _ in 0..<3 {
                earlier.append(
                    (0..<Int.random(in: 0...40, using: &random)).map { _ in .random(in: 0...255, using: &random) })
            }
            if check(earlier[2], after: earlier[..<2]).error == nil { whole += 1 }
        }
        #expect(whole > 0)
    }
}
