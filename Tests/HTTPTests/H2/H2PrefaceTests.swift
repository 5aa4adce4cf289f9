import Testing

@testable import HTTP

@Suite struct H2PrefaceTests {
    private static let preface = Array("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8)

    @Test func itMatchesAsFarAsItHasCome() {
        for count in 0..<Self.preface.count {
            #expect(H2Preface.match(Array(Self.preface[..<count]).span) == .partly)
        }
        #expect(H2Preface.match(Self.preface.span) == .whole)
        #expect(H2Preface.match((Self.preface + [0, 0, 0, 4]).span) == .whole)
    }

    @Test func oneOtherByteIsEnough() {
        for index in Self.preface.indices {
            var bytes = Self.preface
            bytes[index] ^= 0x20
            #expect(H2Preface.match(bytes.span) == .no)
            #expect(H2Preface.match(Array(bytes[...index]).span) == .no)
        }
    }

    @Test(arguments: [
        "PUT / HTTP/1.1", "POST / HTTP/1.1", "PROPFIND / HTTP/1.1", "PRI /", "GET /", "\u{16}\u{3}", "PR ",
    ])
    func otherBeginningsAreNone(_ text: String) {
        #expect(H2Preface.match(Array(text.utf8).span) == .no)
    }
}
