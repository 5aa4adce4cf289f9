import CLinux
package import Core
import Glibc

/// A connected byte stream behind one read and one write.
///
/// Owned by one connection, used on its worker. It remembers what the kernel last said of readiness, so that no call is
/// made only to hear EAGAIN: a read that fills less than it was given, and a write that takes less, say so already.
package final class Transport {
    package enum ReadOutcome: Equatable {
        case bytes(Int)
        case wouldBlock
        case endOfStream
        case failed(IOError)
    }

    package enum WriteOutcome: Equatable {
        /// How many bytes the kernel took of the segments together; fewer than given means it is full.
        case bytes(Int)
        case failed(IOError)
    }

    private let descriptor: FileDescriptor
    let loop: EventLoop
    private var token: EventLoop.Token?
    // SAFETY: of the unchecked exclusivity: set once by its owner, on its thread.
    @exclusivity(unchecked) private var encryption: TLSConnection?
    /// TLS on this transport, from `beginTLS` on; nil when its bytes are plain.
    package internal(set) var tls: TLSConnection? {
        get { unsafe encryption }
        set { unsafe encryption = newValue }
    }
    package var isEncrypted: Bool { unsafe encryption != nil }
    // SAFETY: of the unchecked exclusivity: flags of one owner on one thread.
    @exclusivity(unchecked) private var readableNoted = false
    @exclusivity(unchecked) private var writableNoted = false
    @exclusivity(unchecked) private var hangUpNoted = false
    /// Whether a read may find something.
    package internal(set) var isReadable: Bool {
        get { unsafe readableNoted }
        set { unsafe readableNoted = newValue }
    }
    /// Whether a write may be taken.
    package internal(set) var isWritable: Bool {
        get { unsafe writableNoted }
        set { unsafe writableNoted = newValue }
    }
    /// The peer will send no more after what is still unread.
    package private(set) var isHungUp: Bool {
        get { unsafe hangUpNoted }
        set { unsafe hangUpNoted = newValue }
    }

    /// Takes a connected or connecting descriptor.
    package init(_ descriptor: consuming FileDescriptor, loop: EventLoop) {
        self.descriptor = descriptor
        self.loop = loop
    }

    /// Registers it; its events go to `handler`, which must close the transport before it goes itself.
    package func attach(_ handler: any EventHandler) throws(IOError) {
        token = try loop.register(descriptor.rawValue, handler)
    }

    /// For accepted connections: their first bytes are often there already, and room to write always is.
    package func assumeReady() {
        isReadable = true
        isWritable = true
    }

    /// Hands the transport over: its events go to `handler` from now on, those of this turn that are still to come too.
    package func reattach(_ handler: any EventHandler) {
        guard let token else { return }
        loop.replaceHandler(token, handler)
    }

    /// The raw descriptor, for `splice` and socket options.
    package var rawDescriptor: Int32 { descriptor.rawValue }

    /// Notes what the kernel said; the handler calls it first.
    @inline(__always)
    package func note(_ readiness: Readiness) {
        if readiness.isReadable { isReadable = true }
        if readiness.isWritable { isWritable = true }
        if readiness.isHungUp { isHungUp = true }
        if isEncrypted { noteEncrypted(readiness) }
    }

    /// Asks for `EventHandler.resumed` in the next turn.
    package func resumeNextTurn() {
        if let token { loop.resume(token) }
    }

    /// Deregisters. The descriptor is closed when the transport goes; nothing may be read or written any more. With TLS the
    /// peer is told that this is the end, if it can be told at once.
    package func close() {
        guard let token else { return }
        if let tls {
            tls.shutDown()
            tls.closed()
        }
        loop.deregister(token)
        self.token = nil
        isReadable = false
        isWritable = false
    }

    /// Deregisters like `close`, and resets the connection: the peer must not take this for a proper end.
    package func abort() {
        tls?.abandon()
        Socket.resetOnClose(descriptor.rawValue)
        close()
    }

    /// Ends the writing direction: the peer reads the end of the stream, and may go on sending.
    package func shutdownWriting() {
        tls?.shutDown()
        Socket.shutdownWriting(descriptor.rawValue)
    }

    /// Reads once into the buffer's free space; with TLS, as many records as are there and fit.
    package func read(into buffer: Buffer) -> ReadOutcome {
        guard isReadable else { return .wouldBlock }
        if let tls { return readEncrypted(tls, buffer) }
        let descriptor = descriptor.rawValue
        let space = buffer.writableCount
        var result = -1
        // SAFETY: recv writes at most the space it is given.
        _ = unsafe buffer.write { free in
            result = unsafe recv(descriptor, free.baseAddress, free.count, 0)
            return max(0, result)
        }
        if result > 0 {
            // After a hang-up no further event comes: the end has to be read.
            if result < space, !isHungUp { isReadable = false }
            return .bytes(result)
        }
        if result == 0 { return .endOfStream }
        if errno == EAGAIN || errno == EINTR {
            isReadable = errno == EINTR
            return .wouldBlock
        }
        return .failed(.last("recv"))
    }

    /// Writes the readable bytes of `first`, then the given bytes of `second`, then `last`, in one system call. The caller
    /// consumes what was taken. An absent or empty segment costs nothing; at least one must have bytes.
    ///
    /// With TLS, what was not taken must be tried again with the same bytes at its start: they may be sealed already.
    package func write(
        _ first: Buffer?, _ second: Buffer? = nil, _ range: Range<Int> = 0..<0, _ last: StaticString = ""
    )
        -> WriteOutcome
    {
        guard isWritable else { return .bytes(0) }
        if let tls { return writeEncrypted(tls, first, second, range, last) }
        // SAFETY: the segments point into buffers that live and do not change during the call.
        return unsafe withUnsafeTemporaryAllocation(of: iovec.self, capacity: 3) { segments in
            var count = 0
            var total = 0
            func add(_ base: UnsafeMutableRawPointer, _ length: Int) {
                unsafe segments.initializeElement(at: count, to: iovec(iov_base: base, iov_len: length))
                count += 1
                total += length
            }
            if let first, !first.isEmpty { unsafe add(first.address(of: first.readerIndex), first.readableCount) }
            if let second, !range.isEmpty { unsafe add(second.address(of: range.lowerBound), range.count) }
            if last.utf8CodeUnitCount > 0 {
                unsafe add(UnsafeMutableRawPointer(mutating: last.utf8Start), last.utf8CodeUnitCount)
            }
            precondition(count > 0, "nothing to write")
            let result =
                unsafe count == 1
                ? send(descriptor.rawValue, segments[0].iov_base, segments[0].iov_len, Int32(MSG_NOSIGNAL))
                : writev(descriptor.rawValue, segments.baseAddress!, Int32(count))
            if result >= 0 {
                if result < total { isWritable = false }
                return .bytes(result)
            }
            if errno == EAGAIN || errno == EINTR {
                isWritable = errno == EINTR
                return .bytes(0)
            }
            return .failed(.last("send"))
        }
    }

    // MARK: Zero copy

    /// Moves up to `count` bytes into the pipe without copying them.
    package func splice(into pipe: Pipe, atMost count: Int) -> ReadOutcome {
        guard isReadable else { return .wouldBlock }
        let moved = sidecar_splice(
            descriptor.rawValue, pipe.writingEnd, count, sidecar_SPLICE_F_MOVE | sidecar_SPLICE_F_NONBLOCK)
        if moved > 0 {
            pipe.count += moved
            return .bytes(moved)
        }
        if moved == 0 { return .endOfStream }
        if errno == EAGAIN || errno == EINTR {
            // EAGAIN also means a full pipe; the caller empties it first, so here it means no data.
            isReadable = errno == EINTR
            return .wouldBlock
        }
        return .failed(.last("splice"))
    }

    /// Moves what the pipe holds to the peer. Never with `SPLICE_F_MORE`: nobody knows when more will come, and the kernel
    /// would hold the last segment back for it, up to a fifth of a second.
    package func splice(from pipe: Pipe) -> WriteOutcome {
        guard isWritable else { return .bytes(0) }
        let flags = sidecar_SPLICE_F_MOVE | sidecar_SPLICE_F_NONBLOCK
        let moved = sidecar_splice(pipe.readingEnd, descriptor.rawValue, pipe.count, flags)
        if moved >= 0 {
            if moved < pipe.count { isWritable = false }
            pipe.count -= moved
            return .bytes(moved)
        }
        if errno == EAGAIN || errno == EINTR {
            isWritable = errno == EINTR
            return .bytes(0)
        }
        return .failed(.last("splice"))
    }
}
