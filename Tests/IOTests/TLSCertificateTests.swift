import Core
import Glibc
import TestSupport
import Testing

@testable import IO

/// Which certificate a server shows, and what it says of files that are none.
@Suite struct TLSCertificateTests {
    /// Subjects of the certificates that clients asking for these names see.
    private func shown(
        _ house: TLSHouse, _ server: TLSServerContext, _ names: [String], ciphers: String? = nil
    ) throws -> [String] {
        let client = try house.client {
            $0.verifies = false
            if ciphers != nil { $0.policy.maxVersion = .v12 }
            $0.policy.ciphers12 = ciphers
        }
        return try names.map { name in
            let pair = try house.pair(server, client, name: name)
            try pair.connect()
            return try #require(pair.client.tls?.peerIdentity).subject
        }
    }

    @Test func theNameChoosesTheCertificate() throws {
        let house = try TLSHouse()
        let shop = house.authority.issue("shop", names: "DNS:shop.example", subject: "shop")
        let wild = house.authority.issue("wild", names: "DNS:*.shop.example", subject: "wild")
        let exact = house.authority.issue("exact", names: "DNS:Pay.shop.example", subject: "exact")
        let common = house.authority.issue("common", names: nil, subject: "common.example")
        let server = try house.server([shop, wild, exact, common])
        let names = [
            "shop.example", "a.shop.example", "pay.SHOP.example", "common.example", "a.b.shop.example", "other",
            "127.0.0.1",
        ]
        let expected = ["shop", "wild", "exact", "common.example", "shop", "shop", "shop"].map { "CN=\($0),O=Shop" }
        #expect(try shown(house, server, names) == expected)
        #expect(
            server.certificates.map(\.names) == [
                ["shop.example"], ["*.shop.example"], ["pay.shop.example"], ["common.example"],
            ])
    }

    @Test func keysOfBothTypesServeOneName() throws {
        let house = try TLSHouse()
        let rsa = house.authority.issue("rsa", names: "DNS:a.example", subject: "rsa", type: .rsa)
        let ecdsa = house.authority.issue("ecdsa", names: "DNS:a.example", subject: "ecdsa")
        let other = house.authority.issue("other", names: "DNS:b.example", subject: "other")
        for certificates in [[rsa, ecdsa], [ecdsa, rsa, other]] {
            let server = try house.server(certificates)
            let onlyRSA = "ECDHE-RSA-AES128-GCM-SHA256"
            #expect(try shown(house, server, ["a.example"], ciphers: onlyRSA) == ["CN=rsa,O=Shop"])
            let onlyECDSA = "ECDHE-ECDSA-AES128-GCM-SHA256"
            #expect(try shown(house, server, ["a.example"], ciphers: onlyECDSA) == ["CN=ecdsa,O=Shop"])
            #expect(try shown(house, server, ["a.example"]) == ["CN=ecdsa,O=Shop"])
        }
        let server = try house.server([rsa, ecdsa, other])
        #expect(try shown(house, server, ["b.example"]) == ["CN=other,O=Shop"])
    }

    @Test func anExpiredCertificateIsServedAndKnown() throws {
        let house = try TLSHouse()
        let old = house.authority.issue("old", names: "DNS:a.example", from: -7200, to: -3600)
        let server = try house.server([old, house.leaf])
        let now = Int64(WallClock.now / 1_000_000_000)
        #expect(server.certificates.map { $0.hasExpired(at: now) } == [true, false])
        #expect(abs(server.certificates[1].notAfter - now - 3600) < 60)
        #expect(server.certificates[0].path == old.files.certificatePath)
    }

    // MARK: Files

    private func problem(_ certificate: String, _ key: String) throws -> TLSError {
        do {
            let files = TLSCertificateFiles(certificatePath: certificate, keyPath: key)
            _ = try TLSServerContext(TLSServerSettings(certificates: [files]), tickets: TLSTicketKeys())
        } catch { return error }
        throw TLSError(.library, "no error")
    }

    @Test func filesThatCannotBeUsedAreNamed() throws {
        let house = try TLSHouse()
        let (certificate, key) = (house.leaf.files.certificatePath, house.leaf.files.keyPath)
        let absent = house.authority.path("absent.pem")
        let text = house.authority.file("text.pem", "no certificate")
        let cut = house.authority.file("cut.pem", "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n")
        let other = house.authority.issue("other", names: "DNS:b.example").files.keyPath
        let locked = house.authority.issue("locked", names: "DNS:b.example", encrypting: "secret").files
        let cases: [(String, String, TLSError.Kind, String)] = [
            (absent, key, .fileUnreadable, absent), (certificate, absent, .fileUnreadable, absent),
            (text, key, .notPEM, text), (cut, key, .notPEM, cut), (certificate, text, .notPEM, text),
            (key, key, .notPEM, key), (certificate, other, .keyMismatch, other),
            (locked.certificatePath, locked.keyPath, .keyEncrypted, locked.keyPath),
        ]
        for (certificate, key, kind, path) in cases {
            let error = try problem(certificate, key)
            #expect(error.kind == kind, "\(error)")
            #expect(error.text.contains(path), "\(error)")
        }
        #expect(try problem(absent, key).text == "\(absent): No such file or directory")
    }

    @Test func policiesThatCannotBeAreRefused() throws {
        let house = try TLSHouse()
        let changes: [(inout TLSPolicy) -> Void] = [
            { $0.ciphers12 = "NOTHING" }, { $0.ciphersuites13 = "NOTHING" }, { $0.curves = "P-1" },
            {
                $0.minVersion = .v13
                $0.maxVersion = .v12
            },
        ]
        for change in changes {
            #expect(throws: TLSError.self) { try house.server { change(&$0.policy) } }
            do {
                _ = try house.client { change(&$0.policy) }
                Issue.record("taken")
            } catch let error as TLSError { #expect(error.kind == .policyInvalid) }
        }
    }

    // MARK: The table alone

    @Test func theTableKeepsOneSetForEachListOfCertificates() {
        let table = TLSNameTable([
            (["a", "b"], 1), (["a"], 2), (["b", "*.w"], 1), (["*.w"], 2), ([], 3),
        ])
        #expect(table.sets == [[0, 1], [0], [2, 3]])
        #expect(
            ["a", "A", "b", "x.w", "X.W", "y.x.w", "w", ".w", "", "c"].map(table.set) == [0, 0, 1, 2, 2, 0, 0, 0, 0, 0])
        let single = TLSNameTable([(["a", "*.a"], 1)])
        #expect(single.sets == [[0]])
        #expect(TLSNameTable([([], 1)]).sets == [[0]])
    }
}
