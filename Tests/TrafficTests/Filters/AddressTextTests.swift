import Core
import Testing

@testable import Traffic

@Suite struct AddressTextTests {
    private func parsed(_ text: String) -> String? {
        IPAddress(forwarded: text.bytes.span).map { address in
            let output = Buffer(capacity: 4)
            output.append(address: address)
            return output.readable.text
        }
    }

    @Test(arguments: [
        ("1.2.3.4", "1.2.3.4"), ("255.255.255.255", "255.255.255.255"), ("0.0.0.0", "0.0.0.0"),
        ("1.2.3.4:80", "1.2.3.4"), ("1.2.3.4:_x", "1.2.3.4"), ("::", "::"), ("::1", "::1"), ("1::", "1::"),
        ("2001:DB8::1", "2001:db8::1"), ("[2001:db8::1]", "2001:db8::1"), ("[2001:db8::1]:443", "2001:db8::1"),
        ("1:2:3:4:5:6:7:8", "1:2:3:4:5:6:7:8"), ("1:0:0:2:0:0:0:3", "1:0:0:2::3"), ("1:0:0:2:3:0:0:4", "1::2:3:0:0:4"),
        ("1:0:2:3:4:5:6:7", "1:0:2:3:4:5:6:7"), ("::ffff:1.2.3.4", "1.2.3.4"), ("64:ff9b::1.2.3.4", "64:ff9b::102:304"),
        ("1:2:3:4:5:6:7::", "1:2:3:4:5:6:7:0"), ("::2:3:4:5:6:7:8", "0:2:3:4:5:6:7:8"), ("0:0::0:1", "::1"),
    ])
    func addressesAreReadAndWrittenCanonically(_ text: String, _ expected: String) {
        #expect(parsed(text) == expected)
    }

    @Test(arguments: [
        "", "1.2.3", "1.2.3.4.5", "1.2.3.256", "01.2.3.4", "1..2.3", "1.2.3.4.", "1.2.3.4:", "1.2.3.4:x",
        "1.2.3.4:123456", "unknown", "_hidden", ":", ":1", "1:", ":::", "1:2", "1:2:3:4:5:6:7:8:9", "1::2::3",
        "12345::", "[::1", "[::1]x", "[1.2.3.4]", "g::", "::1.2.3", "1:2:3:4:5:6:7:8::", "1:2:3:4:5:6:7:1.2.3.4",
        "fe80::1%eth0",
    ])
    func whatIsNoAddressIsRefused(_ text: String) {
        #expect(parsed(text) == nil)
    }

    @Test func itAgreesWithTheAddressesOwnText() {
        var random = Random(seed: 5)
        let output = Buffer(capacity: 64)
        for _ in 0..<5000 {
            // Few bits set: runs of zero groups are likely.
            func half() -> UInt64 { random.next() & random.next() & random.next() & 0xFF00_00FF_0F00_F000 }
            let address = IPAddress(high: half(), low: half())
            output.clear()
            output.append(address: address)
            #expect(output.readable.text == address.description)
            #expect(IPAddress(forwarded: output.readable) == address)
        }
    }
}
