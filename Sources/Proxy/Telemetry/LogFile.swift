import Config
import Core
import Glibc

/// Where the access log goes: standard output, standard error, or a file that can be opened again after it was renamed.
///
/// Used by the writer's thread alone after `init`. Writing blocks for as long as the reader takes: nobody else waits.
@safe
final class LogFile: @unchecked Sendable {
    // SAFETY: unchecked because it is made on one thread and handed to another, which is the only one to use it then.
    private let path: AccessLogConfiguration.Path
    private var descriptor: Int32

    /// Opens the file for appending, creating it with mode 0640.
    init(_ path: AccessLogConfiguration.Path) throws(AccessLogError) {
        self.path = path
        descriptor = try Self.open(path)
    }

    deinit {
        if case .file = path { _ = Glibc.close(descriptor) }
    }

    private static func open(_ path: AccessLogConfiguration.Path) throws(AccessLogError) -> Int32 {
        switch path {
        case .stdout: return STDOUT_FILENO
        case .stderr: return STDERR_FILENO
        case .file(let name):
            // SAFETY: Swift keeps the name's bytes alive and zero-terminated for the call.
            let descriptor = unsafe Glibc.open(name, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY, 0o640)
            guard descriptor >= 0 else { throw AccessLogError(path: name, errorNumber: errno) }
            return descriptor
        }
    }

    /// Opens the path anew, so that a renamed file is left alone. The old one stays in use when that fails.
    func reopen() throws(AccessLogError) {
        guard case .file = path else { return }
        let opened = try Self.open(path)
        _ = Glibc.close(descriptor)
        descriptor = opened
    }

    /// Writes all of the buffer's readable bytes and consumes what was written; false when the kernel refused the rest.
    func write(_ buffer: Buffer) -> Bool {
        while !buffer.isEmpty {
            // SAFETY: the pointer covers the readable bytes, and the call does not keep it.
            let written = unsafe Glibc.write(descriptor, buffer.address(of: buffer.readerIndex), buffer.readableCount)
            if written > 0 {
                buffer.consume(written)
            } else if written == 0 || !mayTryAgain(errno) {
                return false
            }
        }
        return true
    }

    /// Ends a line that an earlier failure cut.
    func writeLineEnd() -> Bool {
        let end = Buffer(capacity: 1)
        end.append(ASCII.lineFeed)
        return write(end)
    }

    /// Waits when somebody made the pipe that we inherited non-blocking.
    private func mayTryAgain(_ error: Int32) -> Bool {
        if error == EINTR { return true }
        guard error == EAGAIN else { return false }
        var request = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
        // SAFETY: the pointer is to one local pollfd, as the count says.
        return unsafe poll(&request, 1, -1) >= 0 || errno == EINTR
    }
}
