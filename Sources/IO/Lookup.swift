import CAres
import Core
import Glibc

/// One name being resolved: completes once, by the answer or by its deadline, whichever comes first.
///
/// Kept alive by c-ares, which calls back exactly once; used on the resolver's loop. After its deadline it only waits for
/// that call.
final class Lookup: TimerTarget {
    /// More addresses than this of one name are not used.
    static let addressesMax = 256

    let name: String
    private(set) var timer: Timer!
    private let loop: EventLoop
    private weak var resolver: Resolver?
    private var completion: Resolver.Completion?

    init(_ name: String, resolver: Resolver, loop: EventLoop, _ completion: @escaping Resolver.Completion) {
        self.name = name
        self.resolver = resolver
        self.loop = loop
        self.completion = completion
        timer = Timer(target: self)
    }

    func timerFired(_ timer: Timer) { complete(.failure(.timeout)) }

    /// c-ares is done. `info` is set when `status` is success, and is the caller's to free.
    @unsafe
    func answered(status: Int32, _ info: UnsafeMutablePointer<ares_addrinfo>?) {
        loop.cancel(timer)
        // When the resolver goes, its owner does not want to know any more.
        guard let resolver, status != ARES_EDESTRUCTION, status != ARES_ECANCELLED else { return }
        resolver.lookupEnded()
        // SAFETY: on success c-ares hands over a structure that its callback frees after this call.
        guard status == ARES_SUCCESS, let info = unsafe info else {
            return complete(.failure(Resolver.Failure(status: status)))
        }
        if completion != nil { complete(unsafe Self.answer(in: info)) }
    }

    private func complete(_ result: Result<Resolver.Answer, Resolver.Failure>) {
        guard let completion else { return }
        self.completion = nil
        completion(result)
    }

    @unsafe
    private static func answer(in info: UnsafeMutablePointer<ares_addrinfo>) -> Result<
        Resolver.Answer, Resolver.Failure
    > {
        var addresses: [IPAddress] = []
        var ttl = Int32.max
        var unroutable = false
        // SAFETY: both lists belong to `info`, end with nil, and each address has the length it says.
        var alias = unsafe info.pointee.cnames
        while let current = unsafe alias {
            ttl = unsafe min(ttl, current.pointee.ttl)
            unsafe alias = current.pointee.next
        }
        var node = unsafe info.pointee.nodes
        while let current = unsafe node, addresses.count < addressesMax {
            unsafe node = current.pointee.ai_next
            guard let storage = unsafe current.pointee.ai_addr,
                let address = unsafe SocketAddress.read(storage, length: Int(current.pointee.ai_addrlen))?.ip
            else { continue }
            if address.isV6, !Route.exists(to: address) {
                unroutable = true
                continue
            }
            if !addresses.contains(address) { addresses.append(address) }
            ttl = unsafe min(ttl, current.pointee.ai_ttl)
        }
        guard !addresses.isEmpty else {
            return .failure(unroutable ? .other("only IPv6 addresses, and no route to them") : .notFound)
        }
        return .success(Resolver.Answer(addresses: addresses, ttlSeconds: ResolvedName.clampedTTL(ttl)))
    }
}
