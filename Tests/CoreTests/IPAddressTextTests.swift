import Core
import Testing

@Suite struct IPAddressTextTests {
    private func text(_ address: IPAddress) -> String {
        let buffer = Buffer(capacity: 8)
        buffer.append(address)
        return buffer.readable.text
    }

    @Test(arguments: [
        "0.0.0.0", "127.0.0.1", "255.255.255.255", "::", "::1", "1::", "2001:db8::1", "2001:db8:0:1:1:1:1:1",
        "2001:0:0:1::1", "1:2:3:4:5:6:7:8", "fe80::1:0:0:1", "1:0:0:2::", "::fffe:0:1",
    ])
    func writtenTextIsTheCanonicalOne(_ canonical: String) throws {
        #expect(text(try #require(IPAddress(canonical))) == canonical)
    }

    @Test func everyPatternOfZeroGroupsAgreesWithTheDescription() {
        for pattern in 0..<256 {
            var high: UInt64 = 0
            var low: UInt64 = 0
            for group in 0..<8 where pattern >> group & 1 == 1 {
                if group < 4 { high |= 0xA << UInt64(48 - group * 16) } else { low |= 0xA << UInt64(112 - group * 16) }
            }
            let address = IPAddress(high: high, low: low)
            #expect(text(address) == address.description)
        }
    }
}
