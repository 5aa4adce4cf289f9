import ArgumentParser
import Glibc

extension ExitCode {
    /// The configuration is bad (`EX_CONFIG`).
    static let badConfiguration = ExitCode(78)
    /// A port is in use (`EX_UNAVAILABLE`).
    static let portInUse = ExitCode(69)
}

/// Writes a line to standard error.
func complain(_ line: String) {
    var line = line + "\n"
    line.withUTF8 { bytes in
        // SAFETY: the pointer covers the line's bytes for the call.
        _ = unsafe write(STDERR_FILENO, bytes.baseAddress, bytes.count)
    }
}
