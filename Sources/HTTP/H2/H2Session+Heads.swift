import Core

/// Queuing heads and trailers: from lines to fields (RFC 9113 §8.2, §8.3, §8.5).
extension H2Session {
    /// Queues a request's head, its target as received; see `queueRequest(_:_:target:isSecure:ends:)`.
    package func queueRequest(_ slot: Slot, _ head: RequestHead, isSecure: Bool, ends: Bool) {
        queueRequest(slot, head, target: Span(), isSecure: isSecure, ends: ends)
    }

    /// Client: numbers the stream and queues its request. The head may have come by any version. `target`: the path and
    /// query to ask for, empty for those received. `isSecure`: the connection is encrypted, which `:scheme` says.
    ///
    /// `:authority` is what `Host` says unless the target was absolute. What concerns one HTTP/1 connection stays behind.
    /// Does nothing when the stream was refused meanwhile.
    package func queueRequest(_ slot: Slot, _ head: RequestHead, target: Span<UInt8>, isSecure: Bool, ends: Bool) {
        precondition(role == .client)
        guard streams[slot].maySend, state.value.failure == nil else { return }
        number(slot)
        let output = self.output
        let encoder = self.encoder
        let offset = beginBlock()
        encoder.append(.method, head.bytes(head.methodName), into: output)
        let isTunnel = head.method == .connect && !head.isExtendedConnect
        if !isTunnel {
            encoder.append(.scheme, (isSecure ? "https" : "http" as StaticString).bytes, into: output)
        }
        appendAuthority(of: head, isTunnel: isTunnel)
        if !isTunnel {
            if target.isEmpty { appendPath(of: head) } else { encoder.append(.path, target, into: output) }
        }
        if head.isExtendedConnect { encoder.append(.protocol, head.bytes(head.protocolName), into: output) }
        appendFields(head.headers, leavingOutLength: false)
        endBlock(slot, from: offset, ends: ends)
    }

    private func appendAuthority(of head: RequestHead, isTunnel: Bool) {
        let headers = head.headers
        if isTunnel {
            encoder.append(.authority, head.bytes(head.target), into: output)
        } else if head.targetForm != .absolute, let host = headers.first(.host) {
            // An empty `Host` says that there is no authority, and so does none here (§8.3.1).
            if host.valueCount > 0 { encoder.append(.authority, headers.value(of: host), into: output) }
        } else if !head.authority.isEmpty {
            encoder.append(.authority, head.bytes(head.authority), into: output)
        }
    }

    /// The target as received; of an absolute one what follows the authority.
    private func appendPath(of head: RequestHead) {
        guard head.targetForm == .absolute else { return encoder.append(.path, head.bytes(head.target), into: output) }
        let start = Int(head.path.start)
        let rest = head.bytes(ByteRange(start: start, count: head.target.range.upperBound - start))
        guard head.path.isEmpty else { return encoder.append(.path, rest, into: output) }
        if rest.isEmpty {
            let path: StaticString = head.method == .options ? "*" : "/"
            return encoder.append(.path, path.bytes, into: output)
        }
        // A query without a path: rare enough for a buffer of its own.
        let path = Buffer(capacity: rest.count + 1)
        path.append(ASCII.slash)
        path.append(rest)
        encoder.append(.path, path.readable, into: output)
    }

    /// Queues a response's head; informational ones too, which never end the stream. Does nothing on a stream that was
    /// reset.
    package func queueResponse(_ slot: Slot, _ head: ResponseHead, ends: Bool) {
        guard streams[slot].maySend, state.value.failure == nil else { return }
        let offset = beginBlock()
        encoder.append(status: head.status, into: output)
        // A length in a response that has no body and cannot have one would only mislead.
        appendFields(head.headers, leavingOutLength: head.status < 200 || head.status == 204)
        endBlock(slot, from: offset, ends: ends)
    }

    /// Queues trailers, which end the stream; without any line it ends by an empty DATA frame.
    package func queueTrailers(_ slot: Slot, _ fields: HeaderBlock) {
        guard streams[slot].maySend, state.value.failure == nil else { return }
        guard fields.fields.contains(where: { !$0.isRemoved }) else {
            _ = queueData(slot, Span(), ends: true)
            return
        }
        let offset = beginBlock()
        appendFields(fields, leavingOutLength: true)
        endBlock(slot, from: offset, ends: true)
    }

    /// The lines that are not removed and mean something in HTTP/2 (§8.2.2).
    @inline(__always)
    private func appendFields(_ headers: HeaderBlock, leavingOutLength: Bool) {
        let output = self.output
        let encoder = self.encoder
        let fields = headers.fields
        var namesTrailers = false
        var index = 0
        while index < fields.endIndex {
            let field = fields[index]
            index &+= 1
            if field.isRemoved { continue }
            switch field.name {
            case .host, .connection, .keepAlive, .proxyConnection, .transferEncoding, .upgrade, .http2Settings: continue
            case .contentLength where leavingOutLength: continue
            case .te:
                if !namesTrailers, Self.acceptsTrailers(headers.value(of: field)) {
                    namesTrailers = true
                    encoder.append(
                        .te, name: headers.name(of: field), value: ("trailers" as StaticString).bytes, into: output)
                }
            default:
                encoder.append(
                    field.name, name: headers.name(of: field), value: headers.value(of: field),
                    isNeverIndexed: field.isNeverIndexed, into: output)
            }
        }
    }

    /// Whether a `TE` field has the member `trailers`, the only one that HTTP/2 knows.
    private static func acceptsTrailers(_ value: Span<UInt8>) -> Bool {
        var members = ListMembers()
        while let range = members.next(in: value) {
            if value.extracting(range).equalsIgnoringCase("trailers") { return true }
        }
        return false
    }
}
