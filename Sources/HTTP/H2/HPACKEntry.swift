/// What a table knows of one of its fields, beside the bytes.
///
/// The bytes are a whole HTTP/1 line, `name: value CRLF`: an indexed field is decoded by copying once, and its name was
/// recognised when it was first sent.
struct HPACKEntry: BitwiseCopyable, Sendable {
    /// What a field counts beyond its name and value (RFC 7541 §4.1).
    static let overhead = 32
    /// What a line has beyond its name and value.
    static let punctuation = 4

    /// Where the line begins; see the table for what that is counted from.
    var position: UInt32
    let nameCount: UInt32
    let valueCount: UInt32
    let name: HeaderName
    let pseudo: HPACKPseudo

    @inline(__always)
    init(nameCount: Int, valueCount: Int, name: HeaderName, pseudo: HPACKPseudo, position: UInt32 = 0) {
        self.position = position
        self.nameCount = UInt32(truncatingIfNeeded: nameCount)
        self.valueCount = UInt32(truncatingIfNeeded: valueCount)
        self.name = name
        self.pseudo = pseudo
    }

    /// The size by which a table counts it (RFC 7541 §4.1).
    @inline(__always) var size: Int { Int(nameCount) &+ Int(valueCount) &+ Self.overhead }
    @inline(__always) var lineCount: Int { Int(nameCount) &+ Int(valueCount) &+ Self.punctuation }
    /// Where the value begins in the line.
    @inline(__always) var valueOffset: Int { Int(nameCount) &+ 2 }
}
