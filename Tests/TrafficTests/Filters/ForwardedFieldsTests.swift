import Config
import Core
import HTTP
import Testing

@testable import Traffic

@Suite struct ForwardedFieldsTests {
    private static let proxy = IPAddress("10.0.0.1")!
    private static let stranger = IPAddress("203.0.113.9")!

    private func fields(_ change: (inout ForwardedConfiguration) -> Void = { _ in }) -> ForwardedFields {
        var configuration = ForwardedConfiguration()
        configuration.trustedProxies = [NetworkPrefix("10.0.0.0/8")!, NetworkPrefix("fd00::/8")!]
        configuration.via = false
        configuration.requestID = false
        change(&configuration)
        return ForwardedFields(configuration)
    }

    private func applied(
        _ fields: ForwardedFields, _ head: RequestHead, _ peer: IPAddress?, isSecure: Bool = false
    ) -> ForwardedFields.Origin {
        var random = Random(seed: 3)
        return fields.apply(to: head, peer: peer, isSecure: isSecure, random: &random)
    }

    // MARK: Untrusted peers

    @Test func whatAnUntrustedPeerClaimsIsReplaced() {
        let head = request(
            host: "shop.local:8000",
            fields: [
                ("x-forwarded-for", "1.1.1.1"), ("Forwarded", "for=1.1.1.1"), ("X-Forwarded-Proto", "https"),
                ("X-Forwarded-For", "2.2.2.2"), ("X-Forwarded-Host", "evil"), ("X-Forwarded-Port", "1"),
                ("X_Forwarded_For", "3.3.3.3"), ("x-forwardedness", "kept"), ("Accept", "a"),
            ])
        let origin = applied(fields(), head, Self.stranger)
        #expect(origin == ForwardedFields.Origin(client: Self.stranger, isSecure: false, requestID: .empty))
        #expect(
            lines(head.headers) == [
                "Host: shop.local:8000", "x-forwardedness: kept", "Accept: a", "X-Forwarded-For: 203.0.113.9",
                "X-Forwarded-Proto: http", "X-Forwarded-Host: shop.local:8000",
            ])
    }

    @Test func claimsAreDroppedEvenWhereNothingIsWritten() {
        let head = request(fields: [("X-Forwarded-For", "1.1.1.1"), ("Forwarded", "for=1.1.1.1"), ("A", "b")])
        _ = applied(fields { $0.xForwarded = false }, head, Self.stranger)
        #expect(lines(head.headers) == ["A: b"])
    }

    @Test func withoutHostNoHostIsForwarded() {
        let head = request()
        _ = applied(fields { $0.forwarded = true }, head, IPAddress("2001:db8::7")!, isSecure: true)
        #expect(
            lines(head.headers) == [
                "X-Forwarded-For: 2001:db8::7", "X-Forwarded-Proto: https",
                "Forwarded: for=\"[2001:db8::7]\";proto=https",
            ])
    }

    @Test func aUnixSocketHasNoAddressAndNoTrust() {
        let head = request(host: "a", fields: [("X-Forwarded-For", "1.1.1.1")])
        let origin = applied(fields { $0.forwarded = true }, head, nil)
        #expect(origin.client == nil)
        #expect(
            lines(head.headers) == [
                "Host: a", "X-Forwarded-Proto: http", "X-Forwarded-Host: a", "Forwarded: for=unknown;host=a;proto=http",
            ])
    }

    @Test func mappedAddressesAreWrittenAsIPv4() {
        let head = request()
        _ = applied(fields(), head, IPAddress("::ffff:203.0.113.9")!)
        #expect(lines(head.headers)[0] == "X-Forwarded-For: 203.0.113.9")
    }

    // MARK: Trusted peers

    @Test func whatATrustedPeerClaimsIsExtended() {
        let head = request(
            host: "inner",
            fields: [
                ("X-Forwarded-For", "9.9.9.9, 203.0.113.9"), ("X-Forwarded-Proto", "https"),
                ("x-forwarded-for", "10.0.0.2"), ("X-Forwarded-Host", "shop.test"), ("X-Forwarded-Port", "443"),
                ("Forwarded", "for=203.0.113.9"),
            ])
        let origin = applied(fields { $0.forwarded = true }, head, Self.proxy)
        #expect(origin.client == Self.stranger)
        #expect(origin.isSecure)
        #expect(
            lines(head.headers) == [
                "Host: inner", "X-Forwarded-Proto: https", "X-Forwarded-Host: shop.test", "X-Forwarded-Port: 443",
                "X-Forwarded-For: 9.9.9.9, 203.0.113.9, 10.0.0.2, 10.0.0.1",
                "Forwarded: for=203.0.113.9, for=10.0.0.1;host=inner;proto=http",
            ])
    }

    @Test(arguments: [
        ("203.0.113.9", "203.0.113.9"), ("203.0.113.9, 10.0.0.2", "203.0.113.9"),
        ("1.1.1.1, 203.0.113.9, 10.0.0.2", "203.0.113.9"), ("10.0.0.3, 10.0.0.2", "10.0.0.3"),
        ("1.1.1.1, unknown, 10.0.0.2", "10.0.0.2"), ("unknown", "10.0.0.1"), ("", "10.0.0.1"), (",,", "10.0.0.1"),
        ("1.1.1.1,[2001:db8::1]:99,10.0.0.2", "2001:db8::1"), ("fd00::2", "fd00::2"), ("1.1.1.1, fd00::2", "1.1.1.1"),
        ("1.1.1.1:5000", "1.1.1.1"), ("1.1.1.1, garbage", "10.0.0.1"),
    ])
    func theClientIsTheFirstUntrustedFromTheRight(_ value: String, _ expected: String) {
        let head = request(fields: [("X-Forwarded-For", value)])
        #expect(applied(fields(), head, Self.proxy).client == IPAddress(expected)!)
    }

    @Test(arguments: [
        ("for=203.0.113.9;proto=https", "203.0.113.9", true), ("For=\"203.0.113.9:80\"", "203.0.113.9", false),
        ("for=1.1.1.1, for=\"[2001:db8::1]:80\";proto=HTTPS;by=x, for=10.0.0.2;proto=http", "2001:db8::1", true),
        ("for=1.1.1.1;proto=https, for=_hidden, for=10.0.0.2", "10.0.0.2", false),
        ("for=unknown;proto=https", "10.0.0.1", true), ("proto=https;for=10.0.0.9", "10.0.0.9", true),
        ("by=\"a;b, for=9.9.9.9\";for=1.1.1.1", "1.1.1.1", false), ("for=\"1.1.1.1", "1.1.1.1", false),
        ("for=\"1.1\\", "10.0.0.1", false), (";;,,", "10.0.0.1", false), ("for", "10.0.0.1", false),
    ])
    func forwardedIsReadWhereTheOtherIsAbsent(_ value: String, _ client: String, _ isSecure: Bool) {
        let head = request(fields: [("Forwarded", value)])
        let origin = applied(fields(), head, Self.proxy)
        #expect(origin.client == IPAddress(client)!)
        #expect(origin.isSecure == isSecure)
        let chain = client == "10.0.0.1" ? client : "\(client), 10.0.0.1"
        #expect(lines(head.headers).contains("X-Forwarded-For: \(chain)"))
        #expect(lines(head.headers).contains("X-Forwarded-Proto: \(isSecure ? "https" : "http")"))
        #expect(lines(head.headers).contains("Forwarded: \(value)"))
    }

    @Test func theFirstProtocolOfAListIsTheClients() {
        for (value, isSecure) in [("https, http", true), ("HTTP", false), ("wss", true), (" https ", true)] {
            let head = request(fields: [("X-Forwarded-Proto", value)])
            #expect(applied(fields(), head, Self.proxy, isSecure: true).isSecure == isSecure)
        }
    }

    @Test func growingStorageKeepsWhatIsCopied() {
        let chain = Array(repeating: "198.51.100.77", count: 300).joined(separator: ", ")
        let host = String(repeating: "h", count: 3000)
        let head = request(host: host, fields: [("X-Forwarded-For", chain)])
        _ = applied(fields { $0.forwarded = true }, head, Self.proxy)
        #expect(lines(head.headers).contains("X-Forwarded-For: \(chain), 10.0.0.1"))
        #expect(lines(head.headers).contains("X-Forwarded-Host: \(host)"))
        #expect(lines(head.headers).contains("Forwarded: for=10.0.0.1;host=\(host);proto=http"))
        #expect(head.bytes(head.authority).text == host)
    }

    @Test func aHostThatIsNoTokenIsQuoted() {
        let head = request(host: "a:1\"\\")
        _ = applied(fields { $0.forwarded = true }, head, Self.stranger)
        #expect(lines(head.headers).last == "Forwarded: for=203.0.113.9;host=\"a:1\\\"\\\\\";proto=http")
    }

    @Test func nothingAPeerWritesStopsTheReading() {
        var random = Random(seed: 4)
        let likely = Array("for=;,\"\\[]: 1.:proto=https".utf8)
        for _ in 0..<5000 {
            let count = Int.random(in: 0..<40, using: &random)
            let bytes = (0..<count).map { _ in likely.randomElement(using: &random)! }
            let value = String(decoding: bytes, as: UTF8.self)
            for name in ["Forwarded", "X-Forwarded-For"] {
                let head = request(fields: [(name, value)])
                #expect(applied(fields(), head, Self.proxy).client != nil)
            }
        }
    }

    // MARK: Via and identifiers

    @Test func viaIsAddedAsALineOfItsOwn() {
        let fields = fields {
            $0.via = true
            $0.xForwarded = false
        }
        let head = request(fields: [("Via", "1.0 other")])
        _ = applied(fields, head, Self.stranger)
        #expect(lines(head.headers) == ["Via: 1.0 other", "Via: 1.1 sidecar"])
        let response = ResponseHead()
        fields.appendVia(to: response.headers, received: .http10)
        self.fields().appendVia(to: response.headers, received: .http10)
        #expect(lines(response.headers) == ["Via: 1.0 sidecar"])
    }

    private func identifier(_ peer: IPAddress?, _ values: String..., writes: Bool = true) -> (String, [String]) {
        let fields = fields {
            $0.requestID = writes
            $0.xForwarded = false
        }
        let head = request(fields: values.map { ("X-Request-Id", $0) })
        let origin = applied(fields, head, peer)
        return (head.bytes(origin.requestID).text, lines(head.headers))
    }

    @Test func aTrustedPeersIdentifierIsKept() {
        let (identifier, lines) = identifier(Self.proxy, "abc-123")
        #expect(identifier == "abc-123")
        #expect(lines == ["X-Request-Id: abc-123"])
        let longest = String(repeating: "a", count: 128)
        #expect(self.identifier(Self.proxy, longest).0 == longest)
    }

    @Test func otherwiseItIsAFreshRandomUUID() throws {
        let pattern = try Pattern("^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$")
        let fresh = [
            identifier(Self.proxy), identifier(Self.stranger, "abc"), identifier(nil),
            identifier(Self.proxy, "two words"), identifier(Self.proxy, "é"), identifier(Self.proxy, ""),
            identifier(Self.proxy, String(repeating: "a", count: 129)), identifier(Self.proxy, "one", "two"),
        ]
        for (identifier, lines) in fresh {
            #expect(pattern.match(identifier.bytes.span, PatternScratch()) == .match, "\(identifier)")
            #expect(lines == ["x-request-id: \(identifier)"])
        }
    }

    @Test func everyRequestHasItsOwnIdentifier() {
        let fields = fields { $0.requestID = true }
        var random = Random(seed: 1)
        var seen: Set<String> = []
        for _ in 0..<1000 {
            let head = request()
            let origin = fields.apply(to: head, peer: Self.stranger, isSecure: false, random: &random)
            seen.insert(head.bytes(origin.requestID).text)
        }
        #expect(seen.count == 1000)
    }

    @Test func whereIdentifiersAreNotWrittenThoseOfRequestsPass() {
        #expect(identifier(Self.stranger, "abc", writes: false) == ("abc", ["X-Request-Id: abc"]))
        #expect(identifier(Self.stranger, writes: false) == ("", []))
        #expect(identifier(Self.stranger, "a b", writes: false) == ("", ["X-Request-Id: a b"]))
    }
}
