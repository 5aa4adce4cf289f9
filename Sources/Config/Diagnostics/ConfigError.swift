/// Why a configuration is not usable: every problem of all its files, in the order of the files and their lines.
package struct ConfigError: Error, Sendable {
    /// Never empty.
    package let diagnostics: [Diagnostic]

    package init(_ diagnostics: [Diagnostic]) { self.diagnostics = diagnostics }
}

extension ConfigError: CustomStringConvertible {
    /// One line per problem.
    package var description: String { diagnostics.map(\.description).joined(separator: "\n") }
}
