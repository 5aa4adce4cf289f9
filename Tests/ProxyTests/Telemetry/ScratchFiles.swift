import Glibc

/// A directory of its own for one test, and what tests do with files and pipes.
final class ScratchDirectory {
    let path: String

    init() {
        var template = Array("/tmp/sidecar-tests-XXXXXX".utf8CString)
        // SAFETY: the template is zero-terminated and written in place.
        path = unsafe template.withUnsafeMutableBufferPointer { buffer in
            unsafe String(cString: mkdtemp(buffer.baseAddress!)!)
        }
    }

    deinit {
        // SAFETY: Swift keeps the names' bytes alive and zero-terminated for the calls, here and below.
        for name in ["log", "log.1"] { unsafe unlink(path + "/" + name) }
        unsafe rmdir(path)
    }

    func text(_ name: String) -> String {
        let descriptor = unsafe open(path + "/" + name, O_RDONLY)
        guard descriptor >= 0 else { return "" }
        defer { close(descriptor) }
        return String(decoding: readAll(descriptor), as: UTF8.self)
    }
}

/// Reads until there is no more.
func readAll(_ descriptor: Int32) -> [UInt8] {
    var all: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 65_536)
    while true {
        // SAFETY: the pointer is to the array's elements, as many as are told.
        let count = unsafe read(descriptor, &chunk, chunk.count)
        if count <= 0 { return all }
        all.append(contentsOf: chunk[..<count])
    }
}

/// A pipe whose writing end can be opened by name, as a log file is.
struct NamedPipe {
    let reading: Int32
    let writing: Int32
    var path: String { "/proc/self/fd/\(writing)" }

    init() {
        var ends: [Int32] = [0, 0]
        // SAFETY: the pointer is to two descriptors, as pipe needs.
        precondition(unsafe pipe(&ends) == 0)
        reading = ends[0]
        writing = ends[1]
    }
}

/// Gives other threads the processor until `condition` holds; gives up after ten seconds.
func waitUntil(_ condition: () -> Bool) -> Bool {
    let clock = ContinuousClock()
    let deadline = clock.now + .seconds(10)
    while !condition() {
        if clock.now > deadline { return false }
        sched_yield()
    }
    return true
}
