import CLinux
package import Core
import Glibc

/// Making sockets: every option is set once, at birth.
package enum Socket {
    /// How a connected TCP peer that has vanished is found: probes after a minute of silence, and data unacknowledged
    /// for `unacknowledgedMax` ends the connection.
    private static let keepAliveIdleSeconds: Int32 = 60
    private static let keepAliveIntervalSeconds: Int32 = 10
    private static let keepAliveProbes: Int32 = 3
    /// The kernel counts a peer that takes no bytes as one that is dead, even while it answers probes: for whom a pause
    /// is allowed, this must be longer than the pause.
    package static let unacknowledgedMax: Duration = .seconds(30)

    /// A listening, non-blocking socket. What it accepts inherits its options. With `reusePort` several workers listen
    /// on one address and the kernel spreads connections over them.
    ///
    /// A unix socket's file is replaced when nobody answers behind it.
    package static func listen(
        on address: SocketAddress, backlog: Int32, reusePort: Bool, unacknowledgedMax: Duration = unacknowledgedMax
    ) throws(IOError) -> FileDescriptor {
        let descriptor = try make(family: address.family)
        switch address {
        case .ip(let ip, _):
            try set(descriptor.rawValue, SOL_SOCKET, SO_REUSEADDR, 1)
            if reusePort { try set(descriptor.rawValue, SOL_SOCKET, SO_REUSEPORT, 1) }
            if ip.isV6 { try set(descriptor.rawValue, Int32(IPPROTO_IPV6), IPV6_V6ONLY, 1) }
            try setTCPOptions(descriptor.rawValue, unacknowledgedMax)
        case .unix(let path):
            if !path.hasPrefix("@") { removeStale(path, address) }
        }
        // SAFETY: the kernel reads an address of the length given.
        let bound = unsafe address.withSockaddr { unsafe bind(descriptor.rawValue, $0, $1) }
        guard bound == 0 else { throw .last("bind") }
        guard Glibc.listen(descriptor.rawValue, backlog) == 0 else { throw .last("listen") }
        return descriptor
    }

    /// Throws when somebody listens on a TCP address already, even if they would share it with `reusePort`: so a second
    /// proxy on the same port is noticed.
    package static func requireFree(_ address: SocketAddress) throws(IOError) {
        guard case .ip(let ip, let port) = address, port != 0 else { return }
        let probe = try make(family: address.family)
        try set(probe.rawValue, SOL_SOCKET, SO_REUSEADDR, 1)
        if ip.isV6 { try set(probe.rawValue, Int32(IPPROTO_IPV6), IPV6_V6ONLY, 1) }
        // SAFETY: the kernel reads an address of the length given.
        guard unsafe address.withSockaddr({ unsafe bind(probe.rawValue, $0, $1) }) == 0 else { throw .last("bind") }
    }

    /// Removes the file of a unix socket.
    package static func removeFile(of address: SocketAddress) {
        // SAFETY: the path is terminated text for the time of the call.
        if case .unix(let path) = address, !path.hasPrefix("@") { unsafe unlink(path) }
    }

    /// Starts to connect. The descriptor becomes writable when it is connected or has failed; `connectError` tells.
    package static func connect(
        to address: SocketAddress, unacknowledgedMax: Duration = unacknowledgedMax
    ) throws(IOError) -> FileDescriptor {
        let descriptor = try make(family: address.family)
        if case .ip = address { try setTCPOptions(descriptor.rawValue, unacknowledgedMax) }
        // SAFETY: the kernel reads an address of the length given.
        let result = unsafe address.withSockaddr { unsafe Glibc.connect(descriptor.rawValue, $0, $1) }
        // A unix socket whose backlog is full says EAGAIN and never becomes connected: that is a refusal.
        guard result == 0 || errno == EINPROGRESS else { throw .last("connect") }
        return descriptor
    }

    /// How a connect ended: nil when connected.
    package static func connectError(of descriptor: Int32) -> IOError? {
        var number: Int32 = 0
        var length = socklen_t(MemoryLayout<Int32>.size)
        // SAFETY: the kernel writes one Int32 and its size.
        let result = unsafe getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &number, &length)
        if result != 0 { return .last("getsockopt") }
        return number == 0 ? nil : IOError("connect", errno: number)
    }

    package enum AcceptOutcome: ~Copyable {
        case connection(FileDescriptor, SocketAddress)
        case wouldBlock
        /// The connection went before it was accepted, or this one failed; others may wait.
        case skipped
        /// No descriptors or memory: stop accepting for a while.
        case exhausted(IOError)
    }

    /// Takes one waiting connection, non-blocking and closed on exec.
    package static func accept(on descriptor: Int32) -> AcceptOutcome {
        var accepted: Int32 = -1
        // SAFETY: the kernel fills in storage of the length it is given.
        let peer = unsafe SocketAddress.filled { address, length in
            unsafe accepted = accept4(
                descriptor, address, length, sidecar_SOCK_NONBLOCK | sidecar_SOCK_CLOEXEC)
        }
        if accepted >= 0 { return .connection(FileDescriptor(rawValue: accepted), peer ?? .unix("")) }
        let error = IOError.last("accept4")
        if error.errno == EAGAIN { return .wouldBlock }
        return error.isExhaustion ? .exhausted(error) : .skipped
    }

    /// The address a socket is bound to; the true port when it was bound to port 0.
    package static func localAddress(of descriptor: Int32) -> SocketAddress? {
        // SAFETY: the kernel fills in storage of the length it is given.
        unsafe SocketAddress.filled { address, length in _ = unsafe getsockname(descriptor, address, length) }
    }

    /// Ends the writing direction: the peer reads the end of the stream.
    package static func shutdownWriting(_ descriptor: Int32) { _ = Glibc.shutdown(descriptor, Int32(SHUT_WR)) }

    /// Makes the coming close a reset, so that the peer cannot take a cut stream for a complete one.
    package static func resetOnClose(_ descriptor: Int32) {
        var option = linger(l_onoff: 1, l_linger: 0)
        // SAFETY: the kernel reads one structure of the size given.
        _ = unsafe setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &option, socklen_t(MemoryLayout<linger>.size))
    }

    /// Writes what fits of a last word and closes. What the peer has sent is read first: closing over unread bytes would
    /// reset the connection and take the word back.
    package static func sendLast(_ text: StaticString, on descriptor: consuming FileDescriptor) {
        // SAFETY: the text is constant memory of the length given; recv writes at most the scratch space.
        _ = unsafe Glibc.send(descriptor.rawValue, text.utf8Start, text.utf8CodeUnitCount, Int32(MSG_NOSIGNAL))
        shutdownWriting(descriptor.rawValue)
        unsafe withUnsafeTemporaryAllocation(byteCount: 16 * 1024, alignment: 8) { scratch in
            _ = unsafe recv(descriptor.rawValue, scratch.baseAddress, scratch.count, 0)
        }
    }

    /// Writes what fits, without waiting.
    package static func send(_ text: StaticString, to descriptor: Int32) {
        // SAFETY: the text is constant memory of the length given.
        _ = unsafe Glibc.send(descriptor, text.utf8Start, text.utf8CodeUnitCount, Int32(MSG_NOSIGNAL))
    }

    private static func make(family: Int32) throws(IOError) -> FileDescriptor {
        let type = sidecar_SOCK_STREAM | sidecar_SOCK_NONBLOCK | sidecar_SOCK_CLOEXEC
        let descriptor = socket(family, type, 0)
        guard descriptor >= 0 else { throw .last("socket") }
        return FileDescriptor(rawValue: descriptor)
    }

    private static func setTCPOptions(_ descriptor: Int32, _ unacknowledgedMax: Duration) throws(IOError) {
        let tcp = Int32(IPPROTO_TCP)
        try set(descriptor, tcp, TCP_NODELAY, 1)
        try set(descriptor, SOL_SOCKET, SO_KEEPALIVE, 1)
        try set(descriptor, tcp, TCP_KEEPIDLE, keepAliveIdleSeconds)
        try set(descriptor, tcp, TCP_KEEPINTVL, keepAliveIntervalSeconds)
        try set(descriptor, tcp, TCP_KEEPCNT, keepAliveProbes)
        let milliseconds = Int32(clamping: unacknowledgedMax.nanosecondsClamped / 1_000_000)
        try set(descriptor, tcp, TCP_USER_TIMEOUT, milliseconds)
    }

    private static func set(_ descriptor: Int32, _ level: Int32, _ option: Int32, _ value: Int32) throws(IOError) {
        var value = value
        // SAFETY: the kernel reads one Int32.
        let result = unsafe setsockopt(descriptor, level, option, &value, socklen_t(MemoryLayout<Int32>.size))
        guard result == 0 else { throw .last("setsockopt") }
    }

    /// Removes a unix socket's file that nobody listens behind. Any other file is somebody's, and binding then fails.
    private static func removeStale(_ path: String, _ address: SocketAddress) {
        var status = stat()
        // SAFETY: lstat fills in the structure, which lives for the call.
        guard unsafe lstat(path, &status) == 0, status.st_mode & S_IFMT == S_IFSOCK else { return }
        guard let probe = try? make(family: AF_UNIX) else { return }
        let result = unsafe address.withSockaddr { unsafe Glibc.connect(probe.rawValue, $0, $1) }
        if result != 0, errno == ECONNREFUSED { unsafe unlink(path) }
    }
}
