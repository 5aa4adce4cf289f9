/// One problem of a configuration, as `sidecar check` prints it: `file:line:column: message (did you mean 'x'?)`.
package struct Diagnostic: Hashable, Sendable {
    package let position: SourcePosition
    package let message: String
    /// What was probably meant.
    package let suggestion: String?

    package init(_ position: SourcePosition, _ message: String, suggestion: String? = nil) {
        self.position = position
        self.message = message
        self.suggestion = suggestion
    }
}

extension Diagnostic: CustomStringConvertible {
    package var description: String {
        let text = "\(position): \(message)"
        guard let suggestion else { return text }
        return "\(text) (did you mean '\(suggestion)'?)"
    }
}
