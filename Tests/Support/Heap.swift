import CLinux

/// The process' heap, as the allocator accounts for it.
///
/// In a target of its own because `CLinux` and `Glibc` cannot both be imported by one module.
package enum Heap {
    private static var bytesInUse: Int {
        let info = mallinfo2()
        return Int(info.uordblks) + Int(info.hblkhd)
    }

    /// How many bytes more are in use after `work`. Other tests run meanwhile, so it is an estimate.
    package static func growth(by work: () throws -> Void) rethrows -> Int {
        let before = bytesInUse
        try work()
        return bytesInUse - before
    }

    /// Whether `work` can run without the heap growing or shrinking. Other tests run meanwhile and allocate, so it may
    /// try several times; work that keeps memory fails every time.
    package static func isUntouched(by work: () -> Void) -> Bool {
        for _ in 0..<200 {
            let before = bytesInUse
            work()
            if bytesInUse == before { return true }
        }
        return false
    }
}
