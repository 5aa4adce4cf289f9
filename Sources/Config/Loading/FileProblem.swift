/// Why a file could not be read, in the system's words.
package struct FileProblem: Error, Equatable, Sendable {
    package let message: String

    package init(_ message: String) { self.message = message }
}
