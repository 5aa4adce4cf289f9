import CLinux
import Core
import Glibc
import Testing

@testable import IO

/// Two transports that are connected to each other on the test's loop: a server's end and a client's.
final class TLSPair {
    private final class Ear: EventHandler {
        weak var transport: Transport?
        func ready(_ readiness: Readiness) { transport?.note(readiness) }
    }

    let loop: EventLoop
    let server: Transport
    let client: Transport

    /// Over unix sockets, whose buffers have about `bufferBytes` when it is given.
    init(_ loop: EventLoop, bufferBytes: Int32? = nil) throws {
        _ = signal(SIGPIPE, SIG_IGN)
        self.loop = loop
        var ends: (Int32, Int32) = (-1, -1)
        let result = unsafe withUnsafeMutableBytes(of: &ends) {
            unsafe socketpair(
                AF_UNIX, sidecar_SOCK_STREAM | sidecar_SOCK_NONBLOCK, 0,
                $0.assumingMemoryBound(to: Int32.self).baseAddress!)
        }
        guard result == 0 else { throw IOError.last("socketpair") }
        if var bytes = bufferBytes {
            for end in [ends.0, ends.1] {
                unsafe setsockopt(end, SOL_SOCKET, SO_SNDBUF, &bytes, 4)
                unsafe setsockopt(end, SOL_SOCKET, SO_RCVBUF, &bytes, 4)
            }
        }
        server = Transport(FileDescriptor(rawValue: ends.0), loop: loop)
        client = Transport(FileDescriptor(rawValue: ends.1), loop: loop)
        for transport in [server, client] {
            let ear = Ear()
            ear.transport = transport
            try transport.attach(ear)
        }
    }

    /// The same with TLS begun on both ends.
    convenience init(
        _ loop: EventLoop, _ serverContext: TLSServerContext, _ clientContext: TLSClientContext,
        name: String = "a.example", sessions: TLSSessionStore? = nil, bufferBytes: Int32? = nil
    ) throws {
        try self.init(loop, bufferBytes: bufferBytes)
        try server.beginTLS(serverContext)
        try client.beginTLS(clientContext, serverName: name, sessions: sessions)
    }

    /// Whether the server's end outlives the pair.
    var keepServer = false

    deinit {
        if !keepServer { server.close() }
        client.close()
    }

    /// Drives both handshakes until each has ended; what became of them.
    func handshake() -> (server: TLSHandshakeOutcome, client: TLSHandshakeOutcome) {
        var outcomes = (server: TLSHandshakeOutcome.wouldBlock, client: TLSHandshakeOutcome.wouldBlock)
        let hasEnded = loop.turn {
            if outcomes.client == .wouldBlock { outcomes.client = client.handshake() }
            if outcomes.server == .wouldBlock { outcomes.server = server.handshake() }
            return outcomes.client != .wouldBlock && outcomes.server != .wouldBlock
        }
        #expect(hasEnded)
        return outcomes
    }

    /// Requires both handshakes to be complete.
    func connect() throws {
        let outcomes = handshake()
        try #require(outcomes == (.complete, .complete), "\(outcomes)")
    }

    /// Sends a text from one end and reads it at the other.
    func exchange(_ text: String, from sender: Transport, to receiver: Transport) -> String? {
        let output = Buffer(capacity: 4096)
        output.append(text)
        let input = Buffer(capacity: 4096)
        let arrived = loop.turn(seconds: 5) {
            if !output.isEmpty, case .bytes(let count) = sender.write(output) { output.consume(count) }
            switch receiver.read(into: input) {
            case .endOfStream, .failed: return true
            case .bytes, .wouldBlock: return input.readableCount == text.utf8.count
            }
        }
        return arrived ? input.readable.text : nil
    }

    /// What a read ends with once no more bytes come.
    func end(of transport: Transport) -> Transport.ReadOutcome? {
        var outcome: Transport.ReadOutcome?
        _ = loop.turn(seconds: 5) {
            switch transport.read(into: Buffer(capacity: 4096)) {
            case .bytes, .wouldBlock: return false
            case let ended:
                outcome = ended
                return true
            }
        }
        return outcome
    }
}
