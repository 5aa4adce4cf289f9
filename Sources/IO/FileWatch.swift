import CLinux
import Glibc

/// Tells whether files have changed, by what the kernel says of them and without reading them.
///
/// Used on one thread, which asks from time to time. Symbolic links are followed, so that exchanging one counts, as
/// Kubernetes does with mounted secrets; so do a new file under the name, its going and its coming.
package final class FileWatch {
    /// What stands for a file's contents; all zero while there is none.
    private struct Mark: Equatable {
        var device: UInt64 = 0
        var inode: UInt64 = 0
        var size: Int64 = 0
        var modified = [Int](repeating: 0, count: 2)
        var changed = [Int](repeating: 0, count: 2)
    }

    package let paths: [String]
    private var marks: [Mark]

    /// What the files are now is where it begins.
    package init(_ paths: [String]) {
        self.paths = paths
        marks = paths.map(Self.mark)
    }

    /// Whether any of the files has changed since this was last asked, or the watch began.
    package func hasChanged() -> Bool {
        let present = paths.map(Self.mark)
        defer { marks = present }
        return present != marks
    }

    private static func mark(_ path: String) -> Mark {
        var status = stat()
        // SAFETY: the kernel fills in the structure, which lives for the call; the path is terminated text.
        guard unsafe stat(path, &status) == 0 else { return Mark() }
        return Mark(
            device: UInt64(status.st_dev), inode: UInt64(status.st_ino), size: Int64(status.st_size),
            modified: [status.st_mtim.tv_sec, status.st_mtim.tv_nsec],
            changed: [status.st_ctim.tv_sec, status.st_ctim.tv_nsec])
    }
}
