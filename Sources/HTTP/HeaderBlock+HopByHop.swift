import Core

extension HeaderBlock {
    /// Removes what is meant for this hop only (RFC 9110 §7.6.1): `Connection` and the fields it names, and those that
    /// are hop-by-hop by definition. `Trailer` stays, for trailers are passed on; so does `trailers` in `TE`.
    ///
    /// A sender cannot have fields of end-to-end importance stripped by naming them in `Connection`: see `maySuppress`.
    /// `keepingUpgrade`: `Upgrade` and its settings stay, because the exchange is being upgraded end to end.
    package func removeHopByHop(keepingUpgrade: Bool = false) {
        guard mayContain(anyOf: HeaderName.hopByHop) else { return }
        let fields = self.fields
        var index = 0
        while index < fields.endIndex {
            let field = fields[index]
            defer { index &+= 1 }
            guard HeaderName.hopByHop & HeaderName.bit(field.name) != 0, !field.isRemoved else { continue }
            switch field.name {
            case .te: continue
            case .upgrade, .http2Settings: if keepingUpgrade { continue }
            case .connection: removeNamed(by: field)
            default: break
            }
            remove(at: index)
        }
        if mayContain(.te) { reduceTE() }
    }

    /// Removes the fields that a `Connection` field names.
    private func removeNamed(by field: Field) {
        let value = value(of: field)
        guard ConnectionOptions.option(value) == .other else { return }
        var members = ListMembers()
        while let range = members.next(in: value) {
            let member = value.extracting(range)
            guard ConnectionOptions.option(member) == .other, Self.maySuppress(member) else { continue }
            remove(named: member)
        }
    }

    /// Whether a sender may make a field vanish by naming it. Not those the proxy itself knows, which are hop-by-hop
    /// anyway or have a meaning past it, and not those that say where a request came from or what its content is.
    private static func maySuppress(_ name: Span<UInt8>) -> Bool {
        guard HeaderName(name) == .other else { return false }
        if name.count >= 12, name.extracting(first: 12).equalsIgnoringCase("x-forwarded-") { return false }
        if name.count >= 8, name.extracting(first: 8).equalsIgnoringCase("content-") { return false }
        return !name.equalsIgnoringCase("x-real-ip") && !name.equalsIgnoringCase("cache-control")
            && !name.equalsIgnoringCase("www-authenticate") && !name.equalsIgnoringCase("traceparent")
            && !name.equalsIgnoringCase("tracestate") && !name.equalsIgnoringCase("origin")
    }

    /// Leaves `trailers` of the `TE` fields, if they have it: the only member that concerns more than this hop's
    /// codings.
    private func reduceTE() {
        var acceptsTrailers = false
        for index in fields.indices {
            let field = fields[index]
            guard field.name == .te, !field.isRemoved else { continue }
            let value = value(of: field)
            // The common case stays as sent.
            if value.equalsIgnoringCase("trailers"), !acceptsTrailers {
                acceptsTrailers = true
                continue
            }
            remove(at: index)
            var members = ListMembers()
            var hasTrailers = false
            while let range = members.next(in: value) {
                if value.extracting(range).equalsIgnoringCase("trailers") { hasTrailers = true }
            }
            if hasTrailers, !acceptsTrailers {
                acceptsTrailers = true
                append(.te, spelled: "TE", ("trailers" as StaticString).bytes)
            }
        }
    }
}

extension HeaderName {
    /// The fields that `removeHopByHop` may have to touch, a bit for each.
    fileprivate static var hopByHop: UInt64 {
        bit(.connection) | bit(.keepAlive) | bit(.proxyConnection) | bit(.transferEncoding) | bit(.proxyAuthenticate)
            | bit(.proxyAuthorization) | bit(.upgrade) | bit(.http2Settings) | bit(.te)
    }

    @inline(__always)
    fileprivate static func bit(_ name: HeaderName) -> UInt64 { 1 &<< UInt64(name.rawValue) }
}
