import Core
import Testing

@testable import IO

@Suite struct TLSClientHelloTests {
    /// Records with a hello of TLS 1.2 or later: extensions are (type, body).
    private func hello(_ extensions: [(Int, [UInt8])]?, recordBytes: Int = 1 << 14) -> [UInt8] {
        func u16(_ value: Int) -> [UInt8] { [UInt8(value >> 8), UInt8(value & 255)] }
        var body: [UInt8] = [3, 3] + [UInt8](repeating: 7, count: 32)
        body += [4, 1, 2, 3, 4]
        body += u16(4) + [0x13, 1, 0x13, 2] + [1, 0]
        if let extensions {
            let list = extensions.flatMap { u16($0.0) + u16($0.1.count) + $0.1 }
            body += u16(list.count) + list
        }
        let message = [1, 0] + u16(body.count) + body
        var records: [UInt8] = []
        var position = 0
        while position < message.count {
            let part = message[position..<min(position + recordBytes, message.count)]
            records += [22, 3, 1] + u16(part.count) + part
            position += part.count
        }
        return records
    }

    private func serverName(_ name: String) -> (Int, [UInt8]) {
        let count = name.utf8.count
        return (0, [0, UInt8(count + 3), 0, 0, UInt8(count)] + Array(name.utf8))
    }

    private func alpn(_ names: [String]) -> (Int, [UInt8]) {
        let list = names.flatMap { [UInt8($0.utf8.count)] + Array($0.utf8) }
        return (16, [0, UInt8(list.count)] + list)
    }

    private func outcome(_ bytes: some Sequence<UInt8>) -> TLSClientHello.Outcome {
        let bytes = Array(bytes)
        return TLSClientHello.parse(bytes.span)
    }

    private func parsed(_ bytes: [UInt8]) -> (name: String?, offersHTTP2: Bool)? {
        guard case .hello(let range, let offersHTTP2) = outcome(bytes) else { return nil }
        return (range.map { String(decoding: bytes[$0], as: UTF8.self) }, offersHTTP2)
    }

    private var usual: [UInt8] {
        hello([(10, [0, 2, 0, 29]), serverName("Shop.example"), alpn(["http/1.1", "h2", "h3"]), (43, [2, 3, 4])])
    }

    @Test func theNameAndTheOfferAreFound() throws {
        let found = try #require(parsed(usual))
        #expect(found == ("Shop.example", true))
        let other = try #require(parsed(hello([alpn(["http/1.1"]), serverName("a")])))
        #expect(other == ("a", false))
    }

    @Test func aHelloMayNameNobody() throws {
        #expect(try #require(parsed(hello([(43, [2, 3, 4])]))) == (nil, false))
        #expect(try #require(parsed(hello([]))) == (nil, false))
        #expect(try #require(parsed(hello(nil))) == (nil, false))
    }

    @Test func everyCutNeedsMore() {
        let whole = usual
        for count in 0..<whole.count { #expect(outcome(whole[..<count]) == .needMore) }
        #expect(parsed(whole + [23, 3, 3, 0, 1, 0]) != nil)
    }

    @Test func recordsMayEndAnywhereButWithinTheName() {
        let whole = [(10, [0, 2, 0, 29] as [UInt8]), serverName("shop.example"), alpn(["h2"])]
        var cutNames = 0
        for recordBytes in 1...200 {
            let bytes = hello(whole, recordBytes: recordBytes)
            if let found = parsed(bytes) {
                #expect(found == ("shop.example", true))
                for count in 0..<bytes.count { #expect(outcome(bytes[..<count]) == .needMore) }
            } else {
                #expect(outcome(bytes) == .notTLS)
                cutNames += 1
            }
        }
        #expect(cutNames > 10)
        #expect(cutNames < 100)
    }

    @Test(arguments: [
        "GET / HTTP/1.1\r\n", "PRI * HTTP/2.0\r\n", "\u{16}\u{2}", "\u{15}\u{3}\u{1}", "\u{80}\u{2e}\u{1}\u{3}",
    ])
    func otherProtocolsAreSeenAtOnce(_ text: String) {
        #expect(outcome(Array(text.utf8)) == .notTLS)
    }

    @Test(arguments: ["bad name", "a\u{0}b.example", "a/b"])
    func namesThatAreNoneAreRefused(_ name: String) {
        #expect(outcome(hello([serverName(name)])) == .notTLS)
    }

    @Test func twoNamesAreRefused() {
        #expect(outcome(hello([serverName("a"), serverName("b")])) == .notTLS)
    }

    @Test func lengthsThatDoNotFitAreRefused() {
        // The list of names, one name, the list of protocols and one of those, each a byte too long or too short.
        let name: [UInt8] = [0, 6, 0, 0, 3, 97, 98, 99]
        for (index, change) in [(1, 7), (1, 5), (4, 4), (4, 2)] as [(Int, UInt8)] {
            var body = name
            body[index] = change
            #expect(outcome(hello([(0, body), (99, [1, 2, 3])])) == .notTLS)
        }
        for (index, change) in [(1, 4), (1, 2), (2, 3), (2, 1), (2, 0)] as [(Int, UInt8)] {
            var body: [UInt8] = [0, 3, 2, 0x68, 0x32]
            body[index] = change
            #expect(outcome(hello([(16, body), (99, [1, 2, 3])])) == .notTLS)
        }
    }

    @Test func anEndlessHelloIsGivenUp() {
        let padding = (21, [UInt8](repeating: 0, count: 17_000))
        #expect(outcome(hello([padding])) == .notTLS)
        let crumbs = hello([(21, [UInt8](repeating: 0, count: 6_000))], recordBytes: 2)
        #expect(crumbs.count > TLSClientHello.bytesMax)
        #expect(outcome(crumbs) == .notTLS)
        #expect(outcome(crumbs[..<(TLSClientHello.bytesMax - 1)]) == .needMore)
    }

    @Test func everyMutationIsAnsweredAndStaysInBounds() {
        let whole = usual
        var answers = 0
        for index in whole.indices {
            for value in [0, 1, 2, 3, 0x16, 0x20, 0x7F, 0x80, 0xFF] as [UInt8] {
                var mutated = whole
                mutated[index] = value
                switch outcome(mutated) {
                case .hello(let range, _):
                    if let range { #expect(range.lowerBound > 0 && range.upperBound <= mutated.count) }
                case .needMore, .notTLS: break
                }
                answers += 1
            }
        }
        #expect(answers == whole.count * 9)
    }
}
