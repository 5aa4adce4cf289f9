import CLinux

/// How the process's allocator treats blocks that only unusual traffic needs: the storage of large heads.
package enum LargeBlocks {
    private static let bytesMin: Int32 = 32 * 1024

    /// Has blocks from 32 KiB on go back to the system when they are freed. Left alone, the allocator would learn from the
    /// first of them to keep all later ones, scattered among smaller blocks. Called once, before there are threads.
    package static func goBackWhenFreed() { _ = mallopt(M_MMAP_THRESHOLD, bytesMin) }
}
