import Core
import TestSupport
import Testing

@testable import IO

/// What most TLS tests begin with: an authority, a certificate for `a.example`, tickets and a loop.
final class TLSHouse {
    let authority: TestAuthority
    let leaf: TestAuthority.Issued
    let tickets = TLSTicketKeys()
    let loop: EventLoop

    init(type: TestAuthority.KeyType = .ecdsa) throws {
        authority = try TestAuthority()
        leaf = authority.issue("a", names: "DNS:a.example,DNS:*.b.example,IP:127.0.0.1", type: type)
        loop = try EventLoop()
    }

    func server(
        _ certificates: [TestAuthority.Issued]? = nil, _ change: (inout TLSServerSettings) -> Void = { _ in }
    ) throws -> TLSServerContext {
        var settings = TLSServerSettings(certificates: (certificates ?? [leaf]).map(\.files))
        change(&settings)
        return try TLSServerContext(settings, tickets: tickets)
    }

    func client(_ change: (inout TLSClientSettings) -> Void = { _ in }) throws -> TLSClientContext {
        var settings = TLSClientSettings()
        settings.caPath = authority.caPath
        change(&settings)
        return try TLSClientContext(settings)
    }

    /// Both ends with TLS begun.
    func pair(
        _ server: TLSServerContext? = nil, _ client: TLSClientContext? = nil, name: String = "a.example",
        sessions: TLSSessionStore? = nil, bufferBytes: Int32? = nil
    ) throws -> TLSPair {
        try TLSPair(
            loop, server ?? self.server(), client ?? self.client(), name: name, sessions: sessions,
            bufferBytes: bufferBytes)
    }
}

/// The error of a handshake that failed.
func failure(_ outcome: TLSHandshakeOutcome) -> TLSError.Kind? {
    if case .failed(let error) = outcome { return error.kind }
    return nil
}
