import Core

/// Integers with a prefix (RFC 7541 §5.1), of at most 32 bits.
enum HPACKInteger {
    /// Bytes that an integer of 32 bits takes at most: the prefix and five times seven bits.
    static let bytesMax = 6

    /// Reads the integer whose first byte is `first`, of which `mask` covers the prefix; `position` is behind that
    /// byte.
    @inline(__always)
    static func read(
        _ block: Span<UInt8>, _ first: UInt8, mask: UInt8, _ position: inout Int
    ) throws(HPACKError) -> Int {
        let prefix = first & mask
        return prefix < mask ? Int(prefix) : try readRest(block, Int(mask), &position)
    }

    private static func readRest(
        _ block: Span<UInt8>, _ prefix: Int, _ position: inout Int
    ) throws(HPACKError) -> Int {
        var value = prefix
        var shift = 0
        while shift < 35 {
            guard position < block.count else { throw .truncated }
            let byte = block[position]
            position &+= 1
            value &+= Int(byte & 0x7F) &<< shift
            if byte < 0x80 {
                guard value <= Int(UInt32.max) else { throw .integerTooLarge }
                return value
            }
            shift &+= 7
        }
        throw .integerTooLarge
    }

    /// Appends `value`, at most 32 bits, with a prefix that `mask` covers; `flags` are the bits above it.
    @inline(__always)
    static func append(_ value: Int, mask: UInt8, flags: UInt8, into output: Buffer) {
        if value < Int(mask) { return output.append(flags | UInt8(truncatingIfNeeded: value)) }
        appendRest(value, mask: mask, flags: flags, into: output)
    }

    private static func appendRest(_ value: Int, mask: UInt8, flags: UInt8, into output: Buffer) {
        output.append(flags | mask)
        var rest = value &- Int(mask)
        while rest >= 0x80 {
            output.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest &>>= 7
        }
        output.append(UInt8(truncatingIfNeeded: rest))
    }
}
