/// A place in a configuration file, for diagnostics. Lines and columns count from 1, columns in characters.
///
/// Line 0 means the whole of `file`, which then may also be a variable (`SIDECAR_WORKERS`) or a flag (`--workers`).
package struct SourcePosition: Hashable, Sendable {
    package var file: String
    package var line: Int
    package var column: Int

    package init(file: String, line: Int = 0, column: Int = 0) {
        self.file = file
        self.line = line
        self.column = column
    }

    /// `file:line`, or `file` alone: what a route or service remembers of where it was defined.
    package var lineDescription: String { line == 0 ? file : "\(file):\(line)" }
}

extension SourcePosition: CustomStringConvertible {
    package var description: String { line == 0 ? file : "\(file):\(line):\(column)" }
}
