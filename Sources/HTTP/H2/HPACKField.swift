/// One decoded field.
///
/// It was appended to the storage as one HTTP/1 line, `name: value CRLF` (see `HeaderBlock`), a pseudo field too:
/// `:path: /x`. Positions are from the start of the storage. Nothing but HPACK was checked: name and value may hold any
/// bytes.
package struct HPACKField: BitwiseCopyable {
    /// `other` for pseudo fields too. Recognised in any case, so an upper-case name must be looked for.
    package let name: HeaderName
    package let pseudo: HPACKPseudo
    package let nameStart: Int
    package let nameCount: Int
    package let valueStart: Int
    package let valueCount: Int
    /// One past the line's CRLF.
    package let lineEnd: Int
    /// Whoever passes the field on must not index it either (RFC 7541 §6.2.3).
    package let isNeverIndexed: Bool

    /// The field's size as SETTINGS_MAX_HEADER_LIST_SIZE counts it (RFC 9113 §6.5.2).
    package var size: Int { nameCount &+ valueCount &+ HPACKEntry.overhead }

    /// A field whose line, as `entry` describes it, stands at `start`.
    @inline(__always)
    init(_ entry: HPACKEntry, at start: Int, isNeverIndexed: Bool) {
        name = entry.name
        pseudo = entry.pseudo
        nameStart = start
        nameCount = Int(entry.nameCount)
        valueStart = start &+ entry.valueOffset
        valueCount = Int(entry.valueCount)
        lineEnd = start &+ entry.lineCount
        self.isNeverIndexed = isNeverIndexed
    }
}
