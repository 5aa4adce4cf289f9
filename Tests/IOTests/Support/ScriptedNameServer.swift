import CLinux
import Core
import Glibc

@testable import IO

/// A name server on 127.0.0.1, over UDP and TCP on one port, that answers what its script says. Runs on the test's loop.
final class ScriptedNameServer: EventHandler {
    enum Kind: UInt16 { case a = 1, cname = 5, aaaa = 28 }

    struct Question {
        let name: String
        let kind: Kind
        let isTCP: Bool
    }

    struct Record {
        var name: String
        var kind: Kind
        var ttl: UInt32
        var data: [UInt8]

        static func a(_ name: String, ttl: UInt32, _ address: String) -> Record {
            let bits = IPAddress(address)!.v4!
            return Record(name: name, kind: .a, ttl: ttl, data: (0..<4).map { UInt8(bits >> (24 - 8 * $0) & 255) })
        }

        static func aaaa(_ name: String, ttl: UInt32, _ address: IPAddress) -> Record {
            let bytes = [address.high, address.low].flatMap { half in (0..<8).map { UInt8(half >> (56 - 8 * $0) & 255) }
            }
            return Record(name: name, kind: .aaaa, ttl: ttl, data: bytes)
        }

        static func cname(_ name: String, ttl: UInt32, _ target: String) -> Record {
            Record(name: name, kind: .cname, ttl: ttl, data: ScriptedNameServer.encoded(target))
        }
    }

    enum Reply {
        case records([Record])
        /// 2 SERVFAIL, 3 NXDOMAIN, 5 REFUSED.
        case code(UInt8)
        case truncated
        case silence
        /// These bytes after the identifier.
        case raw([UInt8])
        /// Records and then this many bytes of the message cut off.
        case cut([Record], by: Int)
    }

    /// A client's TCP connection. The answer leaves in two parts, in two turns.
    private final class Connection: EventHandler {
        let transport: IOSocket
        unowned let server: ScriptedNameServer
        var rest: [UInt8] = []

        init(_ transport: consuming FileDescriptor, _ server: ScriptedNameServer) throws {
            self.transport = try IOSocket(transport)
            self.server = server
            self.transport.token = try server.loop.register(self.transport.raw, self)
        }

        func ready(_ readiness: Readiness) {
            var bytes = [UInt8](repeating: 0, count: 1024)
            let count = unsafe recv(transport.raw, &bytes, bytes.count, 0)
            guard count > 2, let answer = server.answer(to: Array(bytes[2..<count]), isTCP: true) else { return }
            let message = [UInt8(answer.count >> 8), UInt8(answer.count & 255)] + answer
            rest = Array(message.dropFirst())
            _ = unsafe send(transport.raw, message, 1, Int32(MSG_NOSIGNAL))
            server.loop.resume(transport.token)
        }

        func resumed() {
            _ = unsafe send(transport.raw, rest, rest.count, Int32(MSG_NOSIGNAL))
            rest = []
        }
    }

    final class IOSocket {
        private let descriptor: FileDescriptor
        var token = EventLoop.Token(rawValue: 0)
        var raw: Int32 { descriptor.rawValue }
        init(_ descriptor: consuming FileDescriptor) throws { self.descriptor = descriptor }
    }

    /// Accepts TCP connections.
    private final class Listener: EventHandler {
        unowned let server: ScriptedNameServer
        init(_ server: ScriptedNameServer) { self.server = server }
        func ready(_ readiness: Readiness) { server.accept() }
    }

    let loop: EventLoop
    let address: SocketAddress
    var script: (Question) -> Reply
    private(set) var questions: [Question] = []
    private let datagrams: IOSocket
    private let stream: IOSocket
    private var listener: Listener!
    private var connections: [Connection] = []

    init(_ loop: EventLoop, _ script: @escaping (Question) -> Reply) throws {
        self.loop = loop
        self.script = script
        stream = try IOSocket(
            Socket.listen(on: .ip(.loopbackV4, port: 0), backlog: 16, reusePort: false))
        address = Socket.localAddress(of: stream.raw)!
        datagrams = try IOSocket(
            FileDescriptor(rawValue: socket(AF_INET, sidecar_SOCK_DGRAM | sidecar_SOCK_NONBLOCK, 0)))
        let bound = unsafe address.withSockaddr { unsafe bind(datagrams.raw, $0, $1) }
        guard bound == 0 else { throw IOError.last("bind") }
        listener = Listener(self)
        datagrams.token = try loop.register(datagrams.raw, self)
        stream.token = try loop.register(stream.raw, listener)
    }

    func close() {
        for connection in connections { loop.detach(connection.transport.token) }
        loop.detach(datagrams.token)
        loop.detach(stream.token)
    }

    func ready(_ readiness: Readiness) {
        while true {
            var bytes = [UInt8](repeating: 0, count: 1024)
            var count = -1
            let peer = unsafe SocketAddress.filled { address, length in
                unsafe count = recvfrom(datagrams.raw, &bytes, 1024, 0, address, length)
            }
            guard count > 0, let peer else { return }
            guard let answer = answer(to: Array(bytes[..<count]), isTCP: false) else { continue }
            _ = unsafe peer.withSockaddr { unsafe sendto(datagrams.raw, answer, answer.count, 0, $0, $1) }
        }
    }

    private func accept() {
        while case .connection(let descriptor, _) = Socket.accept(on: stream.raw) {
            if let connection = try? Connection(descriptor, self) { connections.append(connection) }
        }
    }

    private func answer(to query: [UInt8], isTCP: Bool) -> [UInt8]? {
        guard query.count > 12 else { return nil }
        var labels: [String] = []
        var position = 12
        while query[position] != 0 {
            let length = Int(query[position])
            labels.append(String(decoding: query[position + 1...position + length], as: UTF8.self))
            position += length + 1
        }
        let end = position + 5
        guard let kind = Kind(rawValue: UInt16(query[position + 1]) << 8 | UInt16(query[position + 2])) else {
            return nil
        }
        let question = Question(name: labels.joined(separator: "."), kind: kind, isTCP: isTCP)
        questions.append(question)

        func message(_ flags: UInt8, _ code: UInt8, _ records: [Record]) -> [UInt8] {
            var bytes = Array(query[0..<2]) + [0x80 | flags | 0x05, 0x80 | code, 0, 1]
            bytes += [UInt8(records.count >> 8), UInt8(records.count & 255), 0, 0, 0, 0] + query[12..<end]
            for record in records {
                bytes += Self.encoded(record.name)
                bytes += [0, UInt8(record.kind.rawValue), 0, 1]
                bytes += (0..<4).map { UInt8(record.ttl >> (24 - 8 * $0) & 255) }
                bytes += [UInt8(record.data.count >> 8), UInt8(record.data.count & 255)] + record.data
            }
            return bytes
        }
        switch script(question) {
        case .records(let records): return message(0, 0, records)
        case .code(let code): return message(0, code, [])
        case .truncated: return message(0x02, 0, [])
        case .silence: return nil
        case .raw(let bytes): return Array(query[0..<2]) + bytes
        case .cut(let records, let count): return message(0, 0, records).dropLast(count)
        }
    }

    static func encoded(_ name: String) -> [UInt8] {
        name.split(separator: ".").flatMap { [UInt8($0.utf8.count)] + Array($0.utf8) } + [0]
    }
}
