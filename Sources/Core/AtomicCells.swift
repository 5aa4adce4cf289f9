import Glibc
// Public because what other rooms inline uses it.
public import Synchronization

/// A row of 64-bit counters that one thread writes and any thread may read meanwhile.
///
/// The writer loads and stores relaxed, so counting costs no locked instruction; two writers of one row would lose
/// counts. Zero at first. The memory is zero pages of the kernel until it is written, so a generous row costs little,
/// and it begins and ends on cache lines of its own, so that rows of different threads never share one.
@safe @usableFromInline
package final class AtomicCells: @unchecked Sendable {
    // SAFETY: unchecked because of the raw pointers, which never change; all access to what they point to is atomic.
    private let allocation: UnsafeMutableRawPointer
    @usableFromInline let cells: UnsafeMutablePointer<Atomic<UInt64>>
    @usableFromInline package let count: Int

    private static let lineBytes = 64

    package init(count: Int) {
        precondition(count >= 0)
        self.count = count
        let lines = (count * 8 + Self.lineBytes - 1) / Self.lineBytes
        guard let memory = unsafe calloc(lines + 1, Self.lineBytes) else { fatalError("no memory for \(count) cells") }
        unsafe allocation = memory
        // SAFETY: the extra line leaves room to align the start; an Atomic<UInt64> is laid out like its UInt64, of which
        // calloc made zeroes.
        unsafe cells = memory.alignedUp(toMultipleOf: Self.lineBytes)
            .bindMemory(to: Atomic<UInt64>.self, capacity: count)
    }

    deinit { unsafe free(allocation) }

    @inlinable @inline(__always)
    package func load(_ index: Int) -> UInt64 {
        precondition(index >= 0 && index < count, "no such cell")
        // SAFETY: the index is within the allocation.
        return unsafe cells[index].load(ordering: .relaxed)
    }

    @inlinable @inline(__always)
    package func store(_ index: Int, _ value: UInt64) {
        precondition(index >= 0 && index < count, "no such cell")
        // SAFETY: the index is within the allocation.
        unsafe cells[index].store(value, ordering: .relaxed)
    }

    /// Adds, wrapping. On the writer's thread only.
    @inlinable @inline(__always)
    package func add(_ index: Int, _ amount: UInt64) { store(index, load(index) &+ amount) }

    /// Subtracts, wrapping. On the writer's thread only.
    @inlinable @inline(__always)
    package func subtract(_ index: Int, _ amount: UInt64) { store(index, load(index) &- amount) }

    /// Stores a value that says that what was stored before it may be read; `observe` is its other half.
    @inlinable @inline(__always)
    package func publish(_ index: Int, _ value: UInt64) {
        precondition(index >= 0 && index < count, "no such cell")
        // SAFETY: the index is within the allocation.
        unsafe cells[index].store(value, ordering: .releasing)
    }

    /// Loads a published value: everything stored before it was published is then visible.
    @inlinable @inline(__always)
    package func observe(_ index: Int) -> UInt64 {
        precondition(index >= 0 && index < count, "no such cell")
        // SAFETY: the index is within the allocation.
        return unsafe cells[index].load(ordering: .acquiring)
    }
}
