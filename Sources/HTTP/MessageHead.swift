import Core

/// The version a peer spoke.
package enum HTTPVersion: UInt8, Sendable, BitwiseCopyable {
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
package enum BodyFraming: Equatable, Sendable, BitwiseCopyable {
    /// No body follows, whatever the fields say.
    case none
    case length(UInt64)
    case chunked
    /// Until the connection ends; responses only.
    case untilClose

    package var isChunked: Bool {
        if case .chunked = self { return true }
        return false
    }
}

/// The form of a request target (RFC 9112 §3.2).
package enum TargetForm: UInt8, Sendable, BitwiseCopyable { case origin, absolute, authority, asterisk }

/// The head of a request, codec-neutral: what HTTP/1 and HTTP/2 both make of their bytes.
///
/// Belongs to one exchange at a time and is reused. All ranges are into `headers.storage`.
package final class RequestHead {
    package let headers = HeaderBlock()

    /// What a parser finds out, put into the head in one go.
    struct Line: BitwiseCopyable {
        var method = Method.other
        var methodName = ByteRange.empty
        var version = HTTPVersion.http11
        var targetForm = TargetForm.origin
        var target = ByteRange.empty
        var authority = ByteRange.empty
        var path = ByteRange.empty
        var query = ByteRange.empty
        var hasQuery = false
        var isSecureScheme = false
        var protocolName = ByteRange.empty
        var framing = BodyFraming.none
        var keepAlive = true
        var expectsContinue = false
        var connection: ConnectionOptions = []
    }

    let line = Cell(Line())

    package var method: Method {
        get { line.value.method }
        set { line.value.method = newValue }
    }
    package var methodName: ByteRange {
        get { line.value.methodName }
        set { line.value.methodName = newValue }
    }
    package var version: HTTPVersion {
        get { line.value.version }
        set { line.value.version = newValue }
    }
    package var targetForm: TargetForm {
        get { line.value.targetForm }
        set { line.value.targetForm = newValue }
    }
    /// The target as sent.
    package var target: ByteRange {
        get { line.value.target }
        set { line.value.target = newValue }
    }
    /// Host and port: of an absolute target, otherwise of the `Host` field. Empty when an HTTP/1.0 request has none.
    package var authority: ByteRange {
        get { line.value.authority }
        set { line.value.authority = newValue }
    }
    /// The path as sent, without the query; `/` is implied when an absolute target has none and the range is empty.
    package var path: ByteRange {
        get { line.value.path }
        set { line.value.path = newValue }
    }
    /// What follows the first `?`, without it. Empty also when there is a bare `?`.
    package var query: ByteRange {
        get { line.value.query }
        set { line.value.query = newValue }
    }
    package var hasQuery: Bool {
        get { line.value.hasQuery }
        set { line.value.hasQuery = newValue }
    }
    /// `:scheme` of an HTTP/2 request is `https`; HTTP/1 has no such field.
    package var isSecureScheme: Bool {
        get { line.value.isSecureScheme }
        set { line.value.isSecureScheme = newValue }
    }
    /// `:protocol` of an extended CONNECT (RFC 8441 §4), `websocket` for one. Empty for all other requests.
    package var protocolName: ByteRange {
        get { line.value.protocolName }
        set { line.value.protocolName = newValue }
    }
    /// A CONNECT that asks for another protocol on its stream (RFC 8441 §4), where HTTP/1 has `Upgrade`.
    package var isExtendedConnect: Bool { method == .connect && !protocolName.isEmpty }
    package var framing: BodyFraming {
        get { line.value.framing }
        set { line.value.framing = newValue }
    }
    /// Whether the connection may carry another request after this one.
    package var keepAlive: Bool {
        get { line.value.keepAlive }
        set { line.value.keepAlive = newValue }
    }
    /// `Expect: 100-continue` was sent, in HTTP/1.1 and with a body to come.
    package var expectsContinue: Bool {
        get { line.value.expectsContinue }
        set { line.value.expectsContinue = newValue }
    }
    /// What the client's `Connection` fields say.
    package var connection: ConnectionOptions {
        get { line.value.connection }
        set { line.value.connection = newValue }
    }

    package init() {}

    package func reset() {
        headers.removeAll()
        line.value = Line()
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

    /// What a parser finds out, put into the head in one go.
    struct Line: BitwiseCopyable {
        var status: UInt16 = 0
        var reason = ByteRange.empty
        var version = HTTPVersion.http11
        var framing = BodyFraming.none
        var keepAlive = true
        var keepAliveTimeoutSeconds: UInt32?
        var connection: ConnectionOptions = []
    }

    let line = Cell(Line())

    /// 100 to 999.
    package var status: UInt16 {
        get { line.value.status }
        set { line.value.status = newValue }
    }
    package var reason: ByteRange {
        get { line.value.reason }
        set { line.value.reason = newValue }
    }
    package var version: HTTPVersion {
        get { line.value.version }
        set { line.value.version = newValue }
    }
    package var framing: BodyFraming {
        get { line.value.framing }
        set { line.value.framing = newValue }
    }
    /// Whether the connection it came on may carry another request.
    package var keepAlive: Bool {
        get { line.value.keepAlive }
        set { line.value.keepAlive = newValue }
    }
    /// `Keep-Alive: timeout=N` of the server, in seconds.
    package var keepAliveTimeoutSeconds: UInt32? {
        get { line.value.keepAliveTimeoutSeconds }
        set { line.value.keepAliveTimeoutSeconds = newValue }
    }
    /// What the server's `Connection` fields say.
    package var connection: ConnectionOptions {
        get { line.value.connection }
        set { line.value.connection = newValue }
    }

    package init() {}

    package func reset() {
        headers.removeAll()
        line.value = Line()
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
