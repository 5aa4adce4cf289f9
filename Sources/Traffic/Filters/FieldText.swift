import Core

/// What may be written into a head (RFC 9110 §5): checked once, when a configuration is compiled, so that nothing is
/// checked or escaped per message.
enum FieldText {
    static func isName(_ name: Span<UInt8>) -> Bool {
        for index in name.indices where !ASCII.isToken(name[index]) { return false }
        return name.count > 0
    }

    /// No controls but tabs, no whitespace around it.
    static func isValue(_ value: Span<UInt8>) -> Bool {
        for index in value.indices where (value[index] < 0x20 && value[index] != ASCII.tab) || value[index] == 0x7F {
            return false
        }
        return value.trimmed.count == value.count
    }

    /// Visible ASCII, at most `bytesMax` and at least one.
    @inline(__always)
    static func isVisible(_ text: Span<UInt8>, bytesMax: Int) -> Bool {
        guard text.count > 0, text.count <= bytesMax else { return false }
        for index in text.indices where text[index] <= 0x20 || text[index] >= 0x7F { return false }
        return true
    }
}
