import CLinux
import Core
import Glibc
import Testing

@testable import IO

@Suite struct TransportTests {
    private func pair(tcp: Bool = false) throws -> SocketPair { try SocketPair(EventLoop(), tcp: tcp) }

    private func buffer(_ text: String, capacity: Int = 4096) -> Buffer {
        let buffer = Buffer(capacity: capacity)
        buffer.append(text)
        return buffer
    }

    /// Bytes that tell their position.
    private func pattern(_ count: Int) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: count)
        for index in bytes.indices { bytes[index] = UInt8(truncatingIfNeeded: index &* 2_654_435_761 >> 16) }
        return bytes
    }

    private func append(_ bytes: [UInt8], to buffer: Buffer) {
        buffer.reserve(bytes.count)
        buffer.append(bytes.span)
    }

    @Test func beforeTheKernelSpeaksNoCallIsMade() throws {
        let pair = try pair()
        pair.send("hello")
        #expect(pair.transport.read(into: Buffer(capacity: 16)) == .wouldBlock)
        #expect(pair.transport.write(buffer("x")) == .bytes(0))
    }

    @Test func aShortReadMeansDrained() throws {
        let pair = try pair()
        pair.send("hello")
        pair.loop.turn(waitMs: 0)
        #expect(pair.transport.isReadable)
        let buffer = Buffer(capacity: 16)
        #expect(pair.transport.read(into: buffer) == .bytes(5))
        #expect(buffer.readable.text == "hello")
        #expect(!pair.transport.isReadable)
        #expect(pair.transport.read(into: buffer) == .wouldBlock)
        pair.send(" again")
        pair.loop.turn(waitMs: 0)
        #expect(pair.transport.read(into: buffer) == .bytes(6))
        #expect(buffer.readable.text == "hello again")
    }

    @Test func aFullReadLooksAgain() throws {
        let pair = try pair()
        pair.send("0123456789")
        pair.loop.turn(waitMs: 0)
        let buffer = Buffer(capacity: 5)
        #expect(pair.transport.read(into: buffer) == .bytes(5))
        #expect(pair.transport.isReadable)
        buffer.clear()
        #expect(pair.transport.read(into: buffer) == .bytes(5))
        #expect(buffer.readable.text == "56789")
        buffer.clear()
        #expect(pair.transport.read(into: buffer) == .wouldBlock)
        #expect(!pair.transport.isReadable)
    }

    @Test(arguments: [false, true])
    func lastBytesAndTheEndThatCameTogetherAreBothRead(tcp: Bool) throws {
        let pair = try pair(tcp: tcp)
        pair.send("bye")
        Socket.shutdownWriting(pair.peer)
        #expect(pair.loop.turn { pair.transport.isHungUp })
        let buffer = Buffer(capacity: 16)
        #expect(pair.transport.read(into: buffer) == .bytes(3))
        #expect(pair.transport.read(into: buffer) == .endOfStream)
        #expect(buffer.readable.text == "bye")
    }

    @Test func theEndThatComesLaterIsHeard() throws {
        let pair = try pair()
        pair.send("bye")
        pair.loop.turn(waitMs: 0)
        let buffer = Buffer(capacity: 16)
        #expect(pair.transport.read(into: buffer) == .bytes(3))
        #expect(pair.transport.read(into: buffer) == .wouldBlock)
        pair.closePeer()
        pair.loop.turn(waitMs: 0)
        #expect(pair.transport.read(into: buffer) == .endOfStream)
    }

    @Test func aHalfClosedPeerStillTakesBytes() throws {
        let pair = try pair(tcp: true)
        Socket.shutdownWriting(pair.peer)
        #expect(pair.loop.turn { pair.transport.isHungUp && pair.transport.isWritable })
        #expect(pair.transport.read(into: Buffer(capacity: 16)) == .endOfStream)
        #expect(pair.transport.write(buffer("answer")) == .bytes(6))
        #expect(pair.loop.turn(seconds: 1) { SocketPair.hasUnread(pair.peer) })
        #expect(pair.receive() == Array("answer".utf8))
    }

    @Test func aResetIsAFailure() throws {
        let pair = try pair(tcp: true)
        #expect(pair.loop.turn { pair.transport.isWritable })
        Socket.resetOnClose(pair.peer)
        pair.closePeer()
        #expect(pair.loop.turn { pair.transport.isHungUp })
        #expect(pair.events.contains { $0.isError })
        guard case .failed(let error) = pair.transport.read(into: Buffer(capacity: 16)) else {
            Issue.record("no failure")
            return
        }
        #expect(error.isReset)
        guard case .failed(let later) = pair.transport.write(buffer("x")) else {
            Issue.record("written")
            return
        }
        #expect(later.isReset)
    }

    @Test func segmentsLeaveInOrderInOneCall() throws {
        let pair = try pair()
        pair.loop.turn(waitMs: 0)
        let second = buffer("__body__")
        #expect(pair.transport.write(buffer("head "), second, 2..<6, " tail") == .bytes(14))
        #expect(pair.receive() == Array("head body tail".utf8))
    }

    @Test func absentAndEmptySegmentsCostNothing() throws {
        let pair = try pair()
        pair.loop.turn(waitMs: 0)
        let body = buffer("body")
        #expect(pair.transport.write(nil, body, 0..<4) == .bytes(4))
        #expect(pair.transport.write(Buffer(capacity: 8), body, 1..<3, "!") == .bytes(3))
        #expect(pair.transport.write(nil, nil, 0..<0, "last") == .bytes(4))
        #expect(pair.receive() == Array("bodyod!last".utf8))
    }

    @Test(arguments: [false, true])
    func aFullPeerTakesTheRestWhenItHasRoomAgain(tcp: Bool) throws {
        let pair = try pair(tcp: tcp)
        #expect(pair.loop.turn { pair.transport.isWritable })
        let bytes = pattern(1 << 20)
        let buffer = Buffer(capacity: bytes.count)
        append(bytes, to: buffer)
        var received: [UInt8] = []
        var shortWrites = 0
        #expect(
            pair.loop.turn {
                while !buffer.isEmpty, pair.transport.isWritable {
                    guard case .bytes(let count) = pair.transport.write(buffer) else { return true }
                    if count < buffer.readableCount { shortWrites += 1 }
                    buffer.consume(count)
                }
                received += pair.receive() ?? []
                return received.count == bytes.count
            })
        #expect(shortWrites > 0)
        let isWhole = received == bytes
        #expect(isWhole)
    }

    @Test(arguments: [false, true])
    func splicingThroughAPipeKeepsEveryByte(tcp: Bool) throws {
        let loop = try EventLoop()
        let (from, to) = (try SocketPair(loop, tcp: tcp), try SocketPair(loop, tcp: tcp))
        let pipe = try Pipe()
        let bytes = pattern(1 << 20)
        var (sent, received) = (0, [UInt8]())
        var ended = false
        #expect(
            loop.turn {
                if sent < bytes.count {
                    let count = unsafe bytes[sent...].withUnsafeBytes {
                        unsafe Glibc.send(from.peer, $0.baseAddress, min($0.count, 300_000), Int32(MSG_NOSIGNAL))
                    }
                    sent += max(0, count)
                    if sent == bytes.count { from.closePeer() }
                }
                if pipe.count == 0, !ended {
                    ended = from.transport.splice(into: pipe, atMost: pipe.capacity) == .endOfStream
                }
                if pipe.count > 0, case .failed(let error) = to.transport.splice(from: pipe) {
                    Issue.record("\(error)")
                    return true
                }
                received += to.receive() ?? []
                loop.turn(waitMs: 0)
                return ended && received.count == bytes.count
            })
        let isWhole = received == bytes
        #expect(isWhole)
        #expect(pipe.count == 0)
    }

    @Test func splicingFromAResetPeerIsAFailure() throws {
        let pair = try pair(tcp: true)
        #expect(pair.loop.turn { pair.transport.isWritable })
        Socket.resetOnClose(pair.peer)
        pair.closePeer()
        #expect(pair.loop.turn { pair.transport.isHungUp })
        let pipe = try Pipe()
        guard case .failed(let error) = pair.transport.splice(into: pipe, atMost: 1024) else {
            Issue.record("no failure")
            return
        }
        #expect(error.isReset)
    }

    @Test func aClosedTransportIsSilentAndItsPeerHearsTheEnd() throws {
        let loop = try EventLoop()
        let (ends, peer) = try {
            let pair = try SocketPair(loop)
            pair.loop.turn(waitMs: 0)
            pair.transport.close()
            pair.transport.close()
            pair.send("late")
            pair.loop.turn(waitMs: 0)
            #expect(pair.transport.read(into: Buffer(capacity: 8)) == .wouldBlock)
            #expect(pair.transport.write(buffer("x")) == .bytes(0))
            #expect(loop.registrationCount == 0)
            return (pair.events.count, dup(pair.peer))
        }()
        #expect(ends == 1)
        let byte = unsafe withUnsafeTemporaryAllocation(byteCount: 1, alignment: 1) {
            unsafe recv(peer, $0.baseAddress, 1, 0)
        }
        #expect(byte <= 0 && errno != EAGAIN)
        close(peer)
    }

    @Test func resumptionComesInATurnOfItsOwn() throws {
        let pair = try pair()
        pair.transport.resumeNextTurn()
        #expect(pair.resumptions == 0)
        pair.loop.turn(waitMs: -1)
        #expect(pair.resumptions == 1)
    }

    @Test func emptyPipesAreReusedAndOthersAreNot() throws {
        let pool = PipePool()
        let pipe = try #require(pool.lease())
        #expect(pipe.capacity >= 1 << 16)
        pool.recycle(pipe)
        #expect(pool.lease() === pipe)
        pipe.count = 1
        pool.recycle(pipe)
        #expect(pool.lease() !== pipe)
        pipe.count = 0
    }
}
