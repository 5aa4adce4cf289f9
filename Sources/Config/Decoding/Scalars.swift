import Core

/// Scalars and lists that stand alone. `key` names them in messages.
extension DecodingContext {
    func text(_ node: Node, _ key: String, expected: @autoclosure () -> String = "text") -> String? {
        if let text = node.text { return text }
        report(node.mark, "\(key): expected \(expected()), found \(node.found)")
        return nil
    }

    /// A decimal number without sign games: `0`, `7`, `-1`, never `07`, `1e3` or `"7"`.
    func integer<Value: FixedWidthInteger>(_ node: Node, _ key: String, in range: ClosedRange<Value>) -> Value? {
        let limits = "\(range.lowerBound) to \(range.upperBound)"
        guard case .plain(let text) = node.content, Self.isDecimal(text) else {
            report(node.mark, "\(key): expected a whole number, \(limits), found \(node.found)")
            return nil
        }
        if let value = Value(text), range.contains(value) { return value }
        report(node.mark, "\(key): must be \(limits), found \(Node.excerpt(text))")
        return nil
    }

    private static func isDecimal(_ text: String) -> Bool {
        let digits = text.utf8.first == 0x2D ? text.utf8.dropFirst() : text.utf8[...]
        return !digits.isEmpty && digits.allSatisfy { ASCII.digit($0) != nil }
            && (digits.count == 1 || digits.first != ASCII.zero)
    }

    func duration(_ node: Node, _ key: String, in range: ClosedRange<Duration>) -> Duration? {
        guard let text = text(node, key, expected: "a duration such as 30s") else { return nil }
        do throws(UnitProblem) {
            let value = try DurationText.parse(text)
            if range.contains(value) { return value }
            let limits = "\(DurationText.format(range.lowerBound)) to \(DurationText.format(range.upperBound))"
            report(node.mark, "\(key): must be \(limits), found \(text)")
        } catch {
            report(node.mark, "\(key): \(error.message)", suggestion: error.suggestion)
        }
        return nil
    }

    /// A size in bytes.
    func size<Value: FixedWidthInteger>(_ node: Node, _ key: String, in range: ClosedRange<Value>) -> Value? {
        guard let text = text(node, key, expected: "a size such as 64KiB") else { return nil }
        do throws(UnitProblem) {
            let value = try SizeText.parse(text)
            if let value = Value(exactly: value), range.contains(value) { return value }
            let limits =
                "\(SizeText.format(UInt64(range.lowerBound))) to \(SizeText.format(UInt64(range.upperBound)))"
            report(node.mark, "\(key): must be \(limits), found \(text)")
        } catch {
            report(node.mark, "\(key): \(error.message)", suggestion: error.suggestion)
        }
        return nil
    }

    /// One of an enumeration's words.
    func choice<Value: CaseIterable & RawRepresentable<String>>(_ node: Node, _ key: String, _: Value.Type) -> Value? {
        func words() -> [String] { Value.allCases.map(\.rawValue) }
        guard let text = text(node, key, expected: Self.oneOf(words())) else { return nil }
        if let value = Value(rawValue: text) { return value }
        report(
            node.mark, "\(key): expected \(Self.oneOf(words())), found \(node.found)",
            suggestion: nearest(to: text, among: words()))
        return nil
    }

    private static func oneOf(_ words: [String]) -> String {
        guard let last = words.last, words.count > 1 else { return words.first ?? "" }
        return "\(words.dropLast().joined(separator: ", ")) or \(last)"
    }

    func list(_ node: Node, _ key: String) -> [Node]? {
        if case .sequence(let items) = node.content { return items }
        let hint = node.text == nil ? "" : ": write [\(Node.excerpt(node.text ?? ""))]"
        report(node.mark, "\(key): expected a list, found \(node.found)\(hint)")
        return nil
    }

    /// An empty list of conditions would hold for everything, which nobody means who writes it; one of names would say
    /// nothing. `everything` is what leaving `key` out stands for.
    func refuseEmpty(_ node: Node, _ key: String, _ everything: String) {
        guard case .sequence(let items) = node.content, items.isEmpty else { return }
        report(node.mark, "\(key): the list is empty; leave \(key) out for \(everything)")
    }

    /// Each text of a list with its mark, none twice.
    func texts(_ node: Node, _ key: String) -> [(text: String, mark: Mark)] {
        guard let items = list(node, key) else { return [] }
        var seen: Set<String> = []
        var result: [(text: String, mark: Mark)] = []
        result.reserveCapacity(items.count)
        for item in items {
            guard let text = text(item, key) else { continue }
            // Most lists are short: comparing is cheaper there than hashing.
            let isNew =
                items.count > 8 ? seen.insert(text).inserted : !result.contains { $0.text == text }
            if isNew {
                result.append((text, item.mark))
            } else {
                report(item.mark, "\(key): '\(Node.excerpt(text))' is listed twice")
            }
        }
        return result
    }

    /// A name: 1 to 128 of letters, digits, `_`, `.` and `-`.
    func name(_ node: Node, of what: String) -> String? {
        guard let text = text(node, "name", expected: "a name") else { return nil }
        let isName = { (byte: UInt8) in
            ASCII.digit(byte) != nil || ASCII.lowercased(byte) &- 0x61 < 26 || byte == 0x5F || byte == 0x2E
                || byte == 0x2D
        }
        if (1...128).contains(text.utf8.count), text.utf8.allSatisfy(isName) { return text }
        report(
            node.mark, "\(what)'s name is 1 to 128 letters, digits, '_', '.' and '-', found '\(Node.excerpt(text))'")
        return nil
    }
}
