import CLinux

/// Memory that was freed in pieces and that the allocator keeps.
package enum FreeMemory {
    /// Has the allocator give whole free pages back to the kernel. Takes milliseconds for some ten megabytes.
    package static func goesBack() { _ = malloc_trim(0) }
}
