/// Why the proxy itself answered, or cut, an exchange. The word is the same in `x-sidecar-reason`, the access log, the
/// metrics and the failures list, and never changes.
package enum Reason: UInt8, CaseIterable, Sendable, BitwiseCopyable {
    /// The proxy did nothing of its own: the endpoint's response was passed on whole.
    case none
    case noRoute, noHealthyEndpoint
    case connectRefused, connectTimeout, connectUnreachable, tlsFailed
    case overloaded
    case upstreamClosed, upstreamReset, upstreamProtocolError
    case responseTimeout
    case clientClosed
    case badRequest
    case draining

    package var word: StaticString {
        switch self {
        case .none: ""
        case .noRoute: "no_route"
        case .noHealthyEndpoint: "no_healthy_endpoint"
        case .connectRefused: "connect_refused"
        case .connectTimeout: "connect_timeout"
        case .connectUnreachable: "connect_unreachable"
        case .tlsFailed: "tls_failed"
        case .overloaded: "overloaded"
        case .upstreamClosed: "upstream_closed"
        case .upstreamReset: "upstream_reset"
        case .upstreamProtocolError: "upstream_protocol_error"
        case .responseTimeout: "response_timeout"
        case .clientClosed: "client_closed"
        case .badRequest: "bad_request"
        case .draining: "draining"
        }
    }

    /// The status of the proxy's own response. A bad request's kind decides its own.
    package var status: UInt16 {
        switch self {
        case .none: 200
        case .noRoute: 404
        case .badRequest: 400
        case .clientClosed: 499
        case .upstreamClosed, .upstreamReset, .upstreamProtocolError: 502
        case .noHealthyEndpoint, .connectRefused, .connectTimeout, .connectUnreachable, .tlsFailed, .overloaded,
            .draining:
            503
        case .responseTimeout: 504
        }
    }

    /// The status of the proxy's own answer to a gRPC call.
    package var grpcStatus: GRPCStatus {
        switch self {
        case .none: .ok
        case .noRoute: .unimplemented
        case .noHealthyEndpoint, .connectRefused, .connectTimeout, .connectUnreachable, .tlsFailed, .upstreamClosed,
            .upstreamReset, .draining:
            .unavailable
        case .overloaded: .resourceExhausted
        case .upstreamProtocolError, .badRequest: .internal
        case .responseTimeout: .deadlineExceeded
        case .clientClosed: .cancelled
        }
    }
}
