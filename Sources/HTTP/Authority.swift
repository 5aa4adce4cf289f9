import Core

/// The grammar of a host with an optional port (RFC 9110 §4.2, RFC 3986 §3.2): a registered name, an IPv4 address or an
/// IPv6 address in brackets. User information is refused wherever an authority stands: it has no place in a request.
package enum Authority {
    /// What must be there beyond what the grammar asks.
    enum Demand { case nothing, host, hostAndPort }

    /// Whether `text` is an authority. An empty host is allowed unless demanded: clients send an empty `Host` for
    /// targets without one (RFC 9110 §7.2).
    static func isValid(_ text: Span<UInt8>, demanding demand: Demand = .nothing) -> Bool {
        guard let hostEnd = endOfHost(text) else { return false }
        guard hostEnd > 0 || (demand == .nothing && text.isEmpty) else { return false }
        guard hostEnd < text.count else { return demand != .hostAndPort }
        guard text[hostEnd] == ASCII.colon else { return false }
        guard hostEnd + 1 < text.count else { return demand != .hostAndPort }
        return isPort(text, from: hostEnd + 1)
    }

    /// The host of a valid authority, brackets included, without the port.
    package static func host(of authority: Span<UInt8>) -> Range<Int> { 0..<(endOfHost(authority) ?? authority.count) }

    /// One past the host, nil when it is malformed.
    @inline(__always)
    private static func endOfHost(_ text: Span<UInt8>) -> Int? {
        var end = text.firstNotHostName(from: 0)
        while end < text.count {
            switch text[end] {
            case ASCII.colon: return end
            case ASCII.percent:
                guard end + 2 < text.count, ASCII.hexDigit(text[end + 1]) != nil, ASCII.hexDigit(text[end + 2]) != nil
                else {
                    return nil
                }
                end = text.firstNotHostName(from: end + 3)
            case 0x5B where end == 0: return endOfLiteral(text)
            default: return nil
            }
        }
        return end
    }

    /// One past the closing bracket of an IPv6 address.
    private static func endOfLiteral(_ text: Span<UInt8>) -> Int? {
        let end = text.firstIndex(of: 0x5D, from: 1)
        guard end < text.count, IPAddress.isV6(text.extracting(1..<end)) else { return nil }
        return end + 1
    }

    /// Decimal digits up to 65535.
    @inline(__always)
    private static func isPort(_ text: Span<UInt8>, from start: Int) -> Bool {
        var port = 0
        for index in start..<text.count {
            guard let digit = ASCII.digit(text[index]) else { return false }
            port = port * 10 + Int(digit)
            if port > 65535 { return false }
        }
        return true
    }
}
