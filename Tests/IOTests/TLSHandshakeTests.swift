import Core
import Testing

@testable import IO

@Suite struct TLSHandshakeTests {
    @Test func bothEndsSpeakAfterTheHandshake() throws {
        let house = try TLSHouse()
        let pair = try house.pair()
        try pair.connect()
        #expect(pair.exchange("request", from: pair.client, to: pair.server) == "request")
        #expect(pair.exchange("response", from: pair.server, to: pair.client) == "response")
        let tls = try #require(pair.server.tls)
        #expect(pair.server.isEncrypted)
        #expect(tls.versionName == "TLSv1.3")
        #expect(tls.cipherName == "TLS_AES_128_GCM_SHA256")
        #expect(tls.serverName == "a.example")
        #expect(!tls.isResumed)
        #expect(tls.applicationProtocol == nil)
        #expect(tls.peerIdentity == nil)
    }

    struct Versions {
        let server: ClosedRange<TLSVersion>
        let client: ClosedRange<TLSVersion>
        let agreed: String?
    }

    @Test(arguments: [
        Versions(server: .v12 ... .v13, client: .v12 ... .v13, agreed: "TLSv1.3"),
        Versions(server: .v12 ... .v12, client: .v12 ... .v13, agreed: "TLSv1.2"),
        Versions(server: .v12 ... .v13, client: .v12 ... .v12, agreed: "TLSv1.2"),
        Versions(server: .v13 ... .v13, client: .v12 ... .v13, agreed: "TLSv1.3"),
        Versions(server: .v12 ... .v13, client: .v13 ... .v13, agreed: "TLSv1.3"),
        Versions(server: .v12 ... .v12, client: .v12 ... .v12, agreed: "TLSv1.2"),
        Versions(server: .v13 ... .v13, client: .v13 ... .v13, agreed: "TLSv1.3"),
        Versions(server: .v13 ... .v13, client: .v12 ... .v12, agreed: nil),
        Versions(server: .v12 ... .v12, client: .v13 ... .v13, agreed: nil),
    ])
    func theHighestCommonVersionIsSpoken(_ versions: Versions) throws {
        let house = try TLSHouse()
        let server = try house.server {
            $0.policy.minVersion = versions.server.lowerBound
            $0.policy.maxVersion = versions.server.upperBound
        }
        let client = try house.client {
            $0.policy.minVersion = versions.client.lowerBound
            $0.policy.maxVersion = versions.client.upperBound
        }
        let pair = try house.pair(server, client)
        guard let agreed = versions.agreed else {
            let outcomes = pair.handshake()
            #expect(failure(outcomes.server) == .protocolVersion)
            #expect(failure(outcomes.client) == .peerAlert)
            return
        }
        try pair.connect()
        #expect(pair.server.tls?.versionName == agreed)
        #expect(pair.client.tls?.versionName == agreed)
        #expect(pair.exchange("x", from: pair.server, to: pair.client) == "x")
    }

    @Test func ciphersAndGroupsAreThoseOfThePolicy() throws {
        let house = try TLSHouse()
        let server = try house.server {
            $0.policy.maxVersion = .v12
            $0.policy.ciphers12 = "ECDHE-ECDSA-AES256-GCM-SHA384"
            $0.policy.curves = "P-384"
        }
        let pair = try house.pair(server)
        try pair.connect()
        #expect(pair.client.tls?.cipherName == "ECDHE-ECDSA-AES256-GCM-SHA384")
        let others = try house.client { $0.policy.ciphers12 = "ECDHE-ECDSA-CHACHA20-POLY1305" }
        #expect(failure(try house.pair(server, others).handshake().server) == .noSharedCipher)
        let suites = try house.server { $0.policy.ciphersuites13 = "TLS_CHACHA20_POLY1305_SHA256" }
        let newer = try house.pair(suites)
        try newer.connect()
        #expect(newer.server.tls?.cipherName == "TLS_CHACHA20_POLY1305_SHA256")
    }

    @Test func theServerPrefersItsOwnOrder() throws {
        let house = try TLSHouse()
        let client = try house.client {
            $0.policy.maxVersion = .v12
            $0.policy.ciphers12 = "ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-ECDSA-AES128-GCM-SHA256"
        }
        let pair = try house.pair(nil, client)
        try pair.connect()
        #expect(pair.server.tls?.cipherName == "ECDHE-ECDSA-AES128-GCM-SHA256")
        let slow = try house.client {
            $0.policy.maxVersion = .v12
            $0.policy.ciphers12 = "ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-ECDSA-AES128-GCM-SHA256"
        }
        let chacha = try house.pair(nil, slow)
        try chacha.connect()
        #expect(chacha.server.tls?.cipherName == "ECDHE-ECDSA-CHACHA20-POLY1305")
    }

    // MARK: ALPN

    @Test(arguments: [(true, TLSApplicationProtocol.http2), (true, .http11), (false, .http11)])
    func theProtocolIsAgreedOn(offersHTTP2: Bool, wanted: TLSApplicationProtocol) throws {
        let house = try TLSHouse()
        let pair = try house.pair(
            try house.server { $0.offersHTTP2 = offersHTTP2 }, try house.client { $0.alpn = wanted })
        try pair.connect()
        #expect(pair.server.tls?.applicationProtocol == wanted)
        #expect(pair.client.tls?.applicationProtocol == wanted)
    }

    @Test func withoutACommonProtocolTheHandshakeFails() throws {
        let house = try TLSHouse()
        let pair = try house.pair(
            try house.server { $0.offersHTTP2 = false }, try house.client { $0.alpn = .http2 })
        let outcomes = pair.handshake()
        #expect(failure(outcomes.server) == .noApplicationProtocol)
        #expect(failure(outcomes.client) == .peerAlert)
    }

    // MARK: Peers that speak something else

    @Test(arguments: [
        "GET / HTTP/1.1\r\nHost: a.example\r\n\r\n", "\u{0}\u{1}\u{2}garbage that is long enough to be looked at",
    ])
    func whatIsNoTLSFails(_ text: String) throws {
        let house = try TLSHouse()
        let pair = try TLSPair(house.loop)
        try pair.server.beginTLS(try house.server())
        let output = Buffer(capacity: 256)
        output.append(text)
        #expect(pair.loop.turn { pair.client.isWritable })
        #expect(pair.client.write(output) == .bytes(text.utf8.count))
        var outcome = TLSHandshakeOutcome.wouldBlock
        #expect(
            pair.loop.turn {
                outcome = pair.server.handshake()
                return outcome != .wouldBlock
            })
        #expect(failure(outcome) == .notTLS)
        #expect(pair.server.handshake() == outcome)
    }

    @Test func aPeerThatGoesDuringTheHandshakeIsNamedSo() throws {
        let house = try TLSHouse()
        let pair = try TLSPair(house.loop)
        try pair.client.beginTLS(try house.client(), serverName: "a.example")
        #expect(pair.loop.turn { pair.client.isWritable })
        #expect(pair.client.handshake() == .wouldBlock)
        pair.server.shutdownWriting()
        var outcome = TLSHandshakeOutcome.wouldBlock
        #expect(
            pair.loop.turn {
                outcome = pair.client.handshake()
                return outcome != .wouldBlock
            })
        #expect(failure(outcome) == .peerClosed)
    }

    @Test func bytesThatWereReadBeforeAreHandedIn() throws {
        let house = try TLSHouse()
        let pair = try TLSPair(house.loop)
        try pair.client.beginTLS(try house.client { $0.alpn = .http2 }, serverName: "a.example")
        let received = Buffer(capacity: 4096)
        #expect(
            pair.loop.turn {
                _ = pair.client.handshake()
                _ = pair.server.read(into: received)
                return !received.isEmpty
            })
        guard case .hello(let name, let offersHTTP2) = TLSClientHello.parse(received.readable) else {
            Issue.record("no hello")
            return
        }
        #expect(received.bytes(try #require(name)).text == "a.example")
        #expect(offersHTTP2)
        try pair.server.beginTLS(try house.server(), received: received)
        try pair.connect()
        #expect(pair.exchange("x", from: pair.client, to: pair.server) == "x")
    }
}
