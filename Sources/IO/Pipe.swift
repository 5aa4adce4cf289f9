import CLinux
import Glibc

/// A kernel pipe that `splice` moves bytes through.
///
/// Belongs to its worker's `PipePool` and, while it holds bytes, to one exchange.
package final class Pipe {
    /// What the kernel is asked to let it hold, in bytes; it may grant less.
    package static let capacityWanted = 1 << 20

    private let reading: FileDescriptor
    private let writing: FileDescriptor
    /// Bytes it can hold.
    package let capacity: Int
    /// Bytes it holds.
    package internal(set) var count = 0

    var readingEnd: Int32 { reading.rawValue }
    var writingEnd: Int32 { writing.rawValue }

    package init() throws(IOError) {
        var ends: (Int32, Int32) = (-1, -1)
        // SAFETY: pipe2 writes two descriptors into an array of two.
        let result = unsafe withUnsafeMutableBytes(of: &ends) {
            unsafe pipe2($0.assumingMemoryBound(to: Int32.self).baseAddress!, O_CLOEXEC | O_NONBLOCK)
        }
        guard result == 0 else { throw .last("pipe2") }
        reading = FileDescriptor(rawValue: ends.0)
        writing = FileDescriptor(rawValue: ends.1)
        let granted = fcntl(writing.rawValue, sidecar_F_SETPIPE_SZ, Int32(Self.capacityWanted))
        // Past the user's quota of pipe pages the default of 64 KiB stays.
        capacity = granted > 0 ? Int(granted) : 1 << 16
    }
}

/// Empty pipes of one worker, kept for reuse: two system calls to make, two descriptors each.
package final class PipePool {
    private static let idleMax = 8
    private var idle: [Pipe] = []

    package init() {}

    /// A pipe, or nil when the system has no descriptor for one: then bytes are copied instead.
    package func lease() -> Pipe? { idle.popLast() ?? (try? Pipe()) }

    /// Takes an empty pipe back. One that holds bytes belongs to a failed exchange and is closed.
    package func recycle(_ pipe: Pipe) {
        if pipe.count == 0, idle.count < Self.idleMax { idle.append(pipe) }
    }
}
