import CLinux
import COpenSSL
import Core
import Glibc
import Testing

@testable import IO

/// Bytes through TLS: how they are cut, and how they end.
@Suite struct TLSTransferTests {
    private func pattern(_ count: Int) -> [UInt8] {
        (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 2_654_435_761 >> 16) }
    }

    private func buffer(_ bytes: [UInt8]) -> Buffer {
        let buffer = Buffer(capacity: max(1, bytes.count))
        buffer.append(bytes.span)
        return buffer
    }

    private func array(_ buffer: Buffer) -> [UInt8] {
        let bytes = buffer.readable
        return (0..<bytes.count).map { bytes[$0] }
    }

    /// Moves what is left of `output` and reads as much as there is.
    private func step(_ from: Transport, _ output: Buffer, _ to: Transport, _ received: inout [UInt8], readBytes: Int) {
        while !output.isEmpty, from.isWritable {
            guard case .bytes(let count) = from.write(output), count > 0 else { break }
            output.consume(count)
        }
        while to.isReadable {
            let input = Buffer(capacity: readBytes)
            guard case .bytes = to.read(into: input) else { break }
            received += array(input)
        }
    }

    @Test(arguments: [TLSVersion.v12, .v13], [1000, 16 * 1024, 40_000])
    func bothDirectionsAtOnceThroughSmallBuffers(_ version: TLSVersion, readBytes: Int) throws {
        let house = try TLSHouse()
        let pair = try house.pair(try house.server { $0.policy.maxVersion = version }, bufferBytes: 4096)
        try pair.connect()
        let (up, down) = (pattern(1 << 19), Array(pattern(700_001).reversed()))
        let (upward, downward) = (buffer(up), buffer(down))
        var (upReceived, downReceived) = ([UInt8](), [UInt8]())
        #expect(
            pair.loop.turn(seconds: 30) {
                step(pair.client, upward, pair.server, &upReceived, readBytes: readBytes)
                step(pair.server, downward, pair.client, &downReceived, readBytes: readBytes)
                return upReceived.count == up.count && downReceived.count == down.count
            })
        let areWhole = upReceived == up && downReceived == down
        #expect(areWhole)
        #expect(!pair.server.isReadable)
        #expect(pair.server.isWritable)
    }

    @Test func aFullPeerMakesWritingWait() throws {
        let house = try TLSHouse()
        let pair = try house.pair(bufferBytes: 4096)
        try pair.connect()
        let output = buffer(pattern(1 << 20))
        var taken = 0
        while pair.server.isWritable {
            guard case .bytes(let count) = pair.server.write(output) else { throw IOError("write", errno: 0) }
            output.consume(count)
            taken += count
        }
        #expect(taken < 1 << 20)
        #expect(pair.server.write(output) == .bytes(0))
        pair.loop.turn(waitMs: 0)
        #expect(!pair.server.isWritable)
    }

    @Test func aRecordThatWasSealedIsFinishedFromOtherSegments() throws {
        let house = try TLSHouse()
        let pair = try house.pair(bufferBytes: 4096)
        try pair.connect()
        let bytes = pattern(300_000)
        var sent = 0
        var received: [UInt8] = []
        #expect(
            pair.loop.turn(seconds: 30) {
                while sent < bytes.count, pair.server.isWritable {
                    // The same bytes in front, but every time in other places and cut elsewhere.
                    let first = min(sent + 1 + sent % 700, bytes.count)
                    let head = buffer(Array(bytes[sent..<first]))
                    let body = buffer([1, 2, 3] + bytes[first...])
                    guard case .bytes(let count) = pair.server.write(head, body, 3..<body.writerIndex) else {
                        return true
                    }
                    sent += count
                }
                step(pair.server, Buffer(), pair.client, &received, readBytes: 16_384)
                return received.count == bytes.count
            })
        let isWhole = received == bytes
        #expect(isWhole)
    }

    @Test func smallSegmentsLeaveAsOneRecord() throws {
        let house = try TLSHouse()
        let pair = try house.pair()
        try pair.connect()
        let input = Buffer(capacity: 1 << 16)
        drain(pair)
        let body = buffer(Array("__body__".utf8))
        #expect(pair.server.write(buffer(Array("head ".utf8)), body, 2..<6, " tail") == .bytes(14))
        let raw = try peek(pair.client)
        // One record: its header, 14 bytes, their type and 16 of authentication.
        #expect(raw.count == 5 + 14 + 1 + 16)
        #expect(pair.loop.turn { pair.client.isReadable })
        #expect(pair.client.read(into: input) == .bytes(14))
        #expect(input.readable.text == "head body tail")
        #expect(!pair.client.isReadable)
        #expect(pair.client.read(into: input) == .wouldBlock)
    }

    @Test func aHeadTakesTheStartOfALongBodyWithIt() throws {
        let house = try TLSHouse()
        let pair = try house.pair()
        try pair.connect()
        drain(pair)
        let body = pattern(40_000)
        #expect(pair.server.write(buffer(Array("head".utf8)), buffer(body), 0..<40_000, "tail") == .bytes(40_008))
        var records: [Int] = []
        let raw = try peek(pair.client)
        var position = 0
        while position + 5 <= raw.count {
            let length = Int(raw[position + 3]) << 8 | Int(raw[position + 4])
            records.append(length - 17)
            position += 5 + length
        }
        #expect(records == [16_384, 16_384, 40_008 - 32_768])
        let input = Buffer(capacity: 50_000)
        #expect(pair.loop.turn { pair.client.isReadable })
        #expect(pair.client.read(into: input) == .bytes(40_008))
        let isWhole = array(input) == Array("head".utf8) + body + Array("tail".utf8)
        #expect(isWhole)
    }

    @Test func aSmallBufferLeavesTheRestReadable() throws {
        let house = try TLSHouse()
        let pair = try house.pair()
        try pair.connect()
        #expect(pair.server.write(buffer(pattern(1000))) == .bytes(1000))
        #expect(pair.server.write(buffer(pattern(500))) == .bytes(500))
        var sizes: [Int] = []
        #expect(
            pair.loop.turn {
                while pair.client.isReadable {
                    if case .bytes(let count) = pair.client.read(into: Buffer(capacity: 600)) { sizes.append(count) }
                }
                return sizes.reduce(0, +) == 1500
            })
        #expect(sizes == [600, 600, 300])
    }

    @Test func aPartOfARecordIsNothingToReadYet() throws {
        let house = try TLSHouse()
        let pair = try house.pair()
        try pair.connect()
        drain(pair)
        let part: [UInt8] = [23, 3, 3, 0, 64, 1, 2, 3]
        #expect(unsafe send(pair.server.rawDescriptor, part, part.count, Int32(MSG_NOSIGNAL)) == part.count)
        #expect(pair.loop.turn { pair.client.isReadable })
        #expect(pair.client.read(into: Buffer(capacity: 64)) == .wouldBlock)
        #expect(!pair.client.isReadable)
        #expect(pair.client.isWritable)
    }

    /// Lets the client take in the session ticket, which comes after its handshake.
    private func drain(_ pair: TLSPair) {
        #expect(pair.exchange("x", from: pair.server, to: pair.client) == "x")
    }

    /// The bytes that wait at a transport, as they are on the wire.
    private func peek(_ transport: Transport) throws -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: 1 << 17)
        let count = unsafe recv(transport.rawDescriptor, &bytes, bytes.count, Int32(sidecar_MSG_PEEK))
        guard count >= 0 else { throw IOError.last("recv") }
        return Array(bytes.prefix(count))
    }

    private var sidecar_MSG_PEEK: UInt32 { 2 }

    // MARK: Ends

    @Test(arguments: [TLSVersion.v12, .v13])
    func theLastBytesAndTheEndAreBothRead(_ version: TLSVersion) throws {
        let house = try TLSHouse()
        let pair = try house.pair(try house.server { $0.policy.maxVersion = version })
        try pair.connect()
        _ = pair.client.read(into: Buffer(capacity: 64))
        #expect(pair.server.write(buffer(Array("bye".utf8))) == .bytes(3))
        pair.server.close()
        let input = Buffer(capacity: 64)
        #expect(pair.loop.turn { pair.client.isReadable })
        #expect(pair.client.read(into: input) == .bytes(3))
        #expect(pair.client.isReadable)
        #expect(pair.client.read(into: input) == .endOfStream)
        #expect(pair.client.read(into: input) == .endOfStream)
    }

    @Test func aHalfClosedPeerStillTakesBytes() throws {
        let house = try TLSHouse()
        let pair = try house.pair()
        try pair.connect()
        pair.client.shutdownWriting()
        #expect(pair.end(of: pair.server) == .endOfStream)
        #expect(pair.exchange("answer", from: pair.server, to: pair.client) == "answer")
    }

    @Test(arguments: [TLSVersion.v12, .v13])
    func anEndThatNobodyAnnouncedIsATruncation(_ version: TLSVersion) throws {
        let house = try TLSHouse()
        let pair = try house.pair(try house.server { $0.policy.maxVersion = version })
        try pair.connect()
        #expect(pair.exchange("x", from: pair.server, to: pair.client) == "x")
        Socket.shutdownWriting(pair.server.rawDescriptor)
        #expect(pair.end(of: pair.client) == .failed(.truncated))
        #expect(IOError.truncated.isTruncation)
        #expect(!IOError.unexpected("SSL_read").isTruncation)
    }

    @Test func writingToAPeerThatWentIsAFailure() throws {
        let house = try TLSHouse()
        let pair = try house.pair()
        try pair.connect()
        drain(pair)
        #expect(Glibc.shutdown(pair.client.rawDescriptor, Int32(SHUT_RDWR)) == 0)
        pair.loop.turn(waitMs: 0)
        guard case .failed(let error) = pair.server.write(buffer([1, 2, 3])) else {
            Issue.record("written")
            return
        }
        #expect(error.isReset)
        #expect(pair.server.tls?.failure == nil)
    }

    @Test func bytesThatAreNoRecordAreAFailure() throws {
        let house = try TLSHouse()
        let pair = try house.pair()
        try pair.connect()
        #expect(pair.exchange("x", from: pair.server, to: pair.client) == "x")
        let garbage = [UInt8](repeating: 0x41, count: 64)
        #expect(unsafe send(pair.server.rawDescriptor, garbage, garbage.count, Int32(MSG_NOSIGNAL)) == 64)
        #expect(pair.end(of: pair.client) == .failed(.unexpected("SSL_read")))
        #expect(pair.client.tls?.failure?.kind == .protocolViolation)
        // The other end is told.
        #expect(pair.end(of: pair.server) == .failed(.unexpected("SSL_read")))
        #expect(pair.server.tls?.failure?.kind == .peerAlert)
    }

    @Test func aTamperedRecordIsAFailure() throws {
        let house = try TLSHouse()
        let pair = try house.pair()
        try pair.connect()
        #expect(pair.exchange("x", from: pair.server, to: pair.client) == "x")
        var record: [UInt8] = [23, 3, 3, 0, 32] + pattern(32)
        record[7] ^= 1
        #expect(unsafe send(pair.client.rawDescriptor, record, record.count, Int32(MSG_NOSIGNAL)) == 37)
        #expect(pair.end(of: pair.server) == .failed(.unexpected("SSL_read")))
    }

    @Test func renegotiationIsRefused() throws {
        let house = try TLSHouse()
        let pair = try house.pair(try house.server { $0.policy.maxVersion = .v12 })
        try pair.connect()
        let raw = unsafe pair.client.tls!.ssl
        // Our own clients do not renegotiate either, unless they are made to.
        unsafe SSL_clear_options(raw, sidecar_SSL_OP_NO_RENEGOTIATION)
        let results = unsafe (SSL_renegotiate(raw), SSL_do_handshake(raw))
        #expect(results.0 == 1 && results.1 <= 0)
        #expect(pair.loop.turn { pair.server.isReadable })
        #expect(pair.server.read(into: Buffer(capacity: 64)) == .wouldBlock)
        #expect(pair.end(of: pair.client) == .failed(.unexpected("SSL_read")))
    }

    @Test func aKeyUpdateGoesUnnoticed() throws {
        let house = try TLSHouse()
        let pair = try house.pair()
        try pair.connect()
        let raw = unsafe pair.client.tls!.ssl
        let result = unsafe SSL_key_update(raw, SSL_KEY_UPDATE_REQUESTED)
        #expect(result == 1)
        for text in ["one", "two", "three"] {
            #expect(pair.exchange(text, from: pair.client, to: pair.server) == text)
            #expect(pair.exchange(text, from: pair.server, to: pair.client) == text)
        }
    }

    // MARK: Handing over

    @Test func eventsGoToTheNewHandler() throws {
        final class Ear: EventHandler {
            var events = 0
            func ready(_ readiness: Readiness) { events += 1 }
        }
        let house = try TLSHouse()
        let pair = try TLSPair(house.loop)
        let ear = Ear()
        pair.loop.turn(waitMs: 0)
        pair.server.reattach(ear)
        #expect(pair.client.write(buffer([1])) == .bytes(1))
        #expect(pair.loop.turn { ear.events > 0 })
        #expect(!pair.server.isReadable)
        pair.server.close()
        pair.server.reattach(ear)
    }
}
