/// What the TLS connections of one event loop share: the space in which small segments are put together, so that they
/// leave as one record, and the right to hold buffers between records.
///
/// OpenSSL's two buffers for a connection take 33 KiB. Those of a few connections that just spoke are kept, for they
/// probably speak again soon, and taking them from the allocator for every record costs a twelfth of it; all others, and
/// those that were silent for a while, hold none.
@safe
final class TLSScratch {
    /// The most that one record carries (RFC 8446 §5.1).
    static let bytesMax = 1 << 14
    // SAFETY: an allocation of `bytesMax`, made and freed with this; its bytes mean nothing after a write.
    let bytes: UnsafeMutableRawPointer

    /// Connections that may hold buffers while they are silent.
    private static let holdersMax = 64
    private var holders = [TLSConnection?](repeating: nil, count: holdersMax)
    private var next = 0

    init() { unsafe bytes = .allocate(byteCount: Self.bytesMax, alignment: 64) }

    /// The connection has used its buffers; the one that has been a holder for longest gives its own up.
    @inline(__always)
    func hold(_ connection: TLSConnection) {
        connection.hasSpoken = true
        if connection.holderIndex < 0 { enter(connection) }
    }

    private func enter(_ connection: TLSConnection) {
        let evicted = holders[next]
        holders[next] = connection
        connection.holderIndex = next
        next = next + 1 == Self.holdersMax ? 0 : next + 1
        if let evicted { evict(evicted) }
    }

    private func evict(_ connection: TLSConnection) {
        connection.holderIndex = -1
        connection.freeBuffers()
    }

    /// Takes the buffers of those that have been silent since this was last called. Whether any connection still holds some.
    func trim() -> Bool {
        var holds = false
        for index in holders.indices {
            guard let connection = holders[index] else { continue }
            if connection.hasSpoken {
                connection.hasSpoken = false
                holds = true
            } else {
                holders[index] = nil
                evict(connection)
            }
        }
        return holds
    }

    /// The connection has closed.
    func forget(_ connection: TLSConnection) {
        guard connection.holderIndex >= 0 else { return }
        holders[connection.holderIndex] = nil
        connection.holderIndex = -1
    }

    deinit { unsafe bytes.deallocate() }
}
