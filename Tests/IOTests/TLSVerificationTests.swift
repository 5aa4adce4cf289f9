import Core
import TestSupport
import Testing

@testable import IO

/// Whom each end believes.
@Suite struct TLSVerificationTests {
    // MARK: Servers, as clients see them

    private func outcome(
        _ house: TLSHouse, _ certificate: TestAuthority.Issued, name: String = "a.example",
        _ change: (inout TLSClientSettings) -> Void = { _ in }
    ) throws -> TLSError? {
        let pair = try house.pair(try house.server([certificate]), try house.client(change), name: name)
        if case .failed(let error) = pair.handshake().client { return error }
        #expect(pair.exchange("x", from: pair.client, to: pair.server) == "x")
        return nil
    }

    @Test func theCertificateMustBeForTheName() throws {
        let house = try TLSHouse()
        for name in ["a.example", "A.EXAMPLE", "x.b.example", "127.0.0.1"] {
            #expect(try outcome(house, house.leaf, name: name) == nil)
        }
        for name in ["b.example", "x.y.b.example", "127.0.0.2", "::1"] {
            let error = try #require(try outcome(house, house.leaf, name: name))
            #expect(error.kind == .nameMismatch)
            #expect(error.text == "the certificate is not for \(name) but for a.example, *.b.example, 127.0.0.1")
        }
    }

    @Test func timesAreChecked() throws {
        let house = try TLSHouse()
        let old = house.authority.issue("old", names: "DNS:a.example", from: -7200, to: -3600)
        let error = try #require(try outcome(house, old))
        #expect(error.kind == .certificateExpired)
        #expect(error.text == "certificate has expired")
        let early = house.authority.issue("early", names: "DNS:a.example", from: 3600, to: 7200)
        #expect(try outcome(house, early)?.kind == .certificateNotYetValid)
    }

    @Test func theIssuerMustBeTrusted() throws {
        let house = try TLSHouse()
        let stranger = try TestAuthority("Other CA")
        #expect(try outcome(house, stranger.issue("a", names: "DNS:a.example"))?.kind == .unknownCA)
        #expect(try outcome(house, house.leaf) { $0.caPath = nil }?.kind == .unknownCA)
    }

    @Test func withoutVerificationAnythingPasses() throws {
        let house = try TLSHouse()
        let stranger = try TestAuthority("Other CA")
        let old = stranger.issue("a", names: "DNS:x.example", from: -7200, to: -3600)
        #expect(try outcome(house, old) { $0.verifies = false } == nil)
    }

    @Test(arguments: ["", "a b\u{0}c", String(repeating: "a", count: 300)])
    func whatIsNoNameCannotBeAskedFor(_ name: String) throws {
        let house = try TLSHouse()
        let pair = try TLSPair(house.loop)
        let client = try house.client()
        do {
            try pair.client.beginTLS(client, serverName: name)
            Issue.record("taken")
        } catch { #expect(error == IOError("server name", errno: 22)) }
        #expect(!pair.client.isEncrypted)
    }

    @Test func theServerHearsWhyItWasRefused() throws {
        let house = try TLSHouse()
        let old = house.authority.issue("old", names: "DNS:a.example", from: -7200, to: -3600)
        let outcome = try house.pair(try house.server([old])).handshake().server
        #expect(outcome == .failed(TLSError(.peerAlert, "the peer refused: certificate expired")))
    }

    @Test func aFileWithoutIssuersIsRefused() throws {
        let house = try TLSHouse()
        for (path, kind) in [
            (house.authority.path("absent"), TLSError.Kind.fileUnreadable),
            (house.authority.file("text", "nothing"), .notPEM),
        ] {
            do {
                _ = try house.client { $0.caPath = path }
                Issue.record("taken")
            } catch let error as TLSError {
                #expect(error.kind == kind)
                #expect(error.text.contains(path))
            }
        }
    }

    // MARK: Clients, as servers see them

    /// What the server makes of a client with this certificate, and who it is then.
    private func asked(
        _ house: TLSHouse, _ mode: TLSClientAuthentication, _ certificate: TestAuthority.Issued?, crl: String? = nil,
        version: TLSVersion = .v13
    ) throws -> (TLSHandshakeOutcome, TLSIdentity?) {
        let server = try house.server {
            $0.clientAuth = mode
            $0.clientCAPath = house.authority.caPath
            $0.clientCRLPath = crl
            $0.policy.maxVersion = version
        }
        let pair = try house.pair(server, try house.client { $0.certificate = certificate?.files })
        let outcome = pair.handshake().server
        return (outcome, pair.server.tls?.peerIdentity)
    }

    @Test(arguments: [TLSVersion.v12, .v13])
    func clientsAreAskedAsConfigured(_ version: TLSVersion) throws {
        let house = try TLSHouse()
        let names = "DNS:orders,URI:spiffe://shop/orders,IP:10.0.0.1,IP:::1,email:a@shop.example"
        let known = house.authority.issue("known", names: names, subject: "orders, \"the\" caf\u{E9}")
        let others = try TestAuthority("Other CA")
        let stranger = others.issue("stranger", names: nil)
        let old = house.authority.issue("old", names: nil, from: -7200, to: -3600)

        for mode in [TLSClientAuthentication.optional, .required] {
            let (outcome, identity) = try asked(house, mode, known, version: version)
            #expect(outcome == .complete)
            #expect(identity?.subject == "CN=orders\\, \\\"the\\\" caf\u{E9},O=Shop")
            #expect(
                identity?.names == [
                    TLSName(kind: .dns, value: "orders"), TLSName(kind: .uri, value: "spiffe://shop/orders"),
                    TLSName(kind: .ip, value: "10.0.0.1"), TLSName(kind: .ip, value: "::1"),
                    TLSName(kind: .email, value: "a@shop.example"),
                ])
            #expect(identity?.fingerprint.count == 64)
            #expect(failure(try asked(house, mode, stranger, version: version).0) == .unknownCA)
            #expect(failure(try asked(house, mode, old, version: version).0) == .certificateExpired)
        }
        #expect(failure(try asked(house, .required, nil, version: version).0) == .clientCertificateMissing)
        #expect(try asked(house, .optional, nil, version: version).0 == .complete)
        let (unasked, nobody) = try asked(house, .none, known, version: version)
        #expect(unasked == .complete)
        #expect(nobody == nil)
    }

    @Test func whatIsRevokedIsRefused() throws {
        let house = try TLSHouse()
        let good = house.authority.issue("good", names: nil)
        let bad = house.authority.issue("bad", names: nil)
        let list = house.authority.revoke([bad.serial])
        #expect(try asked(house, .required, good, crl: list).0 == .complete)
        #expect(failure(try asked(house, .required, bad, crl: list).0) == .certificateRevoked)
        #expect(try asked(house, .required, bad).0 == .complete)
    }

    @Test func theClientIsToldWhoseCertificatesCount() throws {
        let house = try TLSHouse()
        #expect(throws: TLSError.self) { try house.server { $0.clientAuth = .required } }
        #expect(throws: TLSError.self) {
            try house.server {
                $0.clientAuth = .required
                $0.clientCAPath = house.authority.file("none", "text")
            }
        }
        #expect(throws: TLSError.self) {
            try house.server {
                $0.clientAuth = .required
                $0.clientCAPath = house.authority.caPath
                $0.clientCRLPath = house.authority.caPath
            }
        }
    }
}
