package import Core

/// A socket that the application or its callers connect to.
package struct ListenerConfiguration: Sendable {
    package enum Mode: String, CaseIterable, Sendable { case gateway }
    package enum ProtocolName: String, CaseIterable, Sendable {
        /// HTTP/1.1 or HTTP/2: with TLS what ALPN settles on, without it what the first bytes say.
        case auto, http
        /// TLS that is not decrypted: its server name chooses a service whose protocol is `tcp`.
        case tlsPassthrough = "tls_passthrough"
    }

    package var name: String
    package var address: SocketAddress
    package var mode = Mode.gateway
    package var protocolName = ProtocolName.auto
    /// The whole port goes to this service: no route needed, routes are not consulted.
    package var service: String?
    package var limits = RequestLimits()
    package var timeouts = ListenerTimeouts()
    /// Nil: clients speak without TLS, or their TLS is passed through.
    package var tls: TLSListenerConfiguration?
    /// Where the `tls` section stands, for diagnostics.
    package var tlsPosition = SourcePosition(file: "")
    package var http2 = HTTP2ListenerConfiguration()
    package var forwarded = ForwardedConfiguration()
    package var path = PathConfiguration()
    /// Most requests on one connection, then it is closed after the response.
    package var requestsMax: UInt32 = 100_000
    /// The kernel's queue of connections not yet accepted.
    package var backlog: Int32 = 4096

    package init(name: String, address: SocketAddress) {
        self.name = name
        self.address = address
    }
}

/// What a client may send; past a limit it is answered with the status named.
package struct RequestLimits: Equatable, Sendable {
    /// The request line, in bytes: 414.
    package var requestLineBytesMax = 16 * 1024
    /// The whole head, in bytes: 431.
    package var headBytesMax = 64 * 1024
    /// Header fields: 431.
    package var fieldsMax = 256
    /// The body, in bytes: 413. Nil is without limit.
    package var bodyBytesMax: UInt64?
    package init() {}
}

/// How long a listener waits for its clients.
package struct ListenerTimeouts: Equatable, Sendable {
    /// From a request's first byte (or the connection's beginning) until its head is complete: 408. Where TLS is passed through,
    /// until its first message is: the connection is closed.
    package var head: Duration = .seconds(10)
    /// A kept-alive connection without a request.
    package var keepAlive: Duration = .seconds(75)
    /// Between two bytes of a request body, and between two that the client takes of a response.
    package var idle: Duration = .seconds(60)
    package init() {}
}

/// The fields that tell endpoints where a request came from.
package struct ForwardedConfiguration: Equatable, Sendable {
    /// Peers whose own forwarding fields are believed and extended; those of others are replaced.
    package var trustedProxies: [NetworkPrefix] = []
    /// Write `X-Forwarded-For`, `-Proto` and `-Host`.
    package var xForwarded = true
    /// Write `Forwarded` (RFC 7239).
    package var forwarded = false
    /// Write `Via` (RFC 9110 §7.6.3) into requests and responses.
    package var via = true
    /// Write `x-request-id` when the request has none, or one from a peer that is not trusted.
    package var requestID = true
    /// Write `X-Forwarded-Client-Cert` for clients whose certificate was verified.
    package var clientCertificate = false
    package init() {}
}

/// Which path forms that an endpoint could read differently are let through, instead of 400.
package struct PathConfiguration: Equatable, Sendable {
    /// `%2F` and `%5C`: they are not decoded for matching.
    package var allowEncodedSlash = false
    /// A literal `\`.
    package var allowBackslash = false
    /// `//`, kept as sent and matched as one slash. On by default, as nginx has it.
    package var mergeSlashes = true
    package init() {}
}
