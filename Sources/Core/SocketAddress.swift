/// Where a socket listens or connects to: an IP address with a port, or a unix socket's path.
package enum SocketAddress: Hashable, Sendable {
    case ip(IPAddress, port: UInt16)
    /// A path of at most 107 bytes (`sun_path`); a leading `@` means Linux's abstract namespace.
    case unix(String)

    /// The longest path that fits into `sockaddr_un`, in bytes.
    package static let unixPathBytesMax = 107

    /// The IP address, nil for a unix socket.
    package var ip: IPAddress? {
        if case .ip(let address, _) = self { return address }
        return nil
    }

    package var port: UInt16? {
        if case .ip(_, let port) = self { return port }
        return nil
    }

    /// Parses `1.2.3.4:80`, `[::1]:80` or `unix:/path`. Names are not addresses: nil for them, as for anything
    /// malformed.
    package init?(_ text: some StringProtocol) {
        if text.hasPrefix("unix:") {
            let path = text.dropFirst(5)
            guard !path.isEmpty, path.utf8.count <= Self.unixPathBytesMax, !path.utf8.contains(0) else { return nil }
            self = .unix(String(path))
            return
        }
        let text = String(text)
        guard let (ip, port) = Self.parse(text.utf8.span) else { return nil }
        self = .ip(ip, port: port)
    }

    private static func parse(_ text: Span<UInt8>) -> (IPAddress, port: UInt16)? {
        var colon = text.count - 1
        while colon >= 0, text[colon] != ASCII.colon { colon -= 1 }
        guard colon > 0, (1...5).contains(text.count - colon - 1) else { return nil }
        var port: UInt32 = 0
        for index in (colon + 1)..<text.count {
            guard let digit = ASCII.digit(text[index]) else { return nil }
            port = port * 10 + UInt32(digit)
        }
        guard let port = UInt16(exactly: port) else { return nil }
        let isBracketed = text[0] == 0x5B && text[colon - 1] == 0x5D && colon > 2
        let host = isBracketed ? text.extracting(1..<(colon - 1)) : text.extracting(0..<colon)
        guard isBracketed || host.firstIndex(of: ASCII.colon, from: 0) == host.count, let ip = IPAddress(host),
            ip.isV6 == isBracketed
        else { return nil }
        return (ip, port)
    }
}

extension SocketAddress: CustomStringConvertible {
    package var description: String {
        switch self {
        case .ip(let address, let port): address.isV6 ? "[\(address)]:\(port)" : "\(address):\(port)"
        case .unix(let path): "unix:\(path)"
        }
    }
}
