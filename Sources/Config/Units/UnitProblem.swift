/// Why a text is no duration or size, and the text that would be one where that can be told.
package struct UnitProblem: Error, Equatable, Sendable {
    package let message: String
    package let suggestion: String?

    init(_ message: String, suggestion: String? = nil) {
        self.message = message
        self.suggestion = suggestion
    }
}
