/// A line and a column of a document, both from 1; columns count characters.
package struct Mark: Hashable, Sendable {
    package let line: UInt32
    package let column: UInt32

    package init(line: Int, column: Int) {
        self.line = UInt32(clamping: line)
        self.column = UInt32(clamping: column)
    }

    /// Of what stands in no document: a variable or a flag.
    package static let none = Mark(line: 0, column: 0)
}
