/// An IPv4 or IPv6 address. An IPv4 address is held as its IPv4-mapped IPv6 form (RFC 4291 §2.5.5.2), so that both
/// compare, hash and match prefixes by the same code.
package struct IPAddress: Hashable, Sendable {
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
        if text.utf8.contains(ASCII.colon) {
            guard let (high, low) = Self.parseV6(text) else { return nil }
            self.init(high: high, low: low)
        } else {
            guard let bits = Self.parseV4(text) else { return nil }
            self.init(v4: bits)
        }
    }

    private static func parseV4(_ text: some StringProtocol) -> UInt32? {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 4 else { return nil }
        var bits: UInt32 = 0
        for part in parts {
            guard (1...3).contains(part.utf8.count), part.utf8.allSatisfy({ ASCII.digit($0) != nil }),
                part.utf8.count == 1 || part.utf8.first != ASCII.zero, let octet = UInt8(part)
            else { return nil }
            bits = bits << 8 | UInt32(octet)
        }
        return bits
    }

    private static func parseV6(_ text: some StringProtocol) -> (UInt64, UInt64)? {
        guard text.utf8.count <= 45 else { return nil }
        var groups: [UInt16] = []
        var gap: Int?
        var rest = Array(text.utf8)[...]
        if rest.starts(with: [ASCII.colon, ASCII.colon]) {
            gap = 0
            rest = rest.dropFirst(2)
        }
        while !rest.isEmpty {
            let end = rest.firstIndex(of: ASCII.colon) ?? rest.endIndex
            let part = rest[rest.startIndex..<end]
            if end == rest.endIndex, part.contains(0x2E) {
                guard let v4 = parseV4(String(decoding: part, as: UTF8.self)) else { return nil }
                groups.append(UInt16(v4 >> 16))
                groups.append(UInt16(v4 & 0xFFFF))
                rest = []
                break
            }
            guard (1...4).contains(part.count) else { return nil }
            var group: UInt16 = 0
            for byte in part {
                guard let digit = ASCII.hexDigit(byte) else { return nil }
                group = group << 4 | UInt16(digit)
            }
            groups.append(group)
            guard groups.count <= 8 else { return nil }
            if end == rest.endIndex {
                rest = []
                break
            }
            rest = rest[(end + 1)...]
            if rest.first == ASCII.colon {
                guard gap == nil else { return nil }
                gap = groups.count
                rest = rest.dropFirst()
            } else if rest.isEmpty {
                return nil
            }
        }
        if let gap {
            guard groups.count < 8 else { return nil }
            groups.insert(contentsOf: repeatElement(0, count: 8 - groups.count), at: gap)
        }
        guard groups.count == 8 else { return nil }
        let high = groups[0..<4].reduce(UInt64(0)) { $0 << 16 | UInt64($1) }
        let low = groups[4..<8].reduce(UInt64(0)) { $0 << 16 | UInt64($1) }
        return (high, low)
    }
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
