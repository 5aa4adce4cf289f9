/// A value of a parsed YAML or JSON document that remembers where it stands.
///
/// Immutable. Aliases share their anchor's storage; nesting is at most `NodeReader.depthMax`, so recursion over a tree is safe.
package struct Node: Sendable {
    package enum Content: Sendable {
        /// Text without quotes; it may be a number, a boolean or null.
        case plain(String)
        /// Text in quotes, or a block scalar: always a string.
        case quoted(String)
        case sequence([Node])
        case mapping([Entry])
    }

    /// A key and its value, in the order of the file. Keys of one mapping are unique.
    package struct Entry: Sendable {
        package let key: String
        package let keyMark: Mark
        package let value: Node
    }

    package let content: Content
    package let mark: Mark

    package init(_ content: Content, at mark: Mark) {
        self.content = content
        self.mark = mark
    }

    /// The text of a scalar, plain or quoted; nil for null, lists and mappings.
    package var text: String? {
        switch content {
        case .plain(let text): Self.isNull(text) ? nil : text
        case .quoted(let text): text
        case .sequence, .mapping: nil
        }
    }

    /// What stands here, as messages name it.
    package var found: String {
        switch content {
        case .plain(let text) where Self.isNull(text): "nothing"
        case .plain(let text): "'\(Self.excerpt(text))'"
        case .quoted(let text): "the string \"\(Self.excerpt(text))\""
        case .sequence: "a list"
        case .mapping: "a mapping"
        }
    }

    /// `text` as one short line, so that a message stays readable whatever the file holds.
    package static func excerpt(_ text: String) -> String {
        var result = ""
        for (index, scalar) in text.unicodeScalars.enumerated() {
            if index == 60 { return result + "..." }
            let isControl = scalar.value < 0x20 || (0x7F...0x9F).contains(scalar.value)
            result.unicodeScalars.append(isControl ? " " : scalar)
        }
        return result
    }

    /// YAML's core schema: nothing at all, `~` or `null`.
    private static func isNull(_ text: String) -> Bool {
        switch text {
        case "", "~", "null", "Null", "NULL": true
        default: false
        }
    }
}
