import Glibc

/// The access log's file cannot be opened.
package struct AccessLogError: Error, Equatable, Sendable {
    package let path: String
    /// `errno`.
    package let errorNumber: Int32
}

extension AccessLogError: CustomStringConvertible {
    package var description: String {
        // SAFETY: strerror returns a zero-terminated text, copied before anything else runs on this thread.
        let reason = unsafe String(cString: strerror(errorNumber))
        return "access log \(path): \(reason)"
    }
}
