import CLinux
import Glibc

/// A system call that failed: which, and the kernel's number for why.
package struct IOError: Error, Equatable, Sendable, CustomStringConvertible {
    package let operation: StaticString
    package let errno: Int32

    package init(_ operation: StaticString, errno: Int32) {
        self.operation = operation
        self.errno = errno
    }

    /// The call that just failed on this thread.
    package static func last(_ operation: StaticString) -> IOError { IOError(operation, errno: Glibc.errno) }

    package static func == (left: IOError, right: IOError) -> Bool {
        left.errno == right.errno && left.operation.description == right.operation.description
    }

    package var description: String { "\(operation): \(Self.message(errno))" }

    /// The kernel's words for an error number.
    package static func message(_ number: Int32) -> String {
        // SAFETY: strerror_r writes at most the size given, terminated.
        unsafe withUnsafeTemporaryAllocation(of: CChar.self, capacity: 256) { buffer in
            guard unsafe strerror_r(number, buffer.baseAddress!, buffer.count) == 0 else { return "error \(number)" }
            return unsafe String(cString: buffer.baseAddress!)
        }
    }

    /// Too many open files, here or in the system, or no memory for one: load, not a fault of the peer.
    package var isExhaustion: Bool { errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM }
    package var isAddressInUse: Bool { errno == EADDRINUSE }
    package var isRefused: Bool { errno == ECONNREFUSED || errno == ENOENT }
    package var isTimeout: Bool { errno == ETIMEDOUT }
    package var isReset: Bool { errno == ECONNRESET || errno == EPIPE }
}

extension IOError {
    /// A deadline of ours was over.
    package static func timedOut(_ operation: StaticString) -> IOError { IOError(operation, errno: ETIMEDOUT) }
    /// A TLS peer closed the stream without saying that this was the end: somebody may have cut it.
    package static var truncated: IOError { IOError("close_notify", errno: ENODATA) }
    package var isTruncation: Bool { self == .truncated }
    /// A peer said something that cannot be.
    package static func unexpected(_ operation: StaticString) -> IOError { IOError(operation, errno: EPROTO) }
}
