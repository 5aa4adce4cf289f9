package import Core

extension Buffer {
    /// Appends the canonical text of an address (RFC 5952), an IPv4-mapped one as IPv4. Makes no `String`.
    package func append(address: IPAddress) {
        if let v4 = address.v4 {
            for shift in stride(from: UInt32(24), through: 0, by: -8) {
                if shift < 24 { append(UInt8(ascii: ".")) }
                append(decimal: UInt64(v4 >> shift & 255))
            }
            return
        }
        func group(_ index: Int) -> UInt64 {
            (index < 4 ? address.high : address.low) >> UInt64(48 - index % 4 * 16) & 0xFFFF
        }
        // The longest run of two or more zero groups, the first of equals, becomes `::`.
        var gap = 8..<8
        var start = 0
        while start < 8 {
            var end = start
            while end < 8, group(end) == 0 { end += 1 }
            if end - start > max(gap.count, 1) { gap = start..<end }
            start = max(end, start + 1)
        }
        var index = 0
        while index < 8 {
            if index == gap.lowerBound {
                append("::")
                index = gap.upperBound
                continue
            }
            if index > 0, index != gap.upperBound { append(ASCII.colon) }
            append(hex: group(index))
            index += 1
        }
    }
}

extension IPAddress {
    /// Parses an address as forwarding fields hold it: with or without port, IPv6 with or without brackets.
    /// Makes no `String`.
    package init?(forwarded text: Span<UInt8>) {
        var text = text
        if text.count > 0, text[0] == UInt8(ascii: "[") {
            var end = 1
            while end < text.count, text[end] != UInt8(ascii: "]") { end += 1 }
            guard end < text.count, Self.isPort(text.extracting((end + 1)...)) else { return nil }
            text = text.extracting(1..<end)
            guard let address = Self.v6(text) else { return nil }
            self = address
            return
        }
        var colons = 0
        var colon = text.count
        for index in text.indices where text[index] == ASCII.colon {
            colons += 1
            colon = index
        }
        if colons > 1 {
            guard let address = Self.v6(text) else { return nil }
            self = address
        } else {
            guard Self.isPort(text.extracting(colon...)), let bits = Self.v4Bits(text.extracting(..<colon)) else {
                return nil
            }
            self.init(v4: bits)
        }
    }

    /// Nothing, or a colon and a port; RFC 7239 §6 also allows an obfuscated one, `:_x`.
    private static func isPort(_ text: Span<UInt8>) -> Bool {
        guard text.count > 0 else { return true }
        guard text[0] == ASCII.colon, text.count > 1 else { return false }
        if text[1] == UInt8(ascii: "_") { return true }
        for index in 1..<text.count where ASCII.digit(text[index]) == nil { return false }
        return text.count <= 6
    }

    private static func v4Bits(_ text: Span<UInt8>) -> UInt32? {
        var bits: UInt32 = 0
        var octet: UInt32 = 0
        var digits = 0
        var octets = 0
        for index in text.indices {
            let byte = text[index]
            if let digit = ASCII.digit(byte) {
                guard digits == 0 || octet > 0 else { return nil }
                octet = octet * 10 + UInt32(digit)
                digits += 1
                guard octet <= 255 else { return nil }
            } else {
                guard byte == UInt8(ascii: "."), digits > 0, octets < 3 else { return nil }
                bits = bits << 8 | octet
                octets += 1
                octet = 0
                digits = 0
            }
        }
        guard octets == 3, digits > 0 else { return nil }
        return bits << 8 | octet
    }

    private static func v6(_ text: Span<UInt8>) -> IPAddress? {
        guard text.count >= 2, text.count <= 45 else { return nil }
        // Groups before and after the gap are shifted in from the right.
        var before: UInt128 = 0
        var beforeCount = 0
        var value: UInt128 = 0
        var count = 0
        var hasGap = false
        var index = 0
        if text[0] == ASCII.colon {
            guard text[1] == ASCII.colon else { return nil }
            hasGap = true
            index = 2
        }
        while index < text.count {
            var end = index
            var group: UInt128 = 0
            while end < text.count, let digit = ASCII.hexDigit(text[end]) {
                group = group << 4 | UInt128(digit)
                end += 1
            }
            if end < text.count, text[end] == UInt8(ascii: ".") {
                guard let bits = v4Bits(text.extracting(index...)) else { return nil }
                value = value << 32 | UInt128(bits)
                count += 2
                index = text.count
                break
            }
            guard end > index, end - index <= 4 else { return nil }
            value = value << 16 | group
            count += 1
            guard beforeCount + count <= 8 else { return nil }
            index = end
            if index == text.count { break }
            guard text[index] == ASCII.colon, index + 1 < text.count else { return nil }
            index += 1
            if text[index] == ASCII.colon {
                guard !hasGap else { return nil }
                hasGap = true
                (before, beforeCount) = (value, count)
                (value, count) = (0, 0)
                index += 1
            }
        }
        let total = beforeCount + count
        guard hasGap ? total < 8 : total == 8 else { return nil }
        if hasGap, beforeCount > 0 { value |= before << UInt128(128 - 16 * beforeCount) }
        return IPAddress(
            high: UInt64(truncatingIfNeeded: value >> 64), low: UInt64(truncatingIfNeeded: value))
    }
}
