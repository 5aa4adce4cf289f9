import Core

/// Which fields the encoder puts into the dynamic table.
///
/// An entry pays if it is used again before it is evicted. For a few names that is certain; for some it never happens;
/// of the others a value is worth an entry when it comes for the second time, so identifiers and the like stay outside
/// whatever their names are.
enum HPACKIndexing: UInt8, BitwiseCopyable, Sendable {
    /// At the first sight.
    case atOnce
    /// At the second sight.
    case whenRepeated
    /// Sent as it is, and looked for nowhere: the value changes with each message, or is too long.
    case never
    /// Sent so that nobody on the way indexes it either (RFC 7541 §7.1.3), whatever it costs: credentials.
    case neverByAnyone

    /// A longer value is never indexed: it would evict a dozen others.
    static let valueBytesMax = 256
    /// A longer path is likely to hold an identifier.
    static let pathBytesMax = 64

    /// For an ordinary field. `staticIndex` is its name's in the static table, or 0.
    @inline(__always)
    init(_ name: HeaderName, staticIndex: Int, value: Span<UInt8>) {
        switch name {
        case .authorization, .proxyAuthorization, .cookie, .setCookie: self = .neverByAnyone
        case .contentLength, .location, .xRequestID: self = .never
        case .contentType, .server, .te, .via, .xForwardedProto: self = .atOnce
        case .other:
            switch staticIndex {
            // age, content-location, content-range, etag, expires
            case 21, 29, 30, 34, 36: self = .never
            // the conditions: if-match, if-modified-since, if-none-match, if-range, if-unmodified-since
            case 39...43: self = .never
            // last-modified, range
            case 44, 50: self = .never
            // accept-charset, accept-encoding, accept-language, accept-ranges, accept, access-control-allow-origin,
            // allow
            case 15...20, 22: self = .atOnce
            // cache-control, content-encoding, content-language, strict-transport-security, vary
            case 24, 26, 27, 56, 59: self = .atOnce
            default: self = .whenRepeated
            }
        default: self = .whenRepeated
        }
        if self != .neverByAnyone, value.count > Self.valueBytesMax { self = .never }
    }

    /// For a pseudo field.
    @inline(__always)
    init(_ pseudo: HPACKPseudo, value: Span<UInt8>) {
        if pseudo == .path {
            let isPlain =
                value.count <= Self.pathBytesMax && value.firstIndex(of: ASCII.questionMark, from: 0) == value.count
            self = isPlain ? .whenRepeated : .never
        } else {
            self = value.count <= Self.valueBytesMax ? .atOnce : .never
        }
    }
}
