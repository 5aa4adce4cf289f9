import Core
import TestSupport
import Testing

@testable import IO

@Suite struct TLSResumptionTests {
    /// Connects and exchanges a little, so that the client has its ticket; whether it was a resumption.
    private func connect(
        _ house: TLSHouse, _ server: TLSServerContext, _ client: TLSClientContext, _ sessions: TLSSessionStore,
        name: String = "a.example"
    ) throws -> Bool {
        let pair = try house.pair(server, client, name: name, sessions: sessions)
        try pair.connect()
        #expect(pair.exchange("x", from: pair.server, to: pair.client) == "x")
        let resumed = try #require(pair.client.tls).isResumed
        #expect(pair.server.tls?.isResumed == resumed)
        return resumed
    }

    @Test(arguments: [TLSVersion.v12, .v13])
    func theNextConnectionResumes(_ version: TLSVersion) throws {
        let house = try TLSHouse()
        let server = try house.server { $0.policy.maxVersion = version }
        let client = try house.client()
        let sessions = TLSSessionStore()
        #expect(try !connect(house, server, client, sessions))
        #expect(sessions.hasSession)
        #expect(try connect(house, server, client, sessions))
        #expect(try connect(house, server, client, sessions))
        sessions.drop()
        #expect(try !connect(house, server, client, sessions))
    }

    @Test(arguments: [TLSVersion.v12, .v13])
    func ticketsOutliveOneRotationAndNotTwo(_ version: TLSVersion) throws {
        let house = try TLSHouse()
        let server = try house.server { $0.policy.maxVersion = version }
        let client = try house.client()
        let sessions = TLSSessionStore()
        #expect(try !connect(house, server, client, sessions))
        house.tickets.rotate()
        #expect(try connect(house, server, client, sessions))
        // That one was renewed, so that it outlives the next rotation too.
        house.tickets.rotate()
        #expect(try connect(house, server, client, sessions))
        house.tickets.rotate()
        house.tickets.rotate()
        #expect(try !connect(house, server, client, sessions))
    }

    @Test func anotherContextWithTheSameKeysResumes() throws {
        let house = try TLSHouse()
        let client = try house.client()
        let sessions = TLSSessionStore()
        #expect(try !connect(house, try house.server(), client, sessions))
        #expect(try connect(house, try house.server(), client, sessions))
        let elsewhere = try TLSServerContext(
            TLSServerSettings(certificates: [house.leaf.files]), tickets: TLSTicketKeys())
        #expect(try !connect(house, elsewhere, client, sessions))
    }

    @Test func withoutTicketsNothingResumes() throws {
        let house = try TLSHouse()
        let server = try house.server { $0.sessionTickets = false }
        let client = try house.client()
        let sessions = TLSSessionStore()
        #expect(try !connect(house, server, client, sessions))
        #expect(try !connect(house, server, client, sessions))
    }

    @Test func aSessionCountsOnlyForItsContextAndName() throws {
        let house = try TLSHouse()
        let server = try house.server()
        let sessions = TLSSessionStore()
        let client = try house.client()
        #expect(try !connect(house, server, client, sessions))
        #expect(try !connect(house, server, client, sessions, name: "x.b.example"))
        #expect(try !connect(house, server, try house.client(), sessions, name: "x.b.example"))
    }

    @Test(arguments: [TLSVersion.v12, .v13])
    func aResumedClientIsStillKnownUnlessTheCheckChanged(_ version: TLSVersion) throws {
        let house = try TLSHouse()
        let known = house.authority.issue("known", names: "DNS:orders")
        let client = try house.client { $0.certificate = known.files }
        func server(_ mode: TLSClientAuthentication, crl: String? = nil) throws -> TLSServerContext {
            try house.server {
                $0.clientAuth = mode
                $0.clientCAPath = house.authority.caPath
                $0.clientCRLPath = crl
                $0.policy.maxVersion = version
            }
        }
        let sessions = TLSSessionStore()
        #expect(try !connect(house, server(.required), client, sessions))
        let pair = try house.pair(server(.required), client, sessions: sessions)
        try pair.connect()
        #expect(pair.server.tls?.isResumed == true)
        #expect(pair.server.tls?.peerIdentity?.names == [TLSName(kind: .dns, value: "orders")])
        // A session from where nobody was asked, or from before the revocation, counts for nothing.
        let strangers = TLSSessionStore()
        #expect(try !connect(house, server(.none), client, strangers))
        #expect(try !connect(house, server(.required), client, strangers))
        let refusing = try house.pair(
            server(.required, crl: house.authority.revoke([known.serial])), client, sessions: strangers)
        #expect(failure(refusing.handshake().server) == .certificateRevoked)
    }

    @Test(arguments: [TLSVersion.v12, .v13])
    func anEndWithoutCloseNotifyIsNoFaultOfTheSession(_ version: TLSVersion) throws {
        let house = try TLSHouse()
        let server = try house.server { $0.policy.maxVersion = version }
        let client = try house.client()
        let sessions = TLSSessionStore()
        for isResumed in [false, true, true] {
            let pair = try house.pair(server, client, sessions: sessions)
            try pair.connect()
            #expect(pair.client.tls?.isResumed == isResumed)
            #expect(pair.exchange("x", from: pair.server, to: pair.client) == "x")
            Socket.shutdownWriting(pair.server.rawDescriptor)
            #expect(pair.end(of: pair.client) == .failed(.truncated))
        }
    }

    @Test func aFailedHandshakeForgetsTheSession() throws {
        let house = try TLSHouse()
        let client = try house.client()
        let sessions = TLSSessionStore()
        #expect(try !connect(house, try house.server(), client, sessions))
        let pair = try TLSPair(house.loop)
        try pair.client.beginTLS(client, serverName: "a.example", sessions: sessions)
        pair.server.shutdownWriting()
        #expect(pair.loop.turn { pair.client.handshake() != .wouldBlock })
        #expect(!sessions.hasSession)
    }
}
