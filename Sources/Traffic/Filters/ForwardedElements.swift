import Core

/// Reads a `Forwarded` value (RFC 7239 §4) element by element, from the left; what it cannot read ends an element's
/// parameter, never the walk.
struct ForwardedElements {
    struct Element {
        /// Nil: none, an obfuscated or an unknown one.
        var client: IPAddress?
        /// Nil: no `proto`, or another one.
        var isSecure: Bool?
    }

    private var index = 0

    /// The element that comes next in `value`, nil after the last.
    mutating func next(_ value: Span<UInt8>) -> Element? {
        guard index < value.count else { return nil }
        var element = Element()
        while index < value.count {
            let nameStart = index
            while index < value.count, ASCII.isToken(value[index]) || isBlank(value[index]) { index += 1 }
            let name = value.extracting(nameStart..<index).trimmed
            if index < value.count, value[index] == UInt8(ascii: "=") {
                index += 1
                read(name, readValue(value), value, into: &element)
            }
            // To the next parameter or element.
            while index < value.count, value[index] != UInt8(ascii: ";"), value[index] != ASCII.comma { index += 1 }
            let isEnd = index == value.count || value[index] == ASCII.comma
            index += 1
            if isEnd { break }
        }
        return element
    }

    private func isBlank(_ byte: UInt8) -> Bool { byte == ASCII.space || byte == ASCII.tab }

    /// The range of a token or of a quoted string's inside; moves past it.
    private mutating func readValue(_ value: Span<UInt8>) -> Range<Int> {
        let start = index
        guard index < value.count, value[index] == UInt8(ascii: "\"") else {
            while index < value.count, value[index] != UInt8(ascii: ";"), value[index] != ASCII.comma { index += 1 }
            return start..<index
        }
        index += 1
        while index < value.count, value[index] != UInt8(ascii: "\"") {
            index += value[index] == UInt8(ascii: "\\") ? 2 : 1
        }
        let end = min(index, value.count)
        index = min(index + 1, value.count)
        return start + 1..<end
    }

    private func read(_ name: Span<UInt8>, _ range: Range<Int>, _ value: Span<UInt8>, into element: inout Element) {
        let text = value.extracting(range).trimmed
        if name.equalsIgnoringCase("for") {
            element.client = IPAddress(forwarded: text)
        } else if name.equalsIgnoringCase("proto") {
            if text.equalsIgnoringCase("https") { element.isSecure = true }
            if text.equalsIgnoringCase("http") { element.isSecure = false }
        }
    }
}
