/// Buffers of one worker, kept for reuse.
///
/// Used on that worker only. A buffer is leased while it holds bytes and recycled when it is empty, so that idle
/// connections hold none. At most `idleMax` are kept; the others, and those that grew, go back to the allocator.
package final class BufferPool {
    /// Bytes in a new buffer: a request or response head with a small body fits.
    package static let bufferBytes = 16 * 1024

    private let idleMax: Int
    private var idle: [Buffer] = []
    /// Buffers leased and not yet recycled.
    package private(set) var leased = 0

    package init(idleMax: Int = 256) {
        self.idleMax = idleMax
        idle.reserveCapacity(idleMax)
    }

    @inline(__always)
    package func lease() -> Buffer {
        leased += 1
        return idle.popLast() ?? Buffer(capacity: Self.bufferBytes)
    }

    /// Takes a buffer back; what it still holds is forgotten.
    @inline(__always)
    package func recycle(_ buffer: Buffer) {
        leased -= 1
        guard buffer.capacity == Self.bufferBytes, idle.count < idleMax else { return }
        buffer.clear()
        idle.append(buffer)
    }

    /// Gives idle buffers beyond `count` back to the allocator.
    package func trim(to count: Int) {
        if idle.count > count { idle.removeLast(idle.count - count) }
    }
}
