import Core

/// Finished lines on their way from a worker to the thread that writes them.
///
/// Owned by exactly one side at a time; it changes hands only under the mutex of `AccessLogWriter`'s queue.
final class LogChunk: @unchecked Sendable {
    /// When a chunk holds this much, it is handed over.
    static let bytesMax = 16 * 1024
    /// Room for the line that crosses the limit; pages that no line reaches cost nothing.
    private static let capacity = 32 * 1024

    // SAFETY: unchecked because of the buffer and the count; the owner alone touches them.
    let buffer = Buffer(capacity: LogChunk.capacity)
    var lines: UInt64 = 0

    func clear() {
        buffer.clear()
        lines = 0
    }

    /// Whether the buffer is still of ordinary size; one that a huge line made grow is not kept.
    var isReusable: Bool { buffer.capacity <= Self.capacity * 2 }
}
