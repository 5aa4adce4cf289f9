import Core
import Glibc

/// Bytes whose end touches a page that cannot be read: reading one byte too far is a crash, not a wrong answer.
@safe
final class GuardedInput {
    private let base: UnsafeMutableRawPointer
    private let mapped: Int
    private let room: Int

    /// Room for inputs of up to `room` bytes.
    init(room: Int) {
        let page = 4096
        self.room = (room + page) / page * page
        mapped = self.room + page
        // SAFETY: a fresh anonymous mapping that belongs to this object alone.
        let address = unsafe mmap(nil, mapped, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
        guard let address = unsafe address, unsafe address != MAP_FAILED else { fatalError("mmap failed") }
        unsafe base = address
        // SAFETY: the last page of the mapping.
        guard unsafe mprotect(base + self.room, page, PROT_NONE) == 0 else { fatalError("mprotect failed") }
    }

    deinit { unsafe munmap(base, mapped) }

    /// Calls `body` with the bytes, placed right before the unreadable page.
    func with<Result>(_ bytes: some Collection<UInt8>, _ body: (Span<UInt8>) -> Result) -> Result {
        precondition(bytes.count <= room)
        let start = unsafe base + (room - bytes.count)
        // SAFETY: the destination lies within the readable part of the mapping.
        unsafe UnsafeMutableRawBufferPointer(start: start, count: bytes.count).copyBytes(from: bytes)
        return unsafe body(
            Span(_unsafeStart: UnsafePointer(start.assumingMemoryBound(to: UInt8.self)), count: bytes.count))
    }
}
