import Core

/// The version a peer spoke.
package enum HTTPVersion: UInt8, Sendable {
    case http10, http11, http2

    /// As access logs and `Via` write it.
    package var name: StaticString {
        switch self {
        case .http10: "1.0"
        case .http11: "1.1"
        case .http2: "2"
        }
    }
}

/// How a message's body is delimited, decided once from its head (RFC 9112 §6.3).
package enum BodyFraming: Equatable, Sendable {
    /// No body follows, whatever the fields say.
    case none
    case length(UInt64)
    case chunked
    /// Until the connection ends; responses only.
    case untilClose
}

/// The form of a request target (RFC 9112 §3.2).
package enum TargetForm: UInt8, Sendable { case origin, absolute, authority, asterisk }

/// The head of a request, codec-neutral: what HTTP/1 and HTTP/2 both make of their bytes.
///
/// Belongs to one exchange at a time and is reused. All ranges are into `headers.storage`.
package final class RequestHead {
    package let headers = HeaderBlock()
    package var method = Method.other
    package var methodName = ByteRange.empty
    package var version = HTTPVersion.http11
    package var targetForm = TargetForm.origin
    /// The target as sent.
    package var target = ByteRange.empty
    /// Host and port: of an absolute target, otherwise of the `Host` field. Empty when an HTTP/1.0 request has none.
    package var authority = ByteRange.empty
    /// The path as sent, without the query; `/` is implied when an absolute target has none and the range is empty.
    package var path = ByteRange.empty
    /// What follows the first `?`, without it. Empty also when there is a bare `?`.
    package var query = ByteRange.empty
    package var hasQuery = false
    package var framing = BodyFraming.none
    /// Whether the connection may carry another request after this one.
    package var keepAlive = true
    /// `Expect: 100-continue` was sent, in HTTP/1.1 and with a body to come.
    package var expectsContinue = false
    /// What the client's `Connection` fields say.
    package var connection: ConnectionOptions = []

    package init() {}

    package func reset() {
        headers.removeAll()
        method = .other
        methodName = .empty
        version = .http11
        targetForm = .origin
        target = .empty
        authority = .empty
        path = .empty
        query = .empty
        hasQuery = false
        framing = .none
        keepAlive = true
        expectsContinue = false
        connection = []
    }

    @inline(__always)
    @_lifetime(borrow self)
    package func bytes(_ range: ByteRange) -> Span<UInt8> {
        let headers = self.headers
        // SAFETY: the block is a constant of this head, so it lives as long as the borrow.
        return unsafe _overrideLifetime(headers.bytes(range), borrowing: self)
    }
}

/// The head of a response, final or informational. Ranges are into `headers.storage`; reused like `RequestHead`.
package final class ResponseHead {
    package let headers = HeaderBlock()
    /// 100 to 999.
    package var status: UInt16 = 0
    package var reason = ByteRange.empty
    package var version = HTTPVersion.http11
    package var framing = BodyFraming.none
    /// Whether the connection it came on may carry another request.
    package var keepAlive = true
    /// `Keep-Alive: timeout=N` of the server, in seconds.
    package var keepAliveTimeoutSeconds: UInt32?
    /// What the server's `Connection` fields say.
    package var connection: ConnectionOptions = []

    package init() {}

    package func reset() {
        headers.removeAll()
        status = 0
        reason = .empty
        version = .http11
        framing = .none
        keepAlive = true
        keepAliveTimeoutSeconds = nil
        connection = []
    }

    /// 100 to 199: another response follows, except after 101.
    package var isInformational: Bool { status < 200 }
    /// 101: what follows on this connection is no longer HTTP/1.
    package var isSwitchingProtocols: Bool { status == 101 }

    @inline(__always)
    @_lifetime(borrow self)
    package func bytes(_ range: ByteRange) -> Span<UInt8> {
        let headers = self.headers
        // SAFETY: the block is a constant of this head, so it lives as long as the borrow.
        return unsafe _overrideLifetime(headers.bytes(range), borrowing: self)
    }
}
