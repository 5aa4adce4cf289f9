import Core

/// Percent-encoding (RFC 3986 §2.1) of what the proxy itself puts into a request target or a `Location`.
enum PercentEncoding {
    /// Whether `byte` stands for itself in a path: pchar or a slash (RFC 3986 §3.3).
    @inline(__always)
    static func isPlainInPath(_ byte: UInt8) -> Bool {
        byte < 64 ? low >> UInt64(byte) & 1 == 1 : byte < 128 && high >> UInt64(byte - 64) & 1 == 1
    }

    /// Below 64: `!$&'()*+,-./`, the digits, `:;=`.
    private static let low: UInt64 = 0x2FFF_FFD2_0000_0000
    /// From 64 to 127: `@`, the letters, `_`, `~`.
    private static let high: UInt64 = 0x47FF_FFFE_87FF_FFFF

    /// Whether an encoded byte, two digits after a `%`, begins at `index`.
    @inline(__always)
    static func isTriple(_ bytes: Span<UInt8>, at index: Int) -> Bool {
        index + 2 < bytes.count && bytes[index] == ASCII.percent && ASCII.hexDigit(bytes[index + 1]) != nil
            && ASCII.hexDigit(bytes[index + 2]) != nil
    }

    /// Whether `encoded`, decoded, is `plain`; a `%` that begins no encoded byte stands for itself.
    static func isEqual(_ encoded: Span<UInt8>, decodedTo plain: Span<UInt8>, prefixOnly: Bool = false) -> Bool {
        var index = 0
        var matched = 0
        while index < encoded.count {
            if matched == plain.count { return prefixOnly }
            guard decoded(encoded, &index) == plain[matched] else { return false }
            matched += 1
        }
        return matched == plain.count
    }

    /// The byte at `index`, which moves past it.
    @inline(__always)
    static func decoded(_ bytes: Span<UInt8>, _ index: inout Int) -> UInt8 {
        if isTriple(bytes, at: index), let high = ASCII.hexDigit(bytes[index + 1]),
            let low = ASCII.hexDigit(bytes[index + 2])
        {
            index += 3
            return high << 4 | low
        }
        index += 1
        return bytes[index - 1]
    }
}

extension Buffer {
    /// Appends bytes of a normalised path as they may stand in a request target. With `keepingTriples`, what is already
    /// an encoded byte stays one.
    func append(encodingPath bytes: Span<UInt8>, keepingTriples: Bool) {
        for index in bytes.indices {
            let byte = bytes[index]
            if PercentEncoding.isPlainInPath(byte) || (keepingTriples && PercentEncoding.isTriple(bytes, at: index)) {
                append(byte)
            } else {
                append(percentEncoding: byte)
            }
        }
    }

    @inline(__always)
    func append(percentEncoding byte: UInt8) {
        func digit(_ value: UInt8) -> UInt8 { value < 10 ? ASCII.zero + value : 0x37 + value }
        append(ASCII.percent)
        append(digit(byte >> 4))
        append(digit(byte & 15))
    }
}
