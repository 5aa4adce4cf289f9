package import Core
import Glibc

/// What the kernel says about this process, as Prometheus' client libraries name it.
///
/// Read anew for each scrape, on the admin thread. A figure that cannot be read (no /proc) is nil.
package struct ProcessFigures: Sendable {
    package var cpuNanoseconds: UInt64?
    package var residentBytes: UInt64?
    package var virtualBytes: UInt64?
    package var openDescriptors: UInt64?
    package var descriptorsMax: UInt64?
    package var threads: UInt64?
    /// Since 1970.
    package var startNanoseconds: UInt64?

    package init() {}

    /// Reads all of them.
    package static func current() -> ProcessFigures {
        var figures = ProcessFigures()
        figures.cpuNanoseconds = nanoseconds(of: CLOCK_PROCESS_CPUTIME_ID)
        figures.readLimit()
        figures.openDescriptors = countDescriptors()
        let text = Buffer(capacity: 4096)
        if read("/proc/self/stat", into: text) { figures.parse(stat: text) }
        return figures
    }

    /// Takes what it needs from `/proc/PID/stat` (proc(5)). The command's name may hold anything, so fields are counted
    /// from its closing parenthesis.
    package mutating func parse(stat: Buffer) {
        let bytes = stat.readable
        var position = bytes.count - 1
        while position >= 0, bytes[position] != 0x29 { position -= 1 }
        guard position >= 0 else { return }
        var fields: [UInt64] = []
        var number: UInt64 = 0
        // What follows ") " is field 3.
        for index in min(position + 2, bytes.count)..<bytes.count {
            if let digit = ASCII.digit(bytes[index]) {
                number = number &* 10 &+ UInt64(digit)
            } else if bytes[index] == ASCII.space || bytes[index] == ASCII.lineFeed {
                fields.append(number)
                number = 0
            }
        }
        guard fields.count > 21 else { return }
        threads = fields[20 - 3]
        virtualBytes = fields[23 - 3]
        residentBytes = fields[24 - 3] &* UInt64(max(sysconf(Int32(_SC_PAGESIZE)), 1))
        let ticksPerSecond = UInt64(max(sysconf(Int32(_SC_CLK_TCK)), 1))
        if let boot = Self.bootNanoseconds {
            startNanoseconds = boot &+ fields[22 - 3] &* (1_000_000_000 / ticksPerSecond)
        }
    }

    /// When the machine started, since 1970: what the two clocks differ by. Taken once, so that a process' start stays.
    private static let bootNanoseconds: UInt64? = {
        guard let now = nanoseconds(of: CLOCK_REALTIME) else { return nil }
        return nanoseconds(of: CLOCK_BOOTTIME).map { now &- $0 }
    }()

    private mutating func readLimit() {
        var limit = rlimit()
        // SAFETY: the pointer is to a local of the type that the call fills.
        guard unsafe getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return }
        descriptorsMax = UInt64(limit.rlim_cur)
    }

    private static func nanoseconds(of clock: clockid_t) -> UInt64? {
        var time = timespec()
        // SAFETY: the pointer is to a local of the type that the call fills.
        guard unsafe clock_gettime(clock, &time) == 0 else { return nil }
        return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
    }

    private static func countDescriptors() -> UInt64? {
        // SAFETY: the directory is open from here to closedir, and only this function uses it.
        guard let directory = unsafe opendir("/proc/self/fd") else { return nil }
        defer { unsafe closedir(directory) }
        var entries: UInt64 = 0
        while unsafe readdir(directory) != nil { entries += 1 }
        // Without ".", ".." and the descriptor of the directory itself.
        return entries >= 3 ? entries - 3 : nil
    }

    private static func read(_ path: String, into output: Buffer) -> Bool {
        // SAFETY: Swift keeps the path's bytes alive and zero-terminated for the call.
        let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return false }
        defer { _ = close(descriptor) }
        // SAFETY: the kernel writes at most the free space that it is told of.
        let count = unsafe output.write { space in
            max(unsafe Glibc.read(descriptor, space.baseAddress, space.count), 0)
        }
        return count > 0
    }
}
