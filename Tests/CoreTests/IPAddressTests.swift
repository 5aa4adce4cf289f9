import Glibc
import Testing

@testable import Core

@Suite struct IPAddressTests {
    private static let valid = [
        "0.0.0.0", "127.0.0.1", "255.255.255.255", "10.1.2.3", "::", "::1", "1::", "1::8", "fe80::1:2:3:4",
        "1:2:3:4:5:6:7:8",
        "1:2:3:4:5:6:7::", "::2:3:4:5:6:7:8", "2001:DB8::ff", "::ffff:1.2.3.4", "1:2:3:4:5:6:1.2.3.4", "::1.2.3.4",
        "0001:0002::", "64:ff9b::192.0.2.1",
    ]
    private static let invalid = [
        "", ".", "1", "1.2.3", "1.2.3.4.5", "1.2.3.", ".1.2.3", "1..2.3", "256.1.1.1", "01.2.3.4", "1.2.3.4 ",
        " 1.2.3.4",
        "1.2.3.1000", "0x1.2.3.4", ":", ":::", "1:", ":1", "1::2::3", "1:2:3:4:5:6:7", "1:2:3:4:5:6:7:8:9",
        "1:2:3:4:5:6:7:8::", "::1:2:3:4:5:6:7:8", "12345::", "g::", "::1%eth0", "[::1]", "1:2:3:4:5:6:7:1.2.3.4",
        "::1.2.3", "1.2.3.4::", "::1.2.3.4:5", "1:2:3:4:5:6:7::8:9", "-1::", "::ffff:1.2.3.4.5",
    ]

    /// What the C library makes of a text.
    private func bytes(_ text: String) -> [UInt8]? {
        var storage = [UInt8](repeating: 0, count: 16)
        let family = text.contains(":") ? AF_INET6 : AF_INET
        // SAFETY: sixteen bytes hold an address of either family.
        let parsed = unsafe storage.withUnsafeMutableBytes { unsafe inet_pton(family, text, $0.baseAddress) }
        guard parsed == 1 else { return nil }
        return family == AF_INET6 ? storage : [UInt8](repeating: 0, count: 10) + [0xFF, 0xFF] + storage.prefix(4)
    }

    private func number(_ bytes: some Sequence<UInt8>) -> UInt64 { bytes.reduce(0) { $0 << 8 | UInt64($1) } }

    @Test func textIsReadAsTheCLibraryReadsIt() throws {
        for text in Self.valid {
            let expected = try #require(bytes(text), "\(text)")
            let address = try #require(IPAddress(text), "\(text)")
            #expect(address.high == number(expected.prefix(8)) && address.low == number(expected.suffix(8)), "\(text)")
            #expect(IPAddress([UInt8](text.utf8).span) == address)
        }
        for text in Self.invalid {
            #expect(bytes(text) == nil, "\(text)")
            #expect(IPAddress(text) == nil, "\(text)")
        }
    }

    @Test func everyChangeOfAByteIsReadAsTheCLibraryReadsIt() {
        for text in Self.valid {
            for position in text.utf8.indices {
                for mark in "0159aFg.:%".utf8 {
                    var changed = Array(text.utf8)
                    changed[text.utf8.distance(from: text.utf8.startIndex, to: position)] = mark
                    let other = String(decoding: changed, as: UTF8.self)
                    #expect((IPAddress(other) == nil) == (bytes(other) == nil), "\(other)")
                }
            }
        }
    }

    @Test func aMappedAddressIsTheIPv4AddressItMaps() throws {
        #expect(IPAddress("::ffff:10.0.0.1") == IPAddress("10.0.0.1"))
        #expect(try #require(IPAddress("::ffff:10.0.0.1")).description == "10.0.0.1")
        #expect(try #require(IPAddress("10.0.0.1")).v4 == 0x0A00_0001)
    }

    @Test func textIsCanonical() throws {
        let cases = [
            ("0:0:0:0:0:0:0:0", "::"), ("0:0:0:0:0:0:0:1", "::1"), ("2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1"),
            ("2001:DB8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"), ("1:0:0:2:0:0:0:3", "1:0:0:2::3"), ("1::", "1::"),
            ("192.0.2.1", "192.0.2.1"),
        ]
        for (text, canonical) in cases { #expect(try #require(IPAddress(text)).description == canonical) }
        for text in Self.valid {
            let address = try #require(IPAddress(text))
            #expect(IPAddress(address.description) == address)
        }
    }

    @Test func loopbackAndUnspecifiedAreKnownInBothFamilies() throws {
        for text in ["127.0.0.1", "127.9.9.9", "::1"] { #expect(try #require(IPAddress(text)).isLoopback) }
        for text in ["128.0.0.1", "::2", "::"] { #expect(try #require(IPAddress(text)).isLoopback == false) }
        for text in ["0.0.0.0", "::"] { #expect(try #require(IPAddress(text)).isUnspecified) }
        #expect(!IPAddress.loopbackV6.isUnspecified && !IPAddress.loopbackV4.isUnspecified)
    }
}

@Suite struct NetworkPrefixTests {
    @Test func aNetworkHoldsItsAddressesOnly() throws {
        let cases = [
            ("10.0.0.0/8", "10.255.0.1", "11.0.0.0"), ("192.168.1.0/25", "192.168.1.127", "192.168.1.128"),
            ("fd00::/8", "fdff::1", "fe00::"),
            ("2001:db8::/65", "2001:db8::7fff:ffff:ffff:ffff", "2001:db8::8000:0:0:0"),
            ("2001:db8::/64", "2001:db8::1", "2001:db8:0:1::"), ("1.2.3.4", "1.2.3.4", "1.2.3.5"),
            ("0.0.0.0/0", "255.1.1.1", "::1"), ("::1", "::1", "::"), ("10.0.0.0/31", "10.0.0.1", "10.0.0.2"),
        ]
        for (network, inside, outside) in cases {
            let prefix = try #require(NetworkPrefix(network))
            #expect(prefix.contains(try #require(IPAddress(inside))), "\(network)")
            #expect(!prefix.contains(try #require(IPAddress(outside))), "\(network)")
        }
        #expect(try #require(NetworkPrefix("::/0")).contains(try #require(IPAddress("1.2.3.4"))))
    }

    @Test func malformedNetworksAreRefused() {
        for text in [
            "", "/8", "10.0.0.0/", "10.0.0.0/33", "::/129", "10.0.0.1/8", "::1/127", "10.0.0.0/-1", "10.0.0.0/ 8",
            "10.0.0.0/8/8", "10.0.0.0/0008",
        ] { #expect(NetworkPrefix(text) == nil, "\(text)") }
    }

    @Test func textShowsTheBitsOfItsOwnFamily() throws {
        for text in ["10.0.0.0/8", "fd00::/8", "1.2.3.4/32", "0.0.0.0/0"] {
            #expect(try #require(NetworkPrefix(text)).description == text)
        }
    }
}

@Suite struct SocketAddressTests {
    @Test func addressesRoundTrip() throws {
        for text in ["127.0.0.1:80", "[::1]:65535", "0.0.0.0:0", "unix:/run/x.sock", "unix:@abstract"] {
            #expect(try #require(SocketAddress(text)).description == text)
        }
        #expect(SocketAddress("[::1]:1") == .ip(.loopbackV6, port: 1))
        #expect(SocketAddress("127.0.0.1:80")?.port == 80)
        #expect(SocketAddress("unix:/x")?.ip == nil)
    }

    @Test func namesAndMalformedTextsAreNoAddresses() {
        for text in [
            "", "localhost:80", "127.0.0.1", "127.0.0.1:", "127.0.0.1:65536", "127.0.0.1:+1", "::1:80", "[::1]",
            "[::1]80",
            "[127.0.0.1]:80", "[::1:80", "unix:", "unix:/" + String(repeating: "a", count: 107), "unix:/a\0b",
            "127.0.0.1: 1",
        ] { #expect(SocketAddress(text) == nil, "\(text)") }
    }
}
