import Core

/// What is spoken inside TLS, as both ends agreed by ALPN (RFC 7301).
package enum TLSApplicationProtocol: Equatable, Sendable {
    case http11
    case http2

    /// The identifier as it is sent: its length, then its bytes.
    var wire: [UInt8] {
        switch self {
        case .http11: [8] + Array("http/1.1".utf8)
        case .http2: [2] + Array("h2".utf8)
        }
    }

    /// By the identifier's bytes.
    init?(_ identifier: Span<UInt8>) {
        if identifier.equals("h2") {
            self = .http2
        } else if identifier.equals("http/1.1") {
            self = .http11
        } else {
            return nil
        }
    }
}
