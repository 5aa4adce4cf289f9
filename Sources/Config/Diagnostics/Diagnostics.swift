/// The problems found so far. Collects them all, so that a file is mended in one go.
///
/// Owned by one load. Past `limit` problems only their number is kept: a hostile file must not buy a report of any size.
package struct Diagnostics {
    package static let limit = 1000

    private var collected: Set<Diagnostic> = []
    private var files: [String] = []
    private var omitted = 0

    package init() {}

    package var isEmpty: Bool { collected.isEmpty }
    /// How many there are, the ones not kept included.
    package var count: Int { collected.count + omitted }
    /// Whether further problems are only counted, so that nobody need look for suggestions.
    package var isFull: Bool { collected.count >= Self.limit }

    /// Files named here first are listed first.
    package mutating func noteFile(_ file: String) {
        if !files.contains(file) { files.append(file) }
    }

    /// Adds a problem; the same one again (a node that several aliases name) is not repeated.
    package mutating func add(
        _ position: SourcePosition, _ message: @autoclosure () -> String, suggestion: @autoclosure () -> String? = nil
    ) {
        guard !isFull else {
            omitted += 1
            return
        }
        noteFile(position.file)
        collected.insert(Diagnostic(position, message(), suggestion: suggestion()))
    }

    /// All problems by file, line and column.
    package var sorted: [Diagnostic] {
        var order: [String: Int] = [:]
        for (index, file) in files.enumerated() { order[file] = index }
        func key(_ diagnostic: Diagnostic) -> (Int, Int, Int) {
            (order[diagnostic.position.file] ?? 0, diagnostic.position.line, diagnostic.position.column)
        }
        var result = collected.sorted { left, right in
            let (leftKey, rightKey) = (key(left), key(right))
            return leftKey == rightKey ? left.message < right.message : leftKey < rightKey
        }
        if omitted > 0, let last = result.last {
            result.append(
                Diagnostic(SourcePosition(file: last.position.file), "\(omitted) more problems are not listed"))
        }
        return result
    }
}
