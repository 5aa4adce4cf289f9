import Glibc

/// Small files of the kernel (`/proc`, `/sys`) read whole.
package enum TextFile {
    /// The file's text, or nil when it cannot be read. At most `bytesMax` bytes of it.
    package static func read(_ path: String, bytesMax: Int = 1 << 20) -> String? {
        let opened = unsafe open(path, O_RDONLY | O_CLOEXEC)
        guard opened >= 0 else { return nil }
        let descriptor = FileDescriptor(rawValue: opened)
        var bytes: [UInt8] = []
        while bytes.count < bytesMax {
            let wanted = min(4096, bytesMax - bytes.count)
            // SAFETY: read writes at most the count it is given into the array's free space.
            let chunk = unsafe [UInt8](unsafeUninitializedCapacity: wanted) { buffer, count in
                count = unsafe max(0, Glibc.read(descriptor.rawValue, buffer.baseAddress, wanted))
            }
            if chunk.isEmpty { break }
            bytes += chunk
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
