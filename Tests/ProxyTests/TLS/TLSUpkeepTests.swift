import Config
import Core
import IO
import TestSupport
import Testing

@testable import Proxy

/// What happens to TLS while it is in use: files change, good and bad, and the tickets' key does.
@Suite struct TLSUpkeepTests {
    private let authority: TestAuthority
    private let start = Instant.zero.advanced(by: .seconds(100))

    init() throws { authority = try TestAuthority() }

    private func upkeep(_ change: (inout Configuration) -> Void = { _ in }) throws -> TLSUpkeep {
        var configuration = Configuration()
        configuration.listeners = [ListenerConfiguration(name: "web", address: .ip(.loopbackV4, port: 0))]
        var tls = TLSListenerConfiguration()
        tls.certificates = [CertificateConfiguration(authority.issue("a", names: "DNS:a.example", to: 1000))]
        configuration.listeners[0].tls = tls
        configuration.services = [ServiceConfiguration(name: "app", endpoints: [])]
        change(&configuration)
        return try TLSUpkeep(configuration, ProcessLog.logger(.error))
    }

    private func reloads(_ upkeep: TLSUpkeep) -> [UInt64] {
        [upkeep.metrics.value(.reloadsSucceeded), upkeep.metrics.value(.reloadsFailed)]
    }

    @Test func aNewCertificateIsTakenAndTheOldContextLivesOnInItsConnections() throws {
        let upkeep = try upkeep()
        let current = try #require(upkeep.contexts.listeners[0])
        let before = current.value
        upkeep.check(at: start)
        #expect(current.value === before)
        let expiry = upkeep.certificates[0].notAfter
        _ = authority.issue("a", names: "DNS:a.example", to: 2000)
        upkeep.check(at: start)
        #expect(current.value !== before)
        #expect(before.certificates[0].notAfter == expiry)
        #expect(upkeep.certificates[0].notAfter - expiry >= 1000)
        #expect(reloads(upkeep) == [1, 0])
        #expect(upkeep.problems.isEmpty)
    }

    @Test func aFileThatCannotBeUsedLeavesTheOneBeforeAndSaysWhy() throws {
        let upkeep = try upkeep()
        let current = try #require(upkeep.contexts.listeners[0])
        let before = current.value
        let path = authority.file("a.pem", "nothing")
        upkeep.check(at: start)
        // It may be half of a change that goes on.
        #expect(reloads(upkeep) == [0, 0])
        for _ in 0..<3 { upkeep.check(at: start) }
        #expect(reloads(upkeep) == [0, 1])
        #expect(upkeep.problems == ["listener web: tls: not_pem: \(path) has no PEM certificate"])
        #expect(current.value === before)
        _ = authority.issue("a", names: "DNS:a.example")
        upkeep.check(at: start)
        #expect(reloads(upkeep) == [1, 1])
        #expect(upkeep.problems.isEmpty)
        #expect(current.value !== before)
    }

    @Test func aCertificateReplacedBeforeItsKeyIsNoFailure() throws {
        let upkeep = try upkeep()
        let path = authority.path("a.key")
        let oldKey = try #require(TextFile.read(path))
        _ = authority.issue("a", names: "DNS:a.example")
        let newKey = try #require(TextFile.read(path))
        _ = authority.file("a.key", oldKey)
        upkeep.check(at: start)
        _ = authority.file("a.key", newKey)
        upkeep.check(at: start)
        #expect(reloads(upkeep) == [1, 0])
    }

    @Test func aServicesCertificateIsShownAndReadAnewToo() throws {
        let upkeep = try upkeep { configuration in
            var tls = TLSServiceConfiguration()
            tls.ca = authority.caPath
            tls.certificate = CertificateConfiguration(authority.issue("client", names: nil))
            configuration.services[0].tls = tls
        }
        let current = try #require(upkeep.contexts.services[0])
        let before = current.value
        #expect(upkeep.certificates.map(\.path) == [authority.path("a.pem"), authority.path("client.pem")])
        #expect(upkeep.certificates.map(\.name) == ["web", "app"])
        _ = authority.issue("client", names: nil)
        upkeep.check(at: start)
        #expect(current.value !== before)
        #expect(reloads(upkeep) == [1, 0])
    }

    @Test func theKeyOfTicketsChangesAfterTheShortestTimeOfAllListeners() throws {
        let upkeep = try upkeep { configuration in
            configuration.listeners[0].tls?.ticketRotation = .seconds(3600)
            configuration.listeners.append(configuration.listeners[0])
            configuration.listeners[1].tls?.ticketRotation = .seconds(600)
            configuration.listeners.append(configuration.listeners[0])
            configuration.listeners[2].tls?.ticketRotation = .seconds(60)
            configuration.listeners[2].tls?.sessionTickets = false
        }
        let loop = try EventLoop()
        upkeep.start(on: loop)
        for (seconds, rotations) in [(599, 0), (600, 1), (601, 1), (1199, 1), (1200, 2)] {
            upkeep.check(at: loop.now.advanced(by: .seconds(seconds)))
            #expect(upkeep.metrics.value(.ticketRotations) == UInt64(rotations))
        }
    }

    @Test func withoutTicketsThereIsNoKeyToChange() throws {
        let upkeep = try upkeep { $0.listeners[0].tls?.sessionTickets = false }
        upkeep.check(at: start.advanced(by: .seconds(30 * 86_400)))
        #expect(upkeep.metrics.value(.ticketRotations) == 0)
    }
}
