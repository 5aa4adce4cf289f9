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
        guard let colon = text.lastIndex(of: ":") else { return nil }
        var host = text[..<colon]
        let digits = text[text.index(after: colon)...]
        guard !digits.isEmpty, digits.utf8.allSatisfy({ ASCII.digit($0) != nil }), let port = UInt16(digits) else {
            return nil
        }
        if host.hasPrefix("["), host.hasSuffix("]") {
            host = host.dropFirst().dropLast()
            guard let address = IPAddress(host), address.isV6 else { return nil }
            self = .ip(address, port: port)
        } else {
            guard let address = IPAddress(host), !address.isV6 else { return nil }
            self = .ip(address, port: port)
        }
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
