/// Where small segments are put together, so that they leave as one record. One for each event loop.
@safe
final class TLSScratch {
    /// The most that one record carries (RFC 8446 §5.1).
    static let bytesMax = 1 << 14
    // SAFETY: an allocation of `bytesMax`, made and freed with this; its bytes mean nothing after a write.
    let bytes: UnsafeMutableRawPointer

    init() { unsafe bytes = .allocate(byteCount: Self.bytesMax, alignment: 64) }

    deinit { unsafe bytes.deallocate() }
}
