/// Writes the configuration in effect as JSON text, which is also a configuration.
///
/// Members stand in the order they are written, two spaces per level.
struct JSONPrinter {
    private(set) var text = ""
    private var depth = 0
    private var isEmpty = true

    init() {}

    mutating func object(_ body: (inout JSONPrinter) -> Void) { collection("{", "}", body) }

    mutating func array<Element>(_ elements: [Element], _ body: (inout JSONPrinter, Element) -> Void) {
        collection("[", "]") { json in
            for element in elements {
                json.begin()
                body(&json, element)
            }
        }
    }

    /// A member whose value `body` writes.
    mutating func value(_ key: String, _ body: (inout JSONPrinter) -> Void) {
        begin()
        string(key)
        text += ": "
        body(&self)
    }

    mutating func member(_ key: String, _ value: String) { self.value(key) { $0.string(value) } }
    mutating func member(_ key: String, _ value: Bool) {
        self.value(key) { $0.text += value ? "true" : "false" }
    }
    mutating func member(_ key: String, _ value: some BinaryInteger) {
        self.value(key) { $0.text += "\(value)" }
    }
    mutating func member(_ key: String, _ value: Duration) { member(key, DurationText.format(value)) }
    mutating func member(_ key: String, bytes value: some BinaryInteger) {
        member(key, SizeText.format(UInt64(value)))
    }

    mutating func member<Element>(
        _ key: String, each elements: [Element], _ body: (inout JSONPrinter, Element) -> Void
    ) {
        value(key) { $0.array(elements, body) }
    }

    mutating func member(_ key: String, strings: [String]) {
        member(key, each: strings) { $0.string($1) }
    }

    /// A member that is an object.
    mutating func object(_ key: String, _ body: (inout JSONPrinter) -> Void) {
        value(key) { $0.object(body) }
    }

    mutating func member(_ key: String, section: some ConfigurationSection) {
        object(key) { section.encode(&$0) }
    }

    /// A string in quotes, escaped (RFC 8259 §7).
    mutating func string(_ value: String) {
        text += "\""
        if value.utf8.allSatisfy({ $0 >= 0x20 && $0 < 0x7F && $0 != 0x22 && $0 != 0x5C }) {
            text += value
        } else {
            for scalar in value.unicodeScalars { escaped(scalar) }
        }
        text += "\""
    }

    private mutating func escaped(_ scalar: Unicode.Scalar) {
        switch scalar {
        case "\"": text += "\\\""
        case "\\": text += "\\\\"
        case "\n": text += "\\n"
        case "\r": text += "\\r"
        case "\t": text += "\\t"
        // Beyond what JSON asks for, what YAML takes for a line break or refuses.
        case _ where scalar.value < 0x20 || (0x7F...0x9F).contains(scalar.value),
            "\u{2028}", "\u{2029}", "\u{FEFF}", "\u{FFFE}", "\u{FFFF}":
            let digits = String(scalar.value, radix: 16)
            text += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
        default: text.unicodeScalars.append(scalar)
        }
    }

    private mutating func collection(_ open: String, _ close: String, _ body: (inout JSONPrinter) -> Void) {
        text += open
        depth += 1
        isEmpty = true
        body(&self)
        depth -= 1
        if !isEmpty { newLine() }
        text += close
        isEmpty = false
    }

    /// Before a member or element: the comma and the new line.
    private mutating func begin() {
        if !isEmpty { text += "," }
        isEmpty = false
        newLine()
    }

    private mutating func newLine() {
        text += "\n"
        text += String(repeating: "  ", count: depth)
    }
}
