import CLinux
import Core
import Glibc
import Testing

@testable import IO

@Suite struct SocketTests {
    private static let hasV6 = Route.exists(to: .loopbackV6)

    private func loopback(v6: Bool, port: UInt16 = 0) -> SocketAddress {
        .ip(v6 ? .loopbackV6 : .loopbackV4, port: port)
    }

    /// A directory that goes with the test.
    private func withDirectory(_ body: (String) throws -> Void) throws {
        var template = Array("/tmp/io-tests-XXXXXX".utf8CString)
        let made = unsafe template.withUnsafeMutableBufferPointer { buffer in
            unsafe mkdtemp(buffer.baseAddress!).map { unsafe String(cString: $0) }
        }
        let directory = try #require(made)
        defer {
            for name in ["socket", "file"] { unsafe unlink("\(directory)/\(name)") }
            unsafe rmdir(directory)
        }
        try body(directory)
    }

    private func accepted(_ listener: borrowing FileDescriptor) throws -> (SocketAddress, Int32) {
        for _ in 0..<10_000 {
            switch Socket.accept(on: listener.rawValue) {
            case .connection(let descriptor, let peer): return (peer, dup(descriptor.rawValue))
            case .wouldBlock: sched_yield()
            case .skipped: sched_yield()
            case .exhausted(let error): throw error
            }
        }
        throw IOError("accept4", errno: EAGAIN)
    }

    private func option(_ descriptor: Int32, _ level: Int32, _ name: Int32) -> Int32 {
        var value: Int32 = -1
        var length = socklen_t(4)
        unsafe getsockopt(descriptor, level, name, &value, &length)
        return value
    }

    @Test(arguments: hasV6 ? [false, true] : [false])
    func aConnectionIsAcceptedWithItsPeersAddress(v6: Bool) throws {
        let listener = try Socket.listen(on: loopback(v6: v6), backlog: 4, reusePort: false)
        let address = try #require(Socket.localAddress(of: listener.rawValue))
        #expect(address.port != 0)
        #expect(address.ip?.isV6 == v6)
        let client = try Socket.connect(to: address)
        let (peer, descriptor) = try accepted(listener)
        defer { close(descriptor) }
        #expect(peer == Socket.localAddress(of: client.rawValue))
        #expect(Socket.connectError(of: client.rawValue) == nil)
        guard case .wouldBlock = Socket.accept(on: listener.rawValue) else {
            Issue.record("a second connection")
            return
        }
    }

    @Test func bothEndsHaveTheirOptionsFromBirth() throws {
        let listener = try Socket.listen(on: loopback(v6: false), backlog: 4, reusePort: false)
        let client = try Socket.connect(to: Socket.localAddress(of: listener.rawValue)!)
        let (_, server) = try accepted(listener)
        defer { close(server) }
        for descriptor in [client.rawValue, server] {
            #expect(option(descriptor, Int32(IPPROTO_TCP), TCP_NODELAY) == 1)
            #expect(option(descriptor, SOL_SOCKET, SO_KEEPALIVE) == 1)
            #expect(option(descriptor, Int32(IPPROTO_TCP), TCP_USER_TIMEOUT) == 30_000)
            #expect(fcntl(descriptor, F_GETFL) & O_NONBLOCK != 0)
        }
        #expect(fcntl(client.rawValue, F_GETFD) & FD_CLOEXEC != 0)
    }

    @Test func aPortInUseIsNamedSo() throws {
        let first = try Socket.listen(on: loopback(v6: false), backlog: 4, reusePort: false)
        let address = try #require(Socket.localAddress(of: first.rawValue))
        #expect(throws: IOError("bind", errno: EADDRINUSE)) {
            _ = try Socket.listen(on: address, backlog: 4, reusePort: false)
        }
        #expect(IOError("bind", errno: EADDRINUSE).isAddressInUse)
    }

    @Test func workersShareAPortButAnotherProxyIsNoticed() throws {
        let first = try Socket.listen(on: loopback(v6: false), backlog: 4, reusePort: true)
        let address = try #require(Socket.localAddress(of: first.rawValue))
        let second = try Socket.listen(on: address, backlog: 4, reusePort: true)
        #expect(Socket.localAddress(of: second.rawValue) == address)
        #expect(throws: IOError("bind", errno: EADDRINUSE)) { try Socket.requireFree(address) }
        try Socket.requireFree(loopback(v6: false))
    }

    @Test func anIPv6ListenerLeavesIPv4ToOthers() throws {
        guard Self.hasV6 else { return }
        let v4 = try Socket.listen(on: .ip(IPAddress("0.0.0.0")!, port: 0), backlog: 4, reusePort: false)
        let port = try #require(Socket.localAddress(of: v4.rawValue)?.port)
        let v6 = try Socket.listen(on: .ip(IPAddress("::")!, port: port), backlog: 4, reusePort: false)
        #expect(Socket.localAddress(of: v6.rawValue)?.port == port)
    }

    @Test func aRefusedConnectIsToldByTheDescriptor() throws {
        let listener = try Socket.listen(on: loopback(v6: false), backlog: 4, reusePort: false)
        let address = try #require(Socket.localAddress(of: listener.rawValue))
        // It keeps the port and no longer listens.
        shutdown(listener.rawValue, Int32(SHUT_RDWR))
        let client = try Socket.connect(to: address)
        let error = try #require(Socket.connectError(of: client.rawValue))
        #expect(error.isRefused)
        #expect(error.description.contains("refused"))
    }

    @Test func aUnixSocketByPathConnects() throws {
        try withDirectory { directory in
            let address = SocketAddress.unix("\(directory)/socket")
            let listener = try Socket.listen(on: address, backlog: 4, reusePort: false)
            #expect(Socket.localAddress(of: listener.rawValue) == address)
            let client = try Socket.connect(to: address)
            let (peer, descriptor) = try accepted(listener)
            close(descriptor)
            #expect(peer == .unix(""))
            #expect(Socket.connectError(of: client.rawValue) == nil)
        }
    }

    @Test func aStaleSocketFileIsReplacedAndALiveOneIsNot() throws {
        try withDirectory { directory in
            let address = SocketAddress.unix("\(directory)/socket")
            do { _ = try Socket.listen(on: address, backlog: 4, reusePort: false) }
            #expect(unsafe access("\(directory)/socket", F_OK) == 0, "the file outlives its listener")
            let listener = try Socket.listen(on: address, backlog: 4, reusePort: false)
            #expect(throws: IOError("bind", errno: EADDRINUSE)) {
                _ = try Socket.listen(on: address, backlog: 4, reusePort: false)
            }
            let client = try Socket.connect(to: address)
            #expect(Socket.connectError(of: client.rawValue) == nil)
            withExtendedLifetime(listener.rawValue) {}
        }
    }

    @Test func aFileThatIsNoSocketIsLeftAlone() throws {
        try withDirectory { directory in
            let path = "\(directory)/file"
            let file = FileDescriptor(rawValue: unsafe open(path, O_CREAT | O_WRONLY, 0o600))
            #expect(unsafe write(file.rawValue, "precious", 8) == 8)
            #expect(throws: IOError("bind", errno: EADDRINUSE)) {
                _ = try Socket.listen(on: .unix(path), backlog: 4, reusePort: false)
            }
            #expect(TextFile.read(path) == "precious")
        }
    }

    @Test func anAbstractSocketHasNoFile() throws {
        let name = "@io-tests-\(getpid())"
        let listener = try Socket.listen(on: .unix(name), backlog: 4, reusePort: false)
        #expect(Socket.localAddress(of: listener.rawValue) == .unix(name))
        let client = try Socket.connect(to: .unix(name))
        #expect(Socket.connectError(of: client.rawValue) == nil)
        #expect(throws: IOError("bind", errno: EADDRINUSE)) {
            _ = try Socket.listen(on: .unix(name), backlog: 4, reusePort: false)
        }
    }

    @Test func aUnixSocketNobodyListensOnRefuses() throws {
        #expect(throws: IOError("connect", errno: ENOENT)) { _ = try Socket.connect(to: .unix("/nonexistent/socket")) }
        #expect(IOError("connect", errno: ENOENT).isRefused)
    }

    @Test func theLongestUnixPathFits() throws {
        let name = "@" + String(repeating: "x", count: SocketAddress.unixPathBytesMax - 1)
        let listener = try Socket.listen(on: .unix(name), backlog: 4, reusePort: false)
        #expect(Socket.localAddress(of: listener.rawValue) == .unix(name))
    }

    @Test func aConnectionResetOnCloseIsNoCleanEndForItsPeer() throws {
        let loop = try EventLoop()
        let pair = try SocketPair(loop, tcp: true)
        Socket.resetOnClose(pair.peer)
        pair.closePeer()
        let buffer = Buffer(capacity: 16)
        var outcome = Transport.ReadOutcome.wouldBlock
        #expect(
            loop.turn {
                outcome = pair.transport.read(into: buffer)
                return outcome != .wouldBlock
            })
        #expect(outcome == .failed(IOError("recv", errno: ECONNRESET)))
    }

    @Test func aLastWordArrivesWholeThoughTheRequestWasNotRead() throws {
        let loop = try EventLoop()
        let pair = try SocketPair(loop, tcp: true)
        #expect(loop.turn { pair.transport.isWritable })
        let request = Buffer(capacity: 64)
        request.append("unread request")
        #expect(pair.transport.write(request) == .bytes(14))
        let peer = FileDescriptor(rawValue: dup(pair.peer))
        pair.closePeer()
        #expect(loop.turn(seconds: 1) { SocketPair.hasUnread(peer.rawValue) })
        Socket.sendLast("too many", on: peer)
        let answer = Buffer(capacity: 64)
        #expect(
            loop.turn {
                _ = pair.transport.read(into: answer)
                return answer.readableCount == 8
            })
        #expect(answer.readable.text == "too many")
    }

    /// In a process of its own: the limit holds for all its threads.
    @Test func runningOutOfDescriptorsIsExhaustionAndTheReserveAnswersOne() async {
        await #expect(processExitsWith: .success) {
            let listener = try! Socket.listen(on: .ip(.loopbackV4, port: 0), backlog: 8, reusePort: false)
            let address = Socket.localAddress(of: listener.rawValue)!
            let client = try! Socket.connect(to: address)
            let other = try! Socket.connect(to: address)
            var reserve = DescriptorReserve()
            var limit = rlimit()
            unsafe getrlimit(__rlimit_resource_t(7), &limit)
            limit.rlim_cur = 0
            while fcntl(Int32(limit.rlim_cur), F_GETFD) >= 0 { limit.rlim_cur += 1 }
            precondition(unsafe setrlimit(__rlimit_resource_t(7), &limit) == 0)
            guard case .exhausted(let error) = Socket.accept(on: listener.rawValue), error.isExhaustion else {
                preconditionFailure("accepted without a descriptor")
            }
            var answered = 0
            precondition(
                reserve.withDescriptorFree({ Socket.accept(on: listener.rawValue) }) { descriptor in
                    Socket.sendLast("full", on: descriptor)
                    answered += 1
                })
            precondition(answered == 1)
            guard case .exhausted = Socket.accept(on: listener.rawValue) else {
                preconditionFailure("the reserve was not taken back")
            }
            limit.rlim_cur += 8
            precondition(unsafe setrlimit(__rlimit_resource_t(7), &limit) == 0)
            guard case .connection = Socket.accept(on: listener.rawValue) else { preconditionFailure("no recovery") }
            withExtendedLifetime((client.rawValue, other.rawValue)) {}
        }
    }
}
