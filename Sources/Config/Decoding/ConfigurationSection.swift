/// A part of the configuration that is one mapping in the file.
///
/// Decoding and encoding stand side by side in one file per part: a key is added there and nowhere else.
protocol ConfigurationSection {
    /// Takes what the mapping says; what it does not say stays.
    mutating func decode(_ keys: inout MappingDecoder)
    /// Writes every key with its value in effect.
    func encode(_ json: inout JSONPrinter)
}
