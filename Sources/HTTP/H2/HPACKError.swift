/// Why a header block cannot be decoded (RFC 7541).
///
/// The dynamic table is lost with it, so every one of them ends the connection with COMPRESSION_ERROR
/// (RFC 9113 §4.3).
package enum HPACKError: Error, Equatable, Sendable, BitwiseCopyable {
    /// The block ends within a field.
    case truncated
    /// An integer of more than 32 bits, or one spelled in more bytes than such a one takes (§5.1).
    case integerTooLarge
    /// Index zero, or one beyond both tables (§2.3.3).
    case indexInvalid
    /// A dynamic table size update to more than was announced (§6.3).
    case tableSizeTooLarge
    /// A dynamic table size update after a field (§4.2).
    case tableSizeMisplaced
    /// A Huffman-encoded string that holds EOS, ends within a symbol, or is padded with more than seven bits or with
    /// other bits than ones (§5.2).
    case huffmanInvalid
}
