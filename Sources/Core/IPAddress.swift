/// An IPv4 or IPv6 address. An IPv4 address is held as its IPv4-mapped IPv6 form (RFC 4291 §2.5.5.2), so that both
/// compare, hash and match prefixes by the same code.
package struct IPAddress: Hashable, Sendable, BitwiseCopyable {
    /// The 128 bits, most significant first.
    package let high: UInt64
    package let low: UInt64

    private static let mappedPrefix: UInt64 = 0xFFFF_0000_0000

    package init(high: UInt64, low: UInt64) {
        self.high = high
        self.low = low
    }

    /// An IPv4 address from its 32 bits, `127.0.0.1` being `0x7F000001`.
    package init(v4 bits: UInt32) { self.init(high: 0, low: Self.mappedPrefix | UInt64(bits)) }

    package var isV6: Bool { high != 0 || low >> 32 != 0xFFFF }

    /// The 32 bits of an IPv4 address.
    package var v4: UInt32? { isV6 ? nil : UInt32(truncatingIfNeeded: low) }

    package static let loopbackV4 = IPAddress(v4: 0x7F00_0001)
    package static let loopbackV6 = IPAddress(high: 0, low: 1)

    /// 127.0.0.0/8 or ::1.
    package var isLoopback: Bool {
        if let v4 { return v4 >> 24 == 127 }
        return self == .loopbackV6
    }

    /// 0.0.0.0 or ::.
    package var isUnspecified: Bool { v4 == 0 || (high == 0 && low == 0) }

    /// Parses `1.2.3.4` or any form of RFC 4291 §2.2; no zone, no brackets, no leading zeros in IPv4.
    package init?(_ text: some StringProtocol) {
        let bytes = Array(text.utf8)
        self.init(bytes.span)
    }

    /// Parses the same forms from bytes, without allocating.
    package init?(_ text: Span<UInt8>) {
        if Self.mayBeV6(text) {
            guard let bits = Self.parseV6(text) else { return nil }
            self.init(high: bits.high, low: bits.low)
        } else {
            guard let bits = Self.parseV4(text) else { return nil }
            self.init(v4: bits)
        }
    }

    /// Four decimal octets with dots between them, as `inet_pton` has it.
    private static func parseV4(_ text: Span<UInt8>) -> UInt32? {
        guard (7...15).contains(text.count) else { return nil }
        var bits: UInt32 = 0
        var dots = 0
        var octet: UInt32 = 0
        var digits = 0
        for index in text.indices {
            if text[index] == 0x2E {
                guard digits > 0, dots < 3 else { return nil }
                bits = bits << 8 | octet
                dots += 1
                octet = 0
                digits = 0
                continue
            }
            guard let digit = ASCII.digit(text[index]), digits == 0 || octet > 0 else { return nil }
            octet = octet * 10 + UInt32(digit)
            digits += 1
            guard octet <= 255 else { return nil }
        }
        guard dots == 3, digits > 0 else { return nil }
        return bits << 8 | octet
    }

    /// Groups of 16 bits, the last two perhaps as an IPv4 address; `::` once, for at least one group of zero.
    private static func parseV6(_ text: Span<UInt8>) -> (high: UInt64, low: UInt64)? {
        guard (2...45).contains(text.count) else { return nil }
        var before = V6Groups()
        var after = V6Groups()
        var hasGap = false
        var position = 0
        if text[0] == ASCII.colon {
            guard text[1] == ASCII.colon else { return nil }
            hasGap = true
            position = 2
        }
        while position < text.count {
            let end = text.firstIndex(of: ASCII.colon, from: position)
            let part = text.extracting(position..<end)
            let isLast = end == text.count
            if isLast, part.firstIndex(of: 0x2E, from: 0) < part.count {
                guard let v4 = parseV4(part) else { return nil }
                hasGap ? after.append(v4) : before.append(v4)
                break
            }
            guard let group = parseGroup(part) else { return nil }
            hasGap ? after.append(group) : before.append(group)
            guard before.count + after.count <= 8 else { return nil }
            if isLast { break }
            position = end + 1
            // A single colon at the end stands before nothing.
            guard position < text.count else { return nil }
            if text[position] == ASCII.colon {
                guard !hasGap else { return nil }
                hasGap = true
                position += 1
            }
        }
        let count = before.count + after.count
        guard hasGap ? count < 8 : count == 8 else { return nil }
        let moved = before.shifted(up: 8 - before.count)
        return (moved.high | after.high, moved.low | after.low)
    }

    /// One to four hexadecimal digits.
    private static func parseGroup(_ text: Span<UInt8>) -> UInt16? {
        guard (1...4).contains(text.count) else { return nil }
        var group: UInt16 = 0
        for index in text.indices {
            guard let digit = ASCII.hexDigit(text[index]) else { return nil }
            group = group << 4 | UInt16(digit)
        }
        return group
    }

    /// Up to eight groups, the last one in the lowest bits.
    private struct V6Groups {
        var high: UInt64 = 0
        var low: UInt64 = 0
        var count = 0

        mutating func append(_ group: UInt16) {
            high = high << 16 | low >> 48
            low = low << 16 | UInt64(group)
            count += 1
        }

        mutating func append(_ v4: UInt32) {
            append(UInt16(truncatingIfNeeded: v4 >> 16))
            append(UInt16(truncatingIfNeeded: v4))
        }

        func shifted(up groups: Int) -> V6Groups {
            var moved = self
            for _ in 0..<groups { moved.append(0 as UInt16) }
            return moved
        }
    }

    /// Whether `text` is an IPv6 address, an IPv4-mapped one as well.
    package static func isV6(_ text: Span<UInt8>) -> Bool { mayBeV6(text) && parseV6(text) != nil }

    /// Only IPv6 addresses have colons.
    private static func mayBeV6(_ text: Span<UInt8>) -> Bool { text.firstIndex(of: ASCII.colon, from: 0) < text.count }
}

extension IPAddress: CustomStringConvertible {
    /// The canonical text of RFC 5952.
    package var description: String {
        if let v4 { return "\(v4 >> 24).\(v4 >> 16 & 255).\(v4 >> 8 & 255).\(v4 & 255)" }
        let groups = (0..<8).map { UInt16(truncatingIfNeeded: ($0 < 4 ? high : low) >> UInt64(48 - $0 % 4 * 16)) }
        var longest = 0..<0
        var start = 0
        while start < 8 {
            var end = start
            while end < 8, groups[end] == 0 { end += 1 }
            if end - start > max(longest.count, 1) { longest = start..<end }
            start = max(end, start + 1)
        }
        func joined(_ groups: ArraySlice<UInt16>) -> String {
            groups.map { String($0, radix: 16) }.joined(separator: ":")
        }
        guard !longest.isEmpty else { return joined(groups[...]) }
        return joined(groups[..<longest.lowerBound]) + "::" + joined(groups[longest.upperBound...])
    }
}

/// A network: an address and how many of its leading bits count (`10.0.0.0/8`, `fd00::/8`).
package struct NetworkPrefix: Hashable, Sendable {
    package let address: IPAddress
    /// Leading bits that count, of the 128; 96 more than written for IPv4.
    package let bits: UInt8

    /// Parses `ADDRESS/BITS` or a lone address, which is a network of one. Bits beyond the prefix must be zero.
    package init?(_ text: some StringProtocol) {
        let parts = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        guard let address = IPAddress(parts[0]) else { return nil }
        let width: UInt8 = address.isV6 ? 128 : 32
        var length = width
        if parts.count == 2 {
            guard (1...3).contains(parts[1].utf8.count), parts[1].utf8.allSatisfy({ ASCII.digit($0) != nil }),
                let given = UInt8(parts[1]), given <= width
            else { return nil }
            length = given
        }
        self.address = address
        bits = length + (128 - width)
        guard mask(address) == address else { return nil }
    }

    /// Whether `other` lies in this network. An IPv4 network holds IPv4 addresses only.
    @inline(__always)
    package func contains(_ other: IPAddress) -> Bool { mask(other) == address }

    @inline(__always)
    private func mask(_ address: IPAddress) -> IPAddress {
        let high = bits >= 64 ? address.high : bits == 0 ? 0 : address.high & (.max << UInt64(64 - bits))
        let low = bits <= 64 ? 0 : address.low & (.max << UInt64(128 - bits))
        return IPAddress(high: high, low: low)
    }
}

extension NetworkPrefix: CustomStringConvertible {
    package var description: String { "\(address)/\(address.isV6 ? bits : bits - 96)" }
}
