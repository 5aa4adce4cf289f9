package import Config
import Core
import Synchronization

/// Writes the access log: one thread of its own behind a bounded queue.
///
/// One per process. Workers hand in full chunks and get empty ones; the mutex is held while they change hands, never
/// while writing. When the reader is slow only this thread waits: what does not fit into the queue is refused, and the
/// worker drops and counts it. A write that fails is counted and never fatal.
package final class AccessLogWriter: Sendable {
    private struct Queue {
        var waiting: [LogChunk] = []
        var free: [LogChunk] = []
        /// Bytes waiting, and bytes that the thread has taken and not yet written.
        var bytes = 0
        var reopens = false
        var finishes = false
    }

    /// Empty chunks kept for reuse.
    private static let freeMax = 16

    private let queue: Locked<Queue>
    private let bytesMax: Int
    private let cells = AtomicCells(count: AccessLogMetric.count)
    private let work = WakeUp()
    private let finished = WakeUp()

    /// Opens the log and starts the thread, which `finish` ends.
    package init(_ configuration: AccessLogConfiguration) throws(AccessLogError) {
        let file = try LogFile(configuration.path)
        bytesMax = configuration.bufferBytesMax
        var empty = Queue()
        empty.waiting.reserveCapacity(bytesMax / LogChunk.bytesMax + 16)
        empty.free.reserveCapacity(Self.freeMax)
        // Enough for a worker to go on while the thread writes; memory that is not touched costs nothing.
        for _ in 0..<Self.freeMax { empty.free.append(LogChunk()) }
        queue = Locked(empty)
        WriterThread.start { self.run(file) }
    }

    package func value(_ metric: AccessLogMetric) -> UInt64 { cells.load(metric.rawValue) }

    // MARK: For workers

    /// Takes the chunk and gives an empty one; nil, and the chunk stays the caller's, when the queue has no room. A queue
    /// that is empty takes any chunk.
    func submit(_ chunk: LogChunk) -> LogChunk? {
        exchange(chunk) { queue in queue.bytes == 0 || queue.bytes + chunk.buffer.readableCount <= bytesMax }
    }

    /// Like `submit`, for a chunk that is not full: refused while others wait, since it would not be written sooner.
    func submitEarly(_ chunk: LogChunk) -> LogChunk? {
        exchange(chunk) { queue in queue.waiting.isEmpty }
    }

    @inline(__always)
    private func exchange(_ chunk: LogChunk, if hasRoom: (borrowing Queue) -> Bool) -> LogChunk? {
        let empty: LogChunk? = queue.withLock { queue in
            guard hasRoom(queue) else { return nil }
            queue.waiting.append(chunk)
            queue.bytes += chunk.buffer.readableCount
            return queue.free.popLast() ?? LogChunk()
        }
        if empty != nil { work.raise() }
        return empty
    }

    // MARK: For the main thread

    /// Opens the file anew before the next chunk is written (SIGUSR1, after a rotation renamed it).
    package func reopen() {
        queue.withLock { $0.reopens = true }
        work.raise()
    }

    /// Writes what waits and ends the thread; false when the reader was too slow for that within the time given. Workers
    /// must have flushed before, and hand in nothing afterwards.
    package func finish(nanosecondsMax: UInt64) -> Bool {
        queue.withLock { $0.finishes = true }
        work.raise()
        return finished.wait(nanosecondsMax: nanosecondsMax)
    }

    // MARK: The thread

    private func run(_ file: LogFile) {
        var taken: [LogChunk] = []
        taken.reserveCapacity(bytesMax / LogChunk.bytesMax + 16)
        // A line was cut by a failed write: the next one must not continue it.
        var lineIsCut = false
        while true {
            let (reopens, finishes) = queue.withLock { queue in
                swap(&taken, &queue.waiting)
                defer { queue.reopens = false }
                return (queue.reopens, queue.finishes)
            }
            if reopens { reopen(file) }
            for chunk in taken { write(chunk, to: file, &lineIsCut) }
            if taken.isEmpty {
                if finishes { break }
                work.wait()
            } else {
                taken.removeAll(keepingCapacity: true)
            }
        }
        finished.raise()
    }

    private func reopen(_ file: LogFile) {
        do {
            try file.reopen()
        } catch {
            cells.add(AccessLogMetric.writeErrors.rawValue, 1)
        }
    }

    private func write(_ chunk: LogChunk, to file: LogFile, _ lineIsCut: inout Bool) {
        let buffer = chunk.buffer
        let count = buffer.readableCount
        if lineIsCut { lineIsCut = !file.writeLineEnd() }
        if !lineIsCut, file.write(buffer) {
            cells.add(AccessLogMetric.writtenBytes.rawValue, UInt64(count))
        } else {
            cells.add(AccessLogMetric.writeErrors.rawValue, 1)
            cells.add(AccessLogMetric.writtenBytes.rawValue, UInt64(count - buffer.readableCount))
            cells.add(AccessLogMetric.lostLines.rawValue, lines(in: buffer))
            lineIsCut = lineIsCut || isWithinLine(buffer)
        }
        chunk.clear()
        queue.withLock { queue in
            queue.bytes -= count
            if chunk.isReusable, queue.free.count < Self.freeMax { queue.free.append(chunk) }
        }
    }

    private func lines(in buffer: Buffer) -> UInt64 {
        let bytes = buffer.readable
        var lines: UInt64 = 0
        for index in bytes.indices where bytes[index] == ASCII.lineFeed { lines += 1 }
        return lines
    }

    private func isWithinLine(_ buffer: Buffer) -> Bool {
        let position = buffer.readerIndex
        return position > 0 && buffer.bytes(position - 1..<position)[0] != ASCII.lineFeed
    }
}
