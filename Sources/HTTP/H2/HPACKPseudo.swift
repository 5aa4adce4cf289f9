import Core

/// The pseudo fields of HTTP/2 (RFC 9113 §8.3, RFC 8441 §4).
package enum HPACKPseudo: UInt8, CaseIterable, Sendable, BitwiseCopyable {
    /// An ordinary field.
    case none
    case method, scheme, authority, path, status
    case `protocol`
    /// Any other name that begins with a colon.
    case unknown

    /// The name with its colon, empty for `none` and `unknown`.
    package var name: StaticString {
        switch self {
        case .none, .unknown: ""
        case .method: ":method"
        case .scheme: ":scheme"
        case .authority: ":authority"
        case .path: ":path"
        case .status: ":status"
        case .protocol: ":protocol"
        }
    }

    /// Recognises a name; only lower case is a pseudo field's.
    package init(_ name: Span<UInt8>) {
        guard name.count > 0, name[0] == ASCII.colon else {
            self = .none
            return
        }
        self = .unknown
        for known in Self.allCases where known.name.utf8CodeUnitCount == name.count && name.equals(known.name) {
            self = known
        }
    }
}
