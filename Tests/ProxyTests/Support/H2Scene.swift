import Config
import Core
import Glibc
import HTTP
import Testing

@testable import Proxy

/// Peers on both sides of the proxy that speak HTTP/2, played by the test's one thread turn by turn.
///
/// Connections of the proxy's are accepted as they come, and requests that have come whole are answered by `answer`.
final class H2Scene {
    let loopback: Loopback
    /// Connections of the proxy's, in the order they came.
    private(set) var servers: [H2Peer] = []
    private(set) var clients: [H2Peer] = []
    /// What servers announce and bear.
    var serverLimits = H2Limits()
    /// Gets each request that came whole, once. Without it they wait.
    var answer: ((H2Peer, UInt32) -> Void)?
    /// Whether connections of the proxy's are taken.
    var accepts = true
    private var answered: [Set<UInt32>] = []

    /// Runs `body` while the proxy serves, before an upstream that speaks HTTP/2 unless `configure` says otherwise.
    static func serving(
        _ configure: (inout Configuration) -> Void = { _ in }, _ body: (H2Scene) throws -> Void
    ) throws {
        let configure: (inout Configuration) -> Void = { configuration in
            configuration.services[0].protocolName = .http2
            configure(&configuration)
        }
        try Loopback.serving(configure) { loopback in
            let scene = H2Scene(loopback)
            try body(scene)
            scene.leave()
            loopback.expectNothingLeft()
        }
    }

    private init(_ loopback: Loopback) { self.loopback = loopback }

    /// A new client, whose first frames leave with its first turn.
    func client(limits: H2Limits = H2Limits()) throws -> H2Peer {
        let client = H2Peer(.client, try loopback.client(), limits: limits)
        clients.append(client)
        return client
    }

    /// Everybody goes.
    private func leave() {
        for peer in clients + servers { peer.close() }
        while let waiting = try? loopback.upstream.hasConnection ? loopback.upstream.accept() : nil { waiting.close() }
    }

    /// Gives everybody turns until the condition holds; false when it did not within ten seconds.
    func until(_ condition: () -> Bool) -> Bool {
        let deadline = ContinuousClock.now + .seconds(10)
        while true {
            try? turn()
            if condition() { return true }
            if ContinuousClock.now > deadline { return false }
            wait()
        }
    }

    private func turn() throws {
        if accepts, loopback.upstream.hasConnection {
            servers.append(H2Peer(.server, try loopback.upstream.accept(), limits: serverLimits))
            answered.append([])
        }
        for peer in clients { peer.turn() }
        for (index, server) in servers.enumerated() {
            server.turn()
            guard let answer else { continue }
            for (id, stream) in server.streams where stream.isEnded {
                if answered[index].insert(id).inserted { answer(server, id) }
            }
            server.turn()
        }
    }

    /// Until somebody may have something to do; not for long, for conditions may change without a byte.
    private func wait() {
        var entries = [pollfd(fd: loopback.upstream.raw, events: Int16(POLLIN), revents: 0)]
        for peer in clients + servers where peer.end == nil {
            let events = (peer.reads ? POLLIN : 0) | (peer.hasOutput ? POLLOUT : 0)
            entries.append(pollfd(fd: peer.peer.raw, events: Int16(events), revents: 0))
        }
        // SAFETY: the pointer is to as many entries as are told.
        _ = unsafe poll(&entries, nfds_t(entries.count), 5)
    }
}

extension H2Scene {
    /// The only request for a path that a server has and has not given up, once there is one: who has it, and its number.
    func arrived(_ path: String = "/") -> (server: H2Peer, id: UInt32)? {
        var found: (server: H2Peer, id: UInt32)?
        _ = until {
            for server in servers {
                for (id, stream) in server.streams where stream.path == path {
                    if stream.resetCode == nil, !stream.isGivenUp { found = (server, id) }
                }
            }
            return found != nil
        }
        return found
    }

    /// Answers every request with its path and its body.
    func echo() {
        answer = { server, id in
            let request = server[id]
            server.respond(id, Array(request.path.utf8) + request.body)
        }
    }
}
