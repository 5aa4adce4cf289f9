import Core
import Glibc

@testable import IO

/// The far end of one of the proxy's connections, in a test's hands: a client of it, or a server behind it.
///
/// Every wait ends after ten seconds, which only a failing test takes. Used by one thread at a time.
final class Peer: @unchecked Sendable {
    enum Failure: Error, Equatable { case timedOut, ended, reset, failed(Int32) }

    static let waitMs: Int32 = 10_000

    // SAFETY: unchecked because of the two variables: whoever hands it to another thread lets go of it until that ends.
    private var descriptor: FileDescriptor?
    /// Bytes received and not yet read.
    private var unread: [UInt8] = []
    let raw: Int32

    /// Takes a connected, non-blocking descriptor.
    init(_ descriptor: consuming FileDescriptor) {
        raw = descriptor.rawValue
        self.descriptor = consume descriptor
    }

    static func connect(to address: SocketAddress) throws -> Peer {
        let peer = Peer(try Socket.connect(to: address))
        try peer.wait(for: POLLOUT)
        if let error = Socket.connectError(of: peer.raw) { throw error }
        return peer
    }

    // MARK: Sending

    func send(_ text: String) throws { try send(Array(text.utf8)) }

    func send(_ bytes: [UInt8]) throws {
        let sent = try sendUntilFull(bytes, waitMs: Self.waitMs)
        guard sent == bytes.count else { throw Failure.timedOut }
    }

    /// Sends until all has left or until no room comes for `waitMs`; returns how many bytes left.
    func sendUntilFull(_ bytes: [UInt8], from start: Int = 0, waitMs: Int32) throws -> Int {
        var sent = start
        while sent < bytes.count {
            // SAFETY: the pointer is to as many bytes as are told, from the first that has not left.
            let count = unsafe bytes.withUnsafeBytes { all in
                unsafe Glibc.send(raw, all.baseAddress! + sent, all.count - sent, Int32(MSG_NOSIGNAL))
            }
            if count >= 0 {
                sent += count
            } else if errno != EAGAIN {
                throw Self.failure(errno)
            } else if !hasEvent(POLLOUT, waitMs: waitMs) {
                break
            }
        }
        return sent - start
    }

    /// Sends on a thread of its own while `body` runs: more than fits between the two ends.
    func sending<Result>(_ bytes: [UInt8], while body: () throws -> Result) throws -> Result {
        let thread = try WorkerThread(name: "sender") { try? self.send(bytes) }
        defer { thread.join() }
        return try body()
    }

    /// The reader hears the end; reading goes on.
    func finishWriting() { Socket.shutdownWriting(raw) }

    func close() { descriptor = nil }

    /// Closes so that the other end hears of a reset.
    func reset() {
        Socket.resetOnClose(raw)
        close()
    }

    // MARK: Receiving

    /// The next `count` bytes.
    func read(_ count: Int) throws -> [UInt8] {
        while unread.count < count { try receive() }
        defer { unread.removeFirst(count) }
        return Array(unread[..<count])
    }

    /// The bytes up to the given ones, which are read and left out.
    func read(to end: String) throws -> String {
        let end = Array(end.utf8)
        var start = 0
        while true {
            var index = start
            while index + end.count <= unread.count {
                if unread[index..<index + end.count].elementsEqual(end) {
                    defer { unread.removeFirst(index + end.count) }
                    return String(decoding: unread[..<index], as: UTF8.self)
                }
                index += 1
            }
            start = index
            try receive()
        }
    }

    /// What comes until the other end has finished.
    func readToEnd() throws -> [UInt8] {
        do { while true { try receive() } } catch Failure.ended {
            defer { unread = [] }
            return unread
        }
    }

    /// How the connection ends: `ended` or `reset`; what comes before that is dropped.
    func readEnd() -> Failure {
        while true {
            do { try receive() } catch let failure as Failure { return failure } catch { return .failed(0) }
            unread = []
        }
    }

    /// What has arrived by now, without waiting. Throws how the connection ended once all that came before is read.
    func readArrived() throws -> [UInt8] {
        if unread.isEmpty, hasEvent(POLLIN, waitMs: 0) { try receive() }
        defer { unread = [] }
        return unread
    }

    /// Whether bytes, or the end, are there to be read now.
    var hasUnread: Bool { !unread.isEmpty || hasEvent(POLLIN, waitMs: 0) }

    /// How long the kernel waits for this end's acknowledgements, of the descriptor that the proxy has in this process.
    var patienceOfOtherEnd: Duration? {
        let local = Socket.localAddress(of: raw)
        for descriptor in 0..<Int32(4096) {
            // SAFETY: the kernel fills in storage of the length it is given.
            let remote = unsafe SocketAddress.filled { address, length in
                _ = unsafe getpeername(descriptor, address, length)
            }
            guard local != nil, remote == local else { continue }
            var milliseconds: Int32 = 0
            var size = socklen_t(MemoryLayout<Int32>.size)
            // SAFETY: the kernel writes one Int32 and its size.
            guard unsafe getsockopt(descriptor, Int32(IPPROTO_TCP), TCP_USER_TIMEOUT, &milliseconds, &size) == 0
            else { return nil }
            return .milliseconds(Int(milliseconds))
        }
        return nil
    }

    private func receive() throws {
        var chunk = [UInt8](repeating: 0, count: 256 * 1024)
        while true {
            // SAFETY: the pointer is to the array's elements, as many as are told.
            let count = unsafe recv(raw, &chunk, chunk.count, 0)
            if count > 0 { return unread.append(contentsOf: chunk[..<count]) }
            if count == 0 { throw Failure.ended }
            guard errno == EAGAIN else { throw Self.failure(errno) }
            try wait(for: POLLIN)
        }
    }

    // MARK: Waiting

    private func wait(for event: Int32) throws {
        guard hasEvent(event, waitMs: Self.waitMs) else { throw Failure.timedOut }
    }

    private func hasEvent(_ event: Int32, waitMs: Int32) -> Bool {
        var entry = pollfd(fd: raw, events: Int16(event), revents: 0)
        // SAFETY: the pointer is to one local pollfd, as the count says.
        return unsafe poll(&entry, 1, waitMs) == 1
    }

    private static func failure(_ number: Int32) -> Failure {
        number == ECONNRESET || number == EPIPE ? .reset : .failed(number)
    }
}
