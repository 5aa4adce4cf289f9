package import Core
import Glibc

extension Transport {
    /// Begins TLS as the server, before anything was read, or with the bytes that were.
    ///
    /// `received` is what the owner read to see that it is TLS; it is copied. Then call `handshake` until it is complete.
    package func beginTLS(_ server: TLSServerContext, received: Buffer? = nil) throws(IOError) {
        begin(try TLSConnection(server: server, socket(received), loop.scratch))
    }

    /// Begins TLS as the client: asks for `serverName` and checks that the certificate is for it. An address is checked as
    /// one, and not sent (RFC 6066 §3). The last session in `sessions` is resumed if the server agrees.
    package func beginTLS(
        _ client: TLSClientContext, serverName: String, sessions: TLSSessionStore? = nil
    ) throws(IOError) {
        begin(
            try TLSConnection(
                client: client, serverName: serverName, sessions: sessions, socket(nil), loop.scratch))
    }

    /// Goes on with the handshake as far as the peer allows; call it on every event until it is complete or has failed.
    package func handshake() -> TLSHandshakeOutcome {
        guard let tls else { preconditionFailure("handshake without TLS") }
        let outcome = tls.handshake()
        refresh(tls)
        return outcome
    }

    /// The kernel's news reach what waits for them: a read that has to write first, and the other way round.
    func noteEncrypted(_ readiness: Readiness) {
        guard let tls else { return }
        tls.note(readiness)
        refresh(tls)
    }

    func readEncrypted(_ tls: TLSConnection, _ buffer: Buffer) -> ReadOutcome {
        let outcome = tls.read(into: buffer)
        refresh(tls)
        return outcome
    }

    func writeEncrypted(
        _ tls: TLSConnection, _ first: Buffer?, _ second: Buffer?, _ range: Range<Int>, _ last: StaticString
    ) -> WriteOutcome {
        // SAFETY: the segments point into buffers that live and do not change during the call.
        var segments = unsafe TLSSegments(
            first: UnsafeRawBufferPointer(start: nil, count: 0), second: UnsafeRawBufferPointer(start: nil, count: 0),
            last: UnsafeRawBufferPointer(start: last.utf8Start, count: last.utf8CodeUnitCount))
        if let first, !first.isEmpty {
            unsafe segments.first = UnsafeRawBufferPointer(
                start: first.address(of: first.readerIndex), count: first.readableCount)
        }
        if let second, !range.isEmpty {
            precondition(range.upperBound <= second.writerIndex)
            unsafe segments.second = UnsafeRawBufferPointer(
                start: second.address(of: range.lowerBound), count: range.count)
        }
        precondition(unsafe segments.total > 0, "nothing to write")
        let outcome = unsafe tls.write(segments)
        refresh(tls)
        return outcome
    }

    private func begin(_ connection: TLSConnection) {
        precondition(tls == nil, "TLS within TLS")
        tls = connection
        refresh(connection)
    }

    /// Readiness as it is now: the socket's, and what OpenSSL holds.
    private func refresh(_ tls: TLSConnection) {
        isReadable = tls.mayRead
        isWritable = tls.mayWrite
    }

    private func socket(_ received: Buffer?) -> TLSSocket {
        var socket = TLSSocket(
            descriptor: rawDescriptor, isReadable: isReadable, isWritable: isWritable, isHungUp: isHungUp)
        if let received, !received.isEmpty {
            // SAFETY: the copy is as long as the readable bytes; the connection frees it.
            let copy = UnsafeMutableRawPointer.allocate(byteCount: received.readableCount, alignment: 8)
            unsafe copy.copyMemory(from: received.address(of: received.readerIndex), byteCount: received.readableCount)
            unsafe socket.received = copy
            socket.receivedCount = received.readableCount
        }
        return socket
    }
}
