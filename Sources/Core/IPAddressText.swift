extension Buffer {
    /// Appends the address's canonical text (RFC 5952), as `IPAddress.description` has it but without a String.
    package func append(_ address: IPAddress) {
        if let v4 = address.v4 {
            for shift: UInt32 in [24, 16, 8, 0] {
                if shift != 24 { append(0x2E) }
                append(decimal: UInt64(v4 >> shift & 255))
            }
            return
        }
        let longest = address.longestZeroRun
        var index = 0
        while index < 8 {
            if index == longest.lowerBound, !longest.isEmpty {
                append("::")
                index = longest.upperBound
                continue
            }
            if index > 0, index != longest.upperBound || longest.isEmpty { append(ASCII.colon) }
            append(hex: UInt64(address.group(index)))
            index += 1
        }
    }
}

extension IPAddress {
    /// One of the eight 16-bit groups, the first being the most significant.
    @inline(__always)
    fileprivate func group(_ index: Int) -> UInt16 {
        UInt16(truncatingIfNeeded: (index < 4 ? high : low) >> UInt64(48 - index % 4 * 16))
    }

    /// The first of the longest runs of at least two zero groups: what `::` stands for.
    fileprivate var longestZeroRun: Range<Int> {
        var longest = 0..<0
        var start = 0
        while start < 8 {
            var end = start
            while end < 8, group(end) == 0 { end += 1 }
            if end - start > max(longest.count, 1) { longest = start..<end }
            start = max(end, start + 1)
        }
        return longest
    }
}
