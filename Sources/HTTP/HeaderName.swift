import Core

/// The field names the proxy itself must recognise; every other name is `other` and only passes through.
///
/// Fewer than 64, so that a block can say in one word which of them it holds.
package enum HeaderName: UInt8, CaseIterable, Sendable, BitwiseCopyable {
    case other
    case host, contentLength, transferEncoding, connection, keepAlive, proxyConnection, upgrade, te, trailer, expect
    case via, forwarded, xForwardedFor, xForwardedProto, xForwardedHost, xRequestID
    case cookie, setCookie, authorization, proxyAuthorization, proxyAuthenticate
    case contentType, date, server, userAgent, referer, location, retryAfter, http2Settings
    case sidecarReason
    case grpcStatus, grpcTimeout

    /// The name in lower case, empty for `other`.
    package var lowercased: StaticString {
        switch self {
        case .other: ""
        case .host: "host"
        case .contentLength: "content-length"
        case .transferEncoding: "transfer-encoding"
        case .connection: "connection"
        case .keepAlive: "keep-alive"
        case .proxyConnection: "proxy-connection"
        case .upgrade: "upgrade"
        case .te: "te"
        case .trailer: "trailer"
        case .expect: "expect"
        case .via: "via"
        case .forwarded: "forwarded"
        case .xForwardedFor: "x-forwarded-for"
        case .xForwardedProto: "x-forwarded-proto"
        case .xForwardedHost: "x-forwarded-host"
        case .xRequestID: "x-request-id"
        case .cookie: "cookie"
        case .setCookie: "set-cookie"
        case .authorization: "authorization"
        case .proxyAuthorization: "proxy-authorization"
        case .proxyAuthenticate: "proxy-authenticate"
        case .contentType: "content-type"
        case .date: "date"
        case .server: "server"
        case .userAgent: "user-agent"
        case .referer: "referer"
        case .location: "location"
        case .retryAfter: "retry-after"
        case .http2Settings: "http2-settings"
        case .sidecarReason: "x-sidecar-reason"
        case .grpcStatus: "grpc-status"
        case .grpcTimeout: "grpc-timeout"
        }
    }

    /// Recognises a name in any case.
    @inline(__always)
    package init(_ name: Span<UInt8>) { self.init(in: name, from: 0, count: name.count) }

    /// Recognises the `count` bytes of `text` from `start` on, in any case.
    @inline(__always)
    init(in text: Span<UInt8>, from start: Int, count: Int) {
        self = HeaderNameTable.shared.find(in: text, from: start, count: count)
    }
}
