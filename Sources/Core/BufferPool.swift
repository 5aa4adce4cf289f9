/// Storage for the buffers of one worker, kept for reuse.
///
/// Used on that worker only. A buffer holds storage while it holds bytes and gives it back when it is empty, so that idle
/// connections hold none. At most `idleMax` pieces are kept; the others, and those that grew, go to the allocator.
@safe
package final class BufferPool {
    /// Bytes of one piece: a request or response head with a small body fits.
    package static let bufferBytes = 16 * 1024

    private let idleMax: Int
    // SAFETY: of the unchecked exclusivity: numbers and a pointer of one owner on one thread, and nothing foreign is called
    // while they are touched.
    private let idle: UnsafeMutablePointer<UnsafeMutableRawPointer>
    @exclusivity(unchecked) private var idleStored = 0
    @exclusivity(unchecked) private var lentStored = 0

    package init(idleMax: Int = 128) {
        self.idleMax = idleMax
        unsafe idle = .allocate(capacity: max(1, idleMax))
    }

    deinit {
        // SAFETY: the first `idleStored` entries are pieces that this pool owns.
        while unsafe idleStored > 0 { unsafe takeIdle().deallocate() }
        unsafe idle.deallocate()
    }

    /// Pieces lent and not yet given back.
    package var lent: Int { unsafe lentStored }
    /// Pieces kept for reuse.
    package var idleCount: Int { unsafe idleStored }

    /// Lends the buffer storage, unless it has some.
    package func lend(to buffer: Buffer) {
        guard !buffer.hasStorage else { return }
        // SAFETY: the piece is of the size stated and has no other owner.
        unsafe lentStored &+= 1
        if unsafe idleStored > 0 {
            unsafe buffer.attach(takeIdle(), capacity: Self.bufferBytes)
        } else {
            unsafe buffer.attach(.allocate(byteCount: Self.bufferBytes, alignment: 64), capacity: Self.bufferBytes)
        }
    }

    /// Takes the buffer's storage back; what it still holds is forgotten.
    package func reclaim(from buffer: Buffer) {
        guard buffer.hasStorage else { return }
        // SAFETY: the buffer gives up its only reference to the piece; below idleMax there is room in the table.
        unsafe lentStored &-= 1
        let isKept = unsafe buffer.capacity == Self.bufferBytes && idleStored < idleMax
        let storage = unsafe buffer.detach()
        guard isKept else { return unsafe storage.deallocate() }
        unsafe idle[idleStored] = storage
        unsafe idleStored &+= 1
    }

    @unsafe
    private func takeIdle() -> UnsafeMutableRawPointer {
        unsafe idleStored &-= 1
        return unsafe idle[idleStored]
    }
}
