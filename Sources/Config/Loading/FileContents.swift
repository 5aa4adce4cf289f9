import Glibc

/// Reads whole files. Blocks: for start, reload and the command line, never for a worker.
package enum FileContents {
    /// The bytes of the file at `path`, at most `bytesMax` and one more, by which the caller sees that there are too many.
    package static func read(_ path: String, bytesMax: Int) throws(FileProblem) -> [UInt8] {
        guard !path.utf8.contains(0) else { throw FileProblem("cannot be read: the path holds a NUL") }
        // SAFETY: the path is passed as a NUL-terminated copy that lives for the call.
        let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw problem(errno) }
        defer { close(descriptor) }
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 64 * 1024)
        while bytes.count <= bytesMax {
            // SAFETY: the kernel writes at most `count` bytes into the array's own storage during the call.
            let count = unsafe chunk.withUnsafeMutableBytes { unsafe Glibc.read(descriptor, $0.baseAddress, $0.count) }
            if count == 0 { break }
            if count < 0 {
                if errno == EINTR { continue }
                throw problem(errno)
            }
            bytes.append(contentsOf: chunk[..<count])
        }
        return bytes
    }

    private static func problem(_ code: Int32) -> FileProblem {
        switch code {
        case ENOENT: FileProblem("cannot be read: there is no such file")
        case EACCES: FileProblem("cannot be read: permission denied")
        case EISDIR: FileProblem("cannot be read: it is a directory")
        // SAFETY: strerror returns a NUL-terminated string that stays valid until its next call on this thread.
        default: FileProblem("cannot be read: \(unsafe String(cString: strerror(code)))")
        }
    }
}
