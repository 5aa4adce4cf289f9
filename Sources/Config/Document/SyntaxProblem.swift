/// What keeps a document from being read any further.
package struct SyntaxProblem: Error, Equatable, Sendable {
    package let mark: Mark
    package let message: String
}
