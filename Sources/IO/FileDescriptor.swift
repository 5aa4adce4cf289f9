import Glibc

/// A descriptor that somebody owns; closed when its owner lets go of it.
package struct FileDescriptor: ~Copyable {
    package let rawValue: Int32

    package init(rawValue: Int32) { self.rawValue = rawValue }

    deinit { _ = Glibc.close(rawValue) }
}
