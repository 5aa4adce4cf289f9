import Core

/// What the fields of one decoded header block say, gathered while they are decoded; malformed ones are refused
/// (RFC 9113 §8.2, §8.3).
///
/// A plain value on the mapping's stack. As strict as `H1FieldSection`: what it lets through may be written as HTTP/1
/// and read again by somebody else.
struct H2FieldSection {
    enum Kind { case request, response, trailers }

    let kind: Kind
    let limits: H2Limits
    private var seen: UInt8 = 0
    private var hasRegular = false
    private var bytes = 0
    private var count = 0

    private(set) var method = ByteRange.empty
    private(set) var path = ByteRange.empty
    private(set) var authority = ByteRange.empty
    private(set) var protocolName = ByteRange.empty
    private(set) var status: UInt16 = 0
    private(set) var isSecure = false
    /// At most 2^63 - 1.
    private(set) var contentLength: UInt64?
    private(set) var expectsContinue = false
    private(set) var cookies = 0

    init(_ kind: Kind, limits: H2Limits) {
        self.kind = kind
        self.limits = limits
    }

    @inline(__always)
    func has(_ pseudo: HPACKPseudo) -> Bool { seen & Self.bit(pseudo) != 0 }

    @inline(__always)
    private static func bit(_ pseudo: HPACKPseudo) -> UInt8 { 1 &<< pseudo.rawValue }

    /// Takes the next field, whose line stands in the storage of `block`, and records it there if it belongs there.
    @inline(__always)
    mutating func take(_ field: HPACKField, into block: HeaderBlock) throws(HTTPError) {
        bytes &+= field.size
        count &+= 1
        guard bytes <= limits.headBytesMax else { throw kind == .trailers ? .trailersTooLarge : .headTooLarge }
        guard count <= limits.fieldsMax else { throw kind == .trailers ? .trailersTooLarge : .tooManyFields }
        let storage = block.storage
        let value = storage.bytes(field.valueStart..<field.valueStart &+ field.valueCount)
        try Self.check(value)
        guard field.pseudo == .none else { return try takePseudo(field, value, block) }
        hasRegular = true
        try Self.checkName(storage.bytes(field.nameStart..<field.nameStart &+ field.nameCount))
        if Self.concerns(field.name), try !note(field, value, block) { return }
        if kind == .trailers, !field.name.mayTrail { return }
        block.record(
            field.name, nameStart: field.nameStart, nameCount: field.nameCount, valueStart: field.valueStart,
            valueCount: field.valueCount, lineEnd: field.lineEnd, isNeverIndexed: field.isNeverIndexed)
    }

    // MARK: Bytes (§8.2.1)

    /// No control byte but a tab, no whitespace around it.
    @inline(__always)
    private static func check(_ value: Span<UInt8>) throws(HTTPError) {
        guard !value.isEmpty else { return }
        let stop = value.firstControl(from: 0)
        guard stop == value.count else {
            throw value[stop] == ASCII.carriageReturn ? .bareCarriageReturn : H1FieldLine.valueError(value[stop])
        }
        guard !isBlank(value[0]), !isBlank(value[value.count &- 1]) else { throw .malformedFieldValue }
    }

    @inline(__always)
    private static func isBlank(_ byte: UInt8) -> Bool { byte == ASCII.space || byte == ASCII.tab }

    /// A token without upper-case letters.
    @inline(__always)
    private static func checkName(_ name: Span<UInt8>) throws(HTTPError) {
        guard !name.isEmpty else { throw .malformedFieldName }
        var index = 0
        while true {
            index = name.firstIndex(from: index) { $0.notOrdinary | $0.within(0x41, 0x5A) }
            guard index < name.count else { return }
            let byte = name[index]
            guard ASCII.isToken(byte) else { throw byte == 0 ? .nulByte : .malformedFieldName }
            guard ASCII.lowercased(byte) == byte else { throw .uppercaseFieldName }
            index &+= 1
        }
    }

    // MARK: Pseudo fields (§8.3)

    private mutating func takePseudo(
        _ field: HPACKField, _ value: Span<UInt8>, _ block: HeaderBlock
    ) throws(HTTPError) {
        // Each at most once, and before all others.
        guard !hasRegular, field.pseudo != .unknown, !has(field.pseudo) else { throw .malformedPseudoField }
        seen |= Self.bit(field.pseudo)
        let range = ByteRange(start: field.valueStart, count: field.valueCount)
        switch (field.pseudo, kind) {
        case (.method, .request):
            guard !value.isEmpty, value.firstNotToken(from: 0) == value.count else { throw .malformedMethod }
            method = range
        case (.scheme, .request):
            isSecure = value.equalsIgnoringCase("https")
            guard isSecure || value.equalsIgnoringCase("http") else { throw .unsupportedScheme }
        case (.path, .request):
            guard !value.isEmpty else { throw .malformedTarget }
            guard value.count <= limits.targetBytesMax else { throw .targetTooLong }
            path = range
        case (.authority, .request):
            guard Authority.isValid(value, demanding: .host) else { throw .malformedHost }
            authority = block.recordHost(range)
        case (.protocol, .request):
            guard limits.allowsExtendedConnect, !value.isEmpty, value.firstNotToken(from: 0) == value.count else {
                throw .malformedPseudoField
            }
            protocolName = range
        case (.status, .response):
            guard value.count == 3, let first = ASCII.digit(value[0]), let second = ASCII.digit(value[1]),
                let third = ASCII.digit(value[2]), first > 0
            else { throw .malformedStatus }
            status = UInt16(first) * 100 + UInt16(second) * 10 + UInt16(third)
            // An upgrade has no place in HTTP/2 (§8.6).
            guard status != 101 else { throw .malformedStatus }
        default: throw .malformedPseudoField
        }
    }

    // MARK: Fields with a meaning

    /// Whether a field of this name says anything about the message's framing, or must not be there.
    @inline(__always)
    private static func concerns(_ name: HeaderName) -> Bool {
        switch name {
        case .host, .connection, .contentLength, .transferEncoding, .expect, .keepAlive, .proxyConnection, .upgrade,
            .te, .cookie:
            true
        default: false
        }
    }

    /// Returns whether the field's line is to be recorded.
    private mutating func note(
        _ field: HPACKField, _ value: Span<UInt8>, _ block: HeaderBlock
    ) throws(HTTPError) -> Bool {
        switch field.name {
        case .connection, .keepAlive, .proxyConnection, .transferEncoding, .upgrade: throw .connectionSpecificField
        case .te: guard value.equalsIgnoringCase("trailers") else { throw .connectionSpecificField }
        case .contentLength where kind != .trailers:
            guard contentLength == nil else { throw .conflictingContentLength }
            contentLength = try H1FieldSection.contentLength(value)
        case .host where kind == .request: return try noteHost(field, value, block)
        case .expect where kind == .request:
            guard value.equalsIgnoringCase("100-continue") else { throw .unsupportedExpectation }
            expectsContinue = true
        case .cookie where kind == .request: cookies &+= 1
        default: break
        }
        return true
    }

    /// `Host` beside `:authority` must say the same (§8.3.1) and is left out then, for its line is there already.
    private mutating func noteHost(
        _ field: HPACKField, _ value: Span<UInt8>, _ block: HeaderBlock
    ) throws(HTTPError) -> Bool {
        guard Authority.isValid(value, demanding: .host) else { throw .malformedHost }
        if has(.authority) {
            let stated = block.bytes(authority)
            let scheme = isSecure
            guard Self.withoutDefaultPort(stated, scheme).equalsIgnoringCase(Self.withoutDefaultPort(value, scheme))
            else { throw .conflictingAuthority }
            return false
        }
        guard authority.isEmpty else { throw .repeatedHost }
        authority = ByteRange(start: field.valueStart, count: field.valueCount)
        return true
    }

    @_lifetime(copy authority)
    private static func withoutDefaultPort(_ authority: Span<UInt8>, _ isSecure: Bool) -> Span<UInt8> {
        let host = Authority.host(of: authority).upperBound
        let port = authority.extracting(host..<authority.count)
        let isDefault = port.isEmpty || port.equals(":") || port.equals(isSecure ? ":443" : ":80")
        return isDefault ? authority.extracting(0..<host) : authority
    }
}
