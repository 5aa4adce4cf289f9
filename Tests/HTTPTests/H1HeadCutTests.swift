import Core
import Testing

@testable import HTTP

/// Every head of the corpus, cut and changed at every byte, against an unreadable page.
@Suite struct H1HeadCutTests {
    private let guarded = GuardedInput(room: 16384)

    private typealias Parse = @Sendable (Span<UInt8>, Int) -> ParsedHead.Outcome
    private static let parseRequest: Parse = { ParsedHead.request($0, scanned: $1) }
    private static let parseResponse: Parse = { ParsedHead.response($0, scanned: $1) }

    private static let requests = RequestCorpus.accepted + RequestCorpus.refused.map { $0.0 + "\r\n\r\n" }
    private static let responses = ResponseCorpus.accepted + ResponseCorpus.refused.map { $0.0 + "\r\n\r\n" }

    /// A cut head is incomplete or fails like the whole one; with the rest of the bytes it comes to what the whole
    /// comes to.
    private func checkCuts(_ text: String, _ parse: Parse) {
        let bytes = Array(text.utf8)
        let whole = guarded.with(bytes) { parse($0, 0) }
        for cut in 0..<bytes.count {
            let part = guarded.with(bytes.prefix(cut)) { parse($0, 0) }
            guard part == .needMore else {
                #expect(part == whole, "cut at \(cut) of \(text.debugDescription)")
                continue
            }
            let continued = guarded.with(bytes) { parse($0, cut) }
            #expect(continued == whole, "continued at \(cut) of \(text.debugDescription)")
        }
        var trickled = ParsedHead.Outcome.needMore
        for count in 1...bytes.count where trickled == .needMore {
            trickled = guarded.with(bytes.prefix(count)) { parse($0, count - 1) }
        }
        #expect(trickled == whole, "byte by byte: \(text.debugDescription)")
    }

    /// Whatever stands at a byte: the parser lives, and a cut there does not change its mind.
    private func checkMutations(_ text: String, _ parse: Parse) {
        let original = Array(text.utf8)
        let marks: [UInt8] = [
            0, 1, 9, 10, 13, 32, 34, 35, 44, 45, 47, 48, 58, 59, 63, 64, 65, 91, 97, 0x7F, 0x80, 0xFF,
        ]
        for position in original.indices {
            var bytes = original
            for mark in original.count < 200 ? marks : [0, 10, 13, 32, 58, 0xFF] {
                bytes[position] = mark
                let whole = guarded.with(bytes) { parse($0, 0) }
                let part = guarded.with(bytes.prefix(position + 1)) { parse($0, 0) }
                let continued = part == .needMore ? guarded.with(bytes) { parse($0, position + 1) } : part
                // A change may leave the head without an end. Then an error may wait for one.
                if continued != whole, whole.error == nil || continued != .needMore {
                    Issue.record("\(mark) at \(position) of \(text.debugDescription): \(whole), cut \(continued)")
                }
            }
        }
    }

    @Test(arguments: requests) func aRequestCutAnywhereAgreesWithTheWhole(_ text: String) {
        checkCuts(text, Self.parseRequest)
    }

    @Test(arguments: responses) func aResponseCutAnywhereAgreesWithTheWhole(_ text: String) {
        checkCuts(text, Self.parseResponse)
    }

    @Test(arguments: RequestCorpus.accepted) func aRequestChangedAnywhereLeavesTheParserAlive(_ text: String) {
        checkMutations(text, Self.parseRequest)
    }

    @Test(arguments: ResponseCorpus.accepted) func aResponseChangedAnywhereLeavesTheParserAlive(_ text: String) {
        checkMutations(text, Self.parseResponse)
    }
}
