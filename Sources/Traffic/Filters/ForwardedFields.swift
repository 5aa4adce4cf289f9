package import Config
package import Core
package import HTTP

/// Tells endpoints where a request came from: `X-Forwarded-For`, `-Proto`, `-Host`, `Forwarded`, `Via`, `x-request-id`,
/// `X-Forwarded-Client-Cert`.
///
/// One per listener, immutable. Works in place on the head and allocates nothing. What a peer claims about others is
/// believed only when the configuration trusts that peer; from anyone else every `X-Forwarded-*` and `Forwarded` is
/// dropped, whether new ones are written or not, because an endpoint would believe them.
package struct ForwardedFields: Sendable {
    /// What is known of a request's sender.
    package struct Origin: Equatable, Sendable {
        /// The client itself: the peer, or the first address before it that is no trusted proxy. Nil behind a unix socket.
        package var client: IPAddress?
        /// Whether the client spoke https, to the proxy or to the first trusted one before it.
        package var isSecure: Bool
        /// Where the request's identifier stands in the head's storage; empty when it has none.
        package var requestID: ByteRange
    }

    /// An identifier of a trusted peer is kept up to this length.
    package static let requestIDBytesMax = 128

    package let configuration: ForwardedConfiguration

    package init(_ configuration: ForwardedConfiguration) { self.configuration = configuration }

    /// Whether what `peer` says about other addresses is believed. A peer on a unix socket never is.
    package func isTrusted(_ peer: IPAddress?) -> Bool {
        guard let peer else { return false }
        for network in configuration.trustedProxies where network.contains(peer) { return true }
        return false
    }

    /// Rewrites the fields of `head`, whose parsed ranges stay valid. Once per request, before it is routed, so that
    /// conditions on these fields see what endpoints will see.
    ///
    /// - `peer`: who is at the other end of the connection; nil for a unix socket.
    /// - `isSecure`: whether that connection is TLS.
    /// - `identity`: whom its client certificate names, if one was verified.
    package func apply(
        to head: RequestHead, peer: IPAddress?, isSecure: Bool, random: inout Random, identity: ClientIdentity? = nil
    ) -> Origin {
        let headers = head.headers
        let trusted = isTrusted(peer)
        var origin = Origin(client: peer, isSecure: isSecure, requestID: .empty)
        if trusted, let peer {
            believe(headers, peer, &origin)
        } else {
            removeClaims(from: headers)
        }
        if configuration.xForwarded { writeXForwarded(head, peer, origin) }
        if configuration.forwarded { writeForwarded(head, peer, isSecure) }
        if let identity, configuration.clientCertificate { writeCertificate(of: identity, to: headers) }
        if configuration.via { writeVia(to: headers, received: head.version) }
        origin.requestID = identify(headers, trusted, &random)
        return origin
    }

    /// Adds this proxy to the `Via` of a message that it received in `version` (RFC 9110 §7.6.3), unless it is not to.
    package func appendVia(to headers: HeaderBlock, received version: HTTPVersion) {
        if configuration.via { writeVia(to: headers, received: version) }
    }

    // MARK: Claims

    /// Finds the client in what a trusted peer sent. Of addresses from the left, each untrusted one replaces what its
    /// left says, and one that cannot be read voids it: what remains is the first untrusted one from the right.
    private func believe(_ headers: HeaderBlock, _ peer: IPAddress, _ origin: inout Origin) {
        var client: IPAddress?
        var isSecure: Bool?
        if headers.contains(.xForwardedFor) {
            for index in headers.fields.indices {
                let field = headers.fields[index]
                guard field.name == .xForwardedFor, !field.isRemoved else { continue }
                let value = headers.value(of: field)
                var start = 0
                while start < value.count {
                    var end = start
                    while end < value.count, value[end] != ASCII.comma { end += 1 }
                    let entry = value.extracting(start..<end).trimmed
                    if entry.count > 0 { client = next(IPAddress(forwarded: entry), after: client) }
                    start = end + 1
                }
            }
        } else if headers.contains(.forwarded) {
            for index in headers.fields.indices {
                let field = headers.fields[index]
                guard field.name == .forwarded, !field.isRemoved else { continue }
                var elements = ForwardedElements()
                while let element = elements.next(headers.value(of: field)) {
                    let new = next(element.client, after: client)
                    if new != client || element.client == nil { isSecure = element.isSecure }
                    client = new
                }
            }
        }
        origin.client = client ?? peer
        origin.isSecure = protocolClaim(headers) ?? isSecure ?? origin.isSecure
    }

    private func next(_ address: IPAddress?, after client: IPAddress?) -> IPAddress? {
        guard let address else { return nil }
        return client == nil || !isTrusted(address) ? address : client
    }

    /// What the first `X-Forwarded-Proto` says about the client's own connection.
    private func protocolClaim(_ headers: HeaderBlock) -> Bool? {
        guard let field = headers.first(.xForwardedProto) else { return nil }
        let value = headers.value(of: field)
        var end = 0
        while end < value.count, value[end] != ASCII.comma { end += 1 }
        let first = value.extracting(..<end).trimmed
        if first.equalsIgnoringCase("https") { return true }
        return first.equalsIgnoringCase("http") ? false : nil
    }

    private func removeClaims(from headers: HeaderBlock) {
        headers.remove(.forwarded)
        headers.remove(.xForwardedFor)
        headers.remove(.xForwardedProto)
        headers.remove(.xForwardedHost)
        let fields = headers.fields
        for index in fields.indices {
            let field = fields[index]
            if field.name == .other, field.nameCount > 12, isXForwarded(headers.name(of: field)) {
                headers.remove(at: index)
            }
        }
    }

    /// Whether a name begins with `X-Forwarded-`. `_` counts as `-`: gateway interfaces make both the same variable.
    private func isXForwarded(_ name: Span<UInt8>) -> Bool {
        let prefix = ("x-forwarded-" as StaticString).bytes
        for index in prefix.indices {
            let byte = name[index] == UInt8(ascii: "_") ? UInt8(ascii: "-") : ASCII.lowercased(name[index])
            if byte != prefix[index] { return false }
        }
        return true
    }

    // MARK: Writing

    private func writeXForwarded(_ head: RequestHead, _ peer: IPAddress?, _ origin: Origin) {
        let headers = head.headers
        if let peer {
            extend(.xForwardedFor, "X-Forwarded-For", of: headers) { storage, isFirst in
                // A trusted peer that speaks `Forwarded` only: the client is not lost to those who read this field.
                if isFirst, let client = origin.client, client != peer {
                    storage.append(address: client)
                    storage.append(", ")
                }
                storage.append(address: peer)
            }
        }
        if !headers.contains(.xForwardedProto) {
            headers.append(.xForwardedProto, spelled: "X-Forwarded-Proto", schemeName(origin.isSecure))
        }
        if !headers.contains(.xForwardedHost), !head.authority.isEmpty {
            headers.append(.xForwardedHost, ("X-Forwarded-Host" as StaticString).bytes) {
                $0.append(written: head.authority.range)
            }
        }
    }

    private func writeForwarded(_ head: RequestHead, _ peer: IPAddress?, _ isSecure: Bool) {
        extend(.forwarded, "Forwarded", of: head.headers) { storage, _ in
            storage.append("for=")
            if let peer {
                storage.append(peer.isV6 ? "\"[" : "")
                storage.append(address: peer)
                storage.append(peer.isV6 ? "]\"" : "")
            } else {
                storage.append("unknown")
            }
            if !head.authority.isEmpty {
                storage.append(";host=")
                storage.append(quotingUnlessToken: head.authority.range)
            }
            storage.append(";proto=")
            storage.append(schemeName(isSecure))
        }
    }

    /// Adds this client's element to those that a trusted peer sent, which describe the clients before it.
    private func writeCertificate(of identity: ClientIdentity, to headers: HeaderBlock) {
        let name = ("X-Forwarded-Client-Cert" as StaticString).bytes
        let lines = headers.fields.count
        headers.append(.other, name) { storage in
            for index in 0..<lines {
                let field = headers.fields[index]
                guard Self.isCertificate(field, of: headers), field.valueCount > 0 else { continue }
                storage.append(written: Int(field.valueStart)..<Int(field.valueStart + field.valueCount))
                storage.append(",")
            }
            let element = identity.forwardedElement
            storage.append(element.span)
        }
        for index in 0..<lines where Self.isCertificate(headers.fields[index], of: headers) {
            headers.remove(at: index)
        }
    }

    private static func isCertificate(_ field: HeaderBlock.Field, of headers: HeaderBlock) -> Bool {
        field.name == .other && !field.isRemoved
            && headers.name(of: field).equalsIgnoringCase("x-forwarded-client-cert")
    }

    @_lifetime(immortal)
    private func schemeName(_ isSecure: Bool) -> Span<UInt8> {
        isSecure ? ("https" as StaticString).bytes : ("http" as StaticString).bytes
    }

    /// Replaces all lines of a list field by one with their elements and what `write` appends.
    private func extend(
        _ name: HeaderName, _ spelling: StaticString, of headers: HeaderBlock,
        by write: (_ storage: Buffer, _ isFirst: Bool) -> Void
    ) {
        let lines = headers.fields.count
        let extends = headers.contains(name)
        headers.append(name, spelling.bytes) { storage in
            if extends {
                for index in 0..<lines {
                    let field = headers.fields[index]
                    guard field.name == name, !field.isRemoved, field.valueCount > 0 else { continue }
                    storage.append(written: Int(field.valueStart)..<Int(field.valueStart + field.valueCount))
                    storage.append(", ")
                }
            }
            write(storage, !extends)
        }
        guard extends else { return }
        for index in 0..<lines where headers.fields[index].name == name { headers.remove(at: index) }
    }

    private func writeVia(to headers: HeaderBlock, received version: HTTPVersion) {
        headers.append(.via, ("Via" as StaticString).bytes) {
            $0.append(version.name)
            $0.append(" sidecar")
        }
    }

    /// Keeps a trusted peer's identifier or writes a new one, and says where it stands.
    private func identify(_ headers: HeaderBlock, _ trusted: Bool, _ random: inout Random) -> ByteRange {
        if let field = headers.first(.xRequestID), trusted || !configuration.requestID {
            var lines = 0
            for index in headers.fields.indices where headers.fields[index].name == .xRequestID {
                if !headers.fields[index].isRemoved { lines += 1 }
            }
            if lines == 1, FieldText.isVisible(headers.value(of: field), bytesMax: Self.requestIDBytesMax) {
                return ByteRange(start: Int(field.valueStart), count: Int(field.valueCount))
            }
        }
        guard configuration.requestID else { return .empty }
        headers.remove(.xRequestID)
        // A random UUID (RFC 9562 §5.4): version 4, variant 10.
        let high = random.next() & ~0xF000 | 0x4000
        let low = random.next() & ~(3 << 62) | 1 << 63
        headers.append(.xRequestID, ("x-request-id" as StaticString).bytes) {
            $0.append(hex: high >> 32, digits: 8)
            $0.append(UInt8(ascii: "-"))
            $0.append(hex: high >> 16 & 0xFFFF, digits: 4)
            $0.append(UInt8(ascii: "-"))
            $0.append(hex: high & 0xFFFF, digits: 4)
            $0.append(UInt8(ascii: "-"))
            $0.append(hex: low >> 48, digits: 4)
            $0.append(UInt8(ascii: "-"))
            $0.append(hex: low & 0xFFFF_FFFF_FFFF, digits: 12)
        }
        // What was appended last, without its CRLF.
        return ByteRange(start: headers.storage.writerIndex - 38, count: 36)
    }
}

extension Buffer {
    /// Appends a copy of bytes that this buffer holds already. Nothing of it may have been consumed.
    fileprivate func append(written range: Range<Int>) {
        // Growing first: the span must not see the storage move.
        reserve(range.count)
        append(bytes(range))
    }

    /// The same, as a token or else a quoted string (RFC 9110 §5.6.4).
    fileprivate func append(quotingUnlessToken range: Range<Int>) {
        var isToken = true
        for index in bytes(range).indices where !ASCII.isToken(bytes(range)[index]) { isToken = false }
        if isToken { return append(written: range) }
        append(UInt8(ascii: "\""))
        for index in range {
            let byte = bytes(index..<index + 1)[0]
            if byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") { append(UInt8(ascii: "\\")) }
            append(byte)
        }
        append(UInt8(ascii: "\""))
    }
}
