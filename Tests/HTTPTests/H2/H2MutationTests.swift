import Core
import Testing

@testable import HTTP

/// Frames changed, cut, doubled and mixed at random: a session survives all of it, and says the same however they arrive.
@Suite struct H2MutationTests {
    private static var limits: H2Limits {
        var limits = H2Limits()
        limits.streamsMax = 8
        limits.streamWindow = 1000
        return limits
    }

    private static func owner(_ role: H2Session.Role) -> H2Owner {
        let owner = H2Owner(role, limits: limits)
        guard role == .client else {
            owner.responds = true
            owner.feed(H2Wire.preface + H2Wire.settings())
            return owner
        }
        owner.feed(H2Wire.settings())
        for _ in 0..<4 {
            owner.request("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n", ends: false)
        }
        return owner
    }

    private static let marks: [UInt8] = [
        0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 0x0A, 0x0D, 0x20, 0x25, 0x3F, 0x40, 0x7F, 0x80, 0xBE, 0xFF,
    ]

    private static func mutated(_ bytes: [UInt8], _ random: inout Random) -> [UInt8] {
        var bytes = bytes
        for _ in 0...random.next() % 4 {
            guard !bytes.isEmpty else { break }
            let position = Int(random.next() % UInt64(bytes.count))
            switch random.next() % 5 {
            case 0: bytes.remove(at: position)
            case 1: bytes.insert(UInt8(truncatingIfNeeded: random.next()), at: position)
            case 2: bytes[position] = marks[Int(random.next() % UInt64(marks.count))]
            case 3: bytes[position] ^= 1 << UInt8(random.next() % 8)
            default: bytes.removeSubrange(position..<min(bytes.count, position + Int(random.next() % 12)))
            }
        }
        return bytes
    }

    /// What became of it, but for the pieces in which windows are given back.
    private static func outcome(_ owner: H2Owner) -> [String] {
        owner.events + owner.sent.filter { !$0.hasPrefix("WINDOW_UPDATE") }
    }

    private func survive(_ role: H2Session.Role, _ rules: [H2Rule], seed: UInt64, rounds: Int) {
        var random = Random(seed: seed)
        let small = rules.filter { $0.bytes.count < 2000 }
        for _ in 0..<rounds {
            var bytes: [UInt8] = []
            for _ in 0...random.next() % 3 {
                let rule = small[Int(random.next() % UInt64(small.count))]
                bytes += Self.mutated(rule.bytes, &random)
            }
            let whole = Self.owner(role)
            whole.feed(bytes)
            let cut = Int(random.next() % UInt64(bytes.count + 1))
            let parts = Self.owner(role)
            parts.feed(bytes.prefix(cut))
            parts.feed(bytes.dropFirst(cut))
            if Self.outcome(whole) != Self.outcome(parts) {
                Issue.record("cut at \(cut) of \(bytes): \(Self.outcome(whole)), \(Self.outcome(parts))")
                return
            }
        }
    }

    @Test(arguments: 1...8 as ClosedRange<UInt64>) func aServerSurvivesWhateverComes(_ seed: UInt64) {
        survive(.server, H2ServerRules.all, seed: seed, rounds: 1500)
    }

    @Test(arguments: 1...4 as ClosedRange<UInt64>) func aClientSurvivesWhateverComes(_ seed: UInt64) {
        survive(.client, H2ClientRules.all, seed: seed, rounds: 1500)
    }

    @Test func aSessionSurvivesNoise() {
        var random = Random(seed: 99)
        for round in 0..<2000 {
            let owner = Self.owner(round % 2 == 0 ? .server : .client)
            // Frame headers of likely kinds, and any bytes behind them.
            for _ in 0..<8 {
                let payload = (0..<random.next() % 40).map { _ in UInt8(truncatingIfNeeded: random.next()) }
                owner.feed(
                    H2Wire.frame(
                        UInt8(random.next() % 11), UInt8(truncatingIfNeeded: random.next()) & 0x2D,
                        UInt32(random.next() % 8), payload))
            }
            #expect(owner.session.streamsOpen <= 8)
        }
    }

    @Test func fieldListsChangedAnywhereAreHeadsOrRefused() {
        var random = Random(seed: 5)
        let output = Buffer(capacity: 64)
        for (fields, _) in H2HeadsCorpus.requests {
            let block = H2Wire.block(fields)
            for _ in 0..<300 {
                let owner = H2Owner(.server)
                owner.feed(H2Wire.preface + H2Wire.settings() + H2Wire.frame(1, 5, 1, Self.mutated(block, &random)))
                guard owner.events.last?.hasPrefix("request") == true else { continue }
                // What is taken for a request is one in HTTP/1, and the only one.
                let head = owner.requestHead
                head.headers.removeHopByHop()
                output.clear()
                let connection: ConnectionOptions = head.isExtendedConnect ? .upgrade : []
                H1Writer.writeRequest(head, framing: head.framing, connection: connection, into: output)
                let again = ParsedHead.request(output.readable)
                guard case .complete(output.readableCount, _) = again else {
                    Issue.record("not understood again: \(output.text.debugDescription): \(again)")
                    return
                }
            }
        }
    }
}
