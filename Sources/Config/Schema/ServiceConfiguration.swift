package import Core

/// What requests are sent to: a name for a set of endpoints and how to treat them.
package struct ServiceConfiguration: Sendable {
    package enum ProtocolName: String, CaseIterable, Sendable {
        /// HTTP/1.1.
        case http
        /// HTTP/2; without TLS the client begins with it, unasked (RFC 9113 §3.3).
        case http2
        /// The same, for gRPC.
        case grpc
        /// Bytes: what listeners with `tls_passthrough` send.
        case tcp
    }
    package enum Balance: String, CaseIterable, Sendable { case roundRobin = "round_robin" }

    package var name: String
    package var protocolName = ProtocolName.http
    package var endpoints: [EndpointConfiguration]
    package var balance = Balance.roundRobin
    package var timeouts = ServiceTimeouts()
    package var pool = PoolConfiguration()
    /// Nil: endpoints are spoken to without TLS.
    package var tls: TLSServiceConfiguration?
    /// Where the `tls` section stands, for diagnostics.
    package var tlsPosition = SourcePosition(file: "")
    /// For the protocols `http2` and `grpc`.
    package var http2 = HTTP2ServiceConfiguration()
    /// The response head, in bytes: 502 past it.
    package var responseHeadBytesMax = 64 * 1024
    /// Header fields of a response: 502 past it.
    package var responseFieldsMax = 256
    /// Where its definition stands, `file:line`, for diagnostics.
    package var source = ""

    package init(name: String, endpoints: [EndpointConfiguration]) {
        self.name = name
        self.endpoints = endpoints
    }
}

/// One place that a service's requests may go to.
package struct EndpointConfiguration: Hashable, Sendable {
    package enum Target: Hashable, Sendable {
        case address(SocketAddress)
        /// A name to resolve, and the port.
        case host(String, port: UInt16)
    }

    /// The given name, or the address as written.
    package var name: String
    package var target: Target
    /// 1 to 1000.
    package var weight: UInt32 = 1

    package init(name: String, target: Target, weight: UInt32 = 1) {
        self.name = name
        self.target = target
        self.weight = weight
    }
}

/// How long the proxy waits for a service's endpoints.
package struct ServiceTimeouts: Equatable, Sendable {
    package var connect: Duration = .seconds(1)
    /// From the request sent until the response head: 504.
    package var response: Duration = .seconds(60)
    /// Between two bytes of a response body, and between two that the endpoint takes of a request.
    package var idle: Duration = .seconds(60)
    package init() {}
}

/// The kept-alive connections to each endpoint. All counts are per worker and endpoint.
package struct PoolConfiguration: Equatable, Sendable {
    /// Idle connections kept.
    package var idleMax = 256
    /// Connections in all; a request beyond is answered 503 `overloaded`.
    package var connectionsMax = 4096
    /// How long one may idle; the server's `Keep-Alive: timeout` shortens it.
    package var idleTimeout: Duration = .seconds(4)
    /// Requests on one connection before it is closed.
    package var requestsMax: UInt32 = 1_000_000
    /// How old one may become before it is closed. Nil is without limit.
    package var ageMax: Duration?
    package init() {}
}
