import CAres
import CLinux
package import Core
import Glibc

/// Turns names into addresses without waiting: c-ares on one event loop.
///
/// Owned by the main thread and used on its control loop; workers are told what came of it. The hosts file is asked first,
/// then DNS for A and AAAA together. A resolver that goes drops the lookups under way without completing them.
@safe
package final class Resolver {
    /// What a name resolved to.
    package struct Answer: Equatable, Sendable {
        /// At least one, each once, those the system prefers (RFC 6724) first.
        package let addresses: [IPAddress]
        /// The smallest time to live of the records used, clamped to 1...60.
        package let ttlSeconds: UInt32

        package init(addresses: [IPAddress], ttlSeconds: UInt32) {
            self.addresses = addresses
            self.ttlSeconds = ttlSeconds
        }
    }

    /// Why a name did not resolve. The description is for people: logs, `/services`.
    package enum Failure: Error, Hashable, Sendable {
        /// The name does not exist, or has no address.
        case notFound
        /// No answer in time.
        case timeout
        /// The servers do not listen, or will not answer this question.
        case refused(String)
        case other(String)
    }

    package typealias Completion = (Result<Answer, Failure>) -> Void

    /// Lookups that c-ares is given at once, two questions each: more answers would overflow a socket's buffer and be lost.
    static let lookupsMax = 100
    /// Rounds over all servers before c-ares gives up.
    private static let triesMax = 3
    /// The shortest patience with one server.
    private static let tryMsMin: UInt64 = 100

    private let loop: EventLoop
    private let timeout: Duration
    private let families: Int32
    private var channel: ares_channel?
    private var sockets: [Int32: ResolverSocket] = [:]
    private var timer: Timer?
    /// Lookups that wait for their turn, first in, first out, from `waitingStart` on.
    private var waiting: [Lookup] = []
    private var waitingStart = 0
    private var underWay = 0
    /// c-ares is on the stack: it must not be entered again.
    private var isInside = false

    /// Asks `servers`, or those of `/etc/resolv.conf` when there are none. `timeout` is for one name, all tries together.
    package init(loop: EventLoop, servers: [SocketAddress], timeout: Duration) throws(IOError) {
        self.loop = loop
        self.timeout = timeout
        families = Self.hasV6 ? AF_UNSPEC : AF_INET
        guard Self.libraryStatus == 0 else { throw IOError("ares_library_init", errno: ENOMEM) }
        // c-ares doubles its patience with every round: 1 + 2 + 4 of these, times the servers, make up the timeout.
        let milliseconds = timeout.nanosecondsClamped / 1_000_000 / UInt64(7 * max(1, servers.count))
        let tryMs = Int32(clamping: max(Self.tryMsMin, milliseconds))
        // SAFETY: the channel is written before it is used; self outlives it, because deinit destroys it.
        var opened: ares_channel?
        let status = unsafe sidecar_ares_init(
            &opened, tryMs, Int32(Self.triesMax),
            { owner, descriptor, readable, writable in
                let resolver = unsafe Unmanaged<Resolver>.fromOpaque(owner!).takeUnretainedValue()
                resolver.socketChanged(descriptor, isOpen: readable != 0 || writable != 0, wantsToWrite: writable != 0)
            }, Unmanaged.passUnretained(self).toOpaque())
        guard status == 0, let opened = unsafe opened else {
            throw IOError("ares_init_options", errno: status == ARES_ENOMEM ? ENOMEM : EINVAL)
        }
        unsafe channel = opened
        timer = Timer(target: self)
        if !servers.isEmpty { try ask(servers) }
    }

    deinit {
        // SAFETY: every lookup's callback is called by ares_destroy, and none afterwards.
        if let channel = unsafe channel { unsafe ares_destroy(channel) }
        if let timer { loop.cancel(timer) }
        for socket in sockets.values { loop.detach(socket.token) }
    }

    /// Resolves a name. An IP literal is answered before this returns, a name from the hosts file mostly is; everything else
    /// in a later turn of the loop, when the timeout has passed at the latest.
    package func resolve(_ name: String, _ completion: @escaping Completion) {
        if let address = IPAddress(name) {
            return completion(.success(Answer(addresses: [address], ttlSeconds: ResolvedName.ttlSecondsMax)))
        }
        guard !name.isEmpty, !name.utf8.contains(0) else {
            return completion(.failure(.other("\"\(name)\" is no name")))
        }
        waiting.append(Lookup(name, resolver: self, loop: loop, completion))
        if !isInside { arm() }
    }

    /// Hands waiting lookups to c-ares as far as it may have more.
    private func startWaiting() {
        while underWay < Self.lookupsMax, waitingStart < waiting.count {
            let lookup = waiting[waitingStart]
            waitingStart += 1
            if waitingStart == waiting.count {
                waiting.removeAll()
                waitingStart = 0
            }
            underWay += 1
            loop.schedule(lookup.timer, at: loop.now.advanced(by: timeout))
            isInside = true
            // SAFETY: c-ares copies the name, and calls back exactly once for every call, which releases the lookup.
            unsafe sidecar_ares_getaddrinfo(
                channel, lookup.name, families,
                { argument, status, _, info in
                    let lookup = unsafe Unmanaged<Lookup>.fromOpaque(argument!).takeRetainedValue()
                    unsafe lookup.answered(status: status, info)
                    if let info = unsafe info { unsafe ares_freeaddrinfo(info) }
                }, Unmanaged.passRetained(lookup).toOpaque())
            isInside = false
        }
    }

    /// c-ares is done with one.
    func lookupEnded() { underWay -= 1 }

    // MARK: Events

    /// c-ares opened a socket, wants to write to one, or is about to close it.
    private func socketChanged(_ descriptor: Int32, isOpen: Bool, wantsToWrite: Bool) {
        guard isOpen else {
            if let socket = sockets.removeValue(forKey: descriptor) { loop.detach(socket.token) }
            return
        }
        if let socket = sockets[descriptor] {
            // The edge of its writability may have passed long ago, and will not come again.
            if wantsToWrite, !socket.wantsToWrite { loop.resume(socket.token) }
            socket.wantsToWrite = wantsToWrite
            return
        }
        // A socket that cannot be watched is heard of again when its query times out.
        guard let socket = try? ResolverSocket(descriptor, self, loop) else { return }
        socket.wantsToWrite = wantsToWrite
        sockets[descriptor] = socket
    }

    /// Lets c-ares read and write until the socket has nothing more to say.
    fileprivate func process(_ socket: ResolverSocket, readable: Bool, writable: Bool) {
        // Over TCP c-ares reads one length or one message a call, and the edge of its readability comes only once.
        var isReadable = readable
        var rounds = 0
        repeat {
            let reading = isReadable ? socket.descriptor : -1
            let writing = writable && socket.wantsToWrite && rounds == 0 ? socket.descriptor : -1
            processOnce(reading: reading, writing: writing)
            guard sockets[socket.descriptor] === socket else { break }
            isReadable = Self.hasUnread(socket.descriptor)
            rounds += 1
        } while isReadable && rounds < 64
        if isReadable, sockets[socket.descriptor] === socket { loop.resume(socket.token) }
        arm()
    }

    private func processOnce(reading: Int32, writing: Int32) {
        isInside = true
        // SAFETY: the channel lives as long as the resolver, which a completion must not end under c-ares.
        withExtendedLifetime(self) { unsafe ares_process_fd(channel, reading, writing) }
        isInside = false
    }

    /// Starts what may be started, and sets the timer to when c-ares wants to try again.
    private func arm() {
        startWaiting()
        guard let timer else { return }
        // SAFETY: the channel lives as long as the resolver.
        let waitMs = unsafe sidecar_ares_timeout_ms(channel)
        if waitMs < 0 { return loop.cancel(timer) }
        loop.schedule(timer, at: loop.now.advanced(byNanoseconds: UInt64(waitMs) * 1_000_000))
    }

    // MARK: Set-up

    private func ask(_ servers: [SocketAddress]) throws(IOError) {
        let list = servers.map(\.description).joined(separator: ",")
        guard servers.allSatisfy({ $0.ip != nil }) else { throw IOError("ares_set_servers", errno: EINVAL) }
        // SAFETY: c-ares copies the list.
        let status = unsafe ares_set_servers_ports_csv(channel, list)
        guard status == 0 else { throw IOError("ares_set_servers", errno: EINVAL) }
    }

    private static let libraryStatus = ares_library_init(ARES_LIB_INIT_ALL)

    /// Whether the kernel has IPv6 at all; where it has none, nobody is asked for AAAA.
    private static let hasV6: Bool = {
        let descriptor = socket(AF_INET6, sidecar_SOCK_DGRAM | sidecar_SOCK_CLOEXEC, 0)
        guard descriptor >= 0 else { return false }
        _ = Glibc.close(descriptor)
        return true
    }()

    private static func hasUnread(_ descriptor: Int32) -> Bool {
        var entry = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        // SAFETY: poll reads and writes the one entry.
        return unsafe poll(&entry, 1, 0) == 1 && entry.revents & Int16(POLLIN) != 0
    }
}

extension Resolver: TimerTarget {
    package func timerFired(_ timer: Timer) {
        processOnce(reading: -1, writing: -1)
        arm()
    }
}

extension Resolver.Failure: CustomStringConvertible {
    package var description: String {
        switch self {
        case .notFound: "no such name, or it has no address"
        case .timeout: "no name server answered in time"
        case .refused(let why), .other(let why): why
        }
    }

    /// The failure that a status of c-ares means.
    init(status: Int32) {
        switch status {
        case ARES_ENOTFOUND, ARES_ENODATA, ARES_ENONAME: self = .notFound
        case ARES_ETIMEOUT: self = .timeout
        case ARES_ECONNREFUSED: self = .refused("no name server was reachable, or none could answer")
        case ARES_EREFUSED: self = .refused("the name server refused the query")
        case ARES_ESERVFAIL: self = .other("the name server failed (SERVFAIL)")
        case ARES_EBADRESP: self = .other("the name server's answer is malformed")
        case ARES_EBADNAME: self = .other("not a name that DNS can carry")
        // SAFETY: ares_strerror returns a constant of the library.
        default: self = .other(unsafe String(cString: ares_strerror(status)))
        }
    }
}

/// One socket of c-ares, which opens and closes it; here it is only watched.
private final class ResolverSocket: EventHandler {
    let descriptor: Int32
    private(set) var token = EventLoop.Token(rawValue: 0)
    var wantsToWrite = false
    private unowned let resolver: Resolver

    init(_ descriptor: Int32, _ resolver: Resolver, _ loop: EventLoop) throws(IOError) {
        self.descriptor = descriptor
        self.resolver = resolver
        token = try loop.register(descriptor, self)
    }

    func ready(_ readiness: Readiness) {
        resolver.process(self, readable: readiness.isReadable, writable: readiness.isWritable)
    }

    func resumed() { resolver.process(self, readable: true, writable: true) }
}
