import Config
import Core
import HTTP
import Testing

@testable import Traffic

/// `X-Forwarded-Client-Cert`: who writes it, and what certificates can do to it.
@Suite struct ForwardedCertificateTests {
    private static let proxy = IPAddress("10.0.0.1")!
    private static let stranger = IPAddress("203.0.113.9")!

    private let web = ClientIdentity(
        subject: "CN=web,O=shop",
        alternativeNames: [
            .init(kind: .dns, value: "web.shop.local"), .init(kind: .uri, value: "spiffe://shop/web"),
            .init(kind: .ip, value: "10.0.0.7"), .init(kind: .email, value: "a@shop.local"),
            .init(kind: .dns, value: "www.shop.local"),
        ],
        fingerprint: "00ff")
    private let element =
        "Hash=00ff;Subject=\"CN=web,O=shop\";URI=spiffe://shop/web;DNS=web.shop.local;DNS=www.shop.local"

    private func sent(
        _ identity: ClientIdentity?, by peer: IPAddress?, writes: Bool = true, _ claims: String...
    ) -> [String] {
        var configuration = ForwardedConfiguration()
        configuration.trustedProxies = [NetworkPrefix("10.0.0.0/8")!]
        configuration.xForwarded = false
        configuration.via = false
        configuration.requestID = false
        configuration.clientCertificate = writes
        let head = request(fields: claims.map { ("x-forwarded-client-cert", $0) })
        var random = Random(seed: 1)
        _ = ForwardedFields(configuration)
            .apply(to: head, peer: peer, isSecure: true, random: &random, identity: identity)
        return lines(head.headers)
    }

    @Test func aVerifiedCertificateIsDescribed() {
        #expect(sent(web, by: Self.stranger) == ["X-Forwarded-Client-Cert: \(element)"])
        #expect(sent(web, by: nil) == ["X-Forwarded-Client-Cert: \(element)"])
        #expect(sent(nil, by: Self.stranger) == [])
    }

    @Test func byDefaultItIsNot() {
        #expect(!ForwardedConfiguration().clientCertificate)
        #expect(sent(web, by: Self.stranger, writes: false) == [])
    }

    @Test func claimsOfPeersThatAreNotTrustedAreDropped() {
        #expect(sent(web, by: Self.stranger, "Hash=evil") == ["X-Forwarded-Client-Cert: \(element)"])
        #expect(sent(nil, by: Self.stranger, "Hash=evil") == [])
        #expect(sent(nil, by: Self.stranger, writes: false, "Hash=evil") == [])
        #expect(sent(nil, by: nil, "Hash=evil") == [])
    }

    @Test func claimsOfTrustedPeersStandBeforeTheirOwnCertificate() {
        #expect(
            sent(web, by: Self.proxy, "Hash=aa", "Hash=bb") == ["X-Forwarded-Client-Cert: Hash=aa,Hash=bb,\(element)"])
        #expect(sent(nil, by: Self.proxy, "Hash=aa") == ["x-forwarded-client-cert: Hash=aa"])
        #expect(sent(web, by: Self.proxy, "") == ["X-Forwarded-Client-Cert: \(element)"])
    }

    @Test(arguments: [
        (#"CN=a\, b"#, #"Subject="CN=a\\, b""#),
        (#"CN=\"x;URI=spiffe://shop/admin"#, #"Subject="CN=\\\"x;URI=spiffe://shop/admin""#),
        ("CN=a\r\nX-Evil: 1\u{7F}", #"Subject="CN=a??X-Evil: 1?""#), ("CN=ä", #"Subject="CN=ä""#), ("", #"Subject="""#),
    ])
    func noSubjectLeavesItsQuotes(_ subject: String, _ expected: String) {
        let identity = ClientIdentity(subject: subject, alternativeNames: [], fingerprint: "00")
        #expect(sent(identity, by: nil) == ["X-Forwarded-Client-Cert: Hash=00;\(expected)"])
    }

    @Test(arguments: [
        ("spiffe://a/b", "spiffe://a/b"), ("urn:a;DNS=b", #""urn:a;DNS=b""#), ("a,b", #""a,b""#), ("a b", #""a b""#),
        (#"a"b"#, #""a\"b""#), ("a\nb", #""a?b""#), ("http://a?b=c", #""http://a?b=c""#),
    ])
    func namesAreQuotedWhereTheyWouldBeReadOtherwise(_ name: String, _ expected: String) {
        let identity = ClientIdentity(
            subject: "", alternativeNames: [.init(kind: .uri, value: name)], fingerprint: "00")
        #expect(sent(identity, by: nil) == [#"X-Forwarded-Client-Cert: Hash=00;Subject="";URI="# + expected])
    }
}
