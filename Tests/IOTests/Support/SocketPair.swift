import CLinux
import Core
import Glibc

@testable import IO

/// Two connected sockets: a transport on the test's loop and its peer, a plain non-blocking descriptor.
final class SocketPair {
    /// What the loop keeps until the transport is closed; so it must not keep the pair.
    private final class Ear: EventHandler {
        weak var transport: Transport?
        var events: [Readiness] = []
        var resumptions = 0

        func ready(_ readiness: Readiness) {
            events.append(readiness)
            transport?.note(readiness)
        }

        func resumed() { resumptions += 1 }
    }

    let loop: EventLoop
    let transport: Transport
    private(set) var peer: Int32
    private let ear = Ear()
    var events: [Readiness] { ear.events }
    var resumptions: Int { ear.resumptions }

    /// Unix sockets, or TCP over loopback with small buffers.
    init(_ loop: EventLoop, tcp: Bool = false) throws {
        _ = signal(SIGPIPE, SIG_IGN)
        self.loop = loop
        if tcp {
            let listener = try Socket.listen(on: .ip(.loopbackV4, port: 0), backlog: 1, reusePort: false)
            let client = try Socket.connect(to: Socket.localAddress(of: listener.rawValue)!)
            var accepted: Int32 = -1
            while accepted < 0 {
                guard case .connection(let descriptor, _) = Socket.accept(on: listener.rawValue) else { continue }
                accepted = dup(descriptor.rawValue)
                _ = fcntl(accepted, F_SETFL, O_NONBLOCK)
            }
            peer = accepted
            Self.limit(peer, SO_RCVBUF)
            Self.limit(client.rawValue, SO_SNDBUF)
            transport = Transport(client, loop: loop)
        } else {
            var ends: (Int32, Int32) = (-1, -1)
            let result = unsafe withUnsafeMutableBytes(of: &ends) {
                unsafe socketpair(
                    AF_UNIX, sidecar_SOCK_STREAM | sidecar_SOCK_NONBLOCK, 0,
                    $0.assumingMemoryBound(to: Int32.self).baseAddress!)
            }
            guard result == 0 else { throw IOError.last("socketpair") }
            peer = ends.1
            transport = Transport(FileDescriptor(rawValue: ends.0), loop: loop)
        }
        ear.transport = transport
        try transport.attach(ear)
    }

    deinit {
        transport.close()
        closePeer()
    }

    func closePeer() {
        if peer >= 0 { _ = Glibc.close(peer) }
        peer = -1
    }

    private static func limit(_ descriptor: Int32, _ buffer: Int32) {
        var bytes: Int32 = 1 << 16
        unsafe setsockopt(descriptor, SOL_SOCKET, buffer, &bytes, 4)
    }

    /// Whether bytes, or the end, wait to be read.
    static func hasUnread(_ descriptor: Int32) -> Bool {
        var entry = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        return unsafe poll(&entry, 1, 0) == 1
    }

    func send(_ text: String) {
        let bytes = Array(text.utf8)
        let sent = unsafe Glibc.send(peer, bytes, bytes.count, Int32(MSG_NOSIGNAL))
        precondition(sent == bytes.count)
    }

    /// What the peer can read at the moment; nil at the end of the stream.
    func receive(atMost count: Int = 1 << 16) -> [UInt8]? {
        var bytes = [UInt8](repeating: 0, count: count)
        let received = unsafe recv(peer, &bytes, count, 0)
        if received == 0 { return nil }
        return Array(bytes.prefix(max(0, received)))
    }
}
