import Core

/// The field names the proxy itself must recognise; every other name is `other` and only passes through.
///
/// Fewer than 64, so that a block can say in one word which of them it holds.
package enum HeaderName: UInt8, CaseIterable, Sendable {
    case other
    case host, contentLength, transferEncoding, connection, keepAlive, proxyConnection, upgrade, te, trailer, expect
    case via, forwarded, xForwardedFor, xForwardedProto, xForwardedHost, xRequestID
    case cookie, setCookie, authorization, proxyAuthorization, proxyAuthenticate
    case contentType, date, server, userAgent, referer, location, retryAfter, http2Settings
    case sidecarReason

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
        }
    }

    /// Recognises a name in any case. The length picks the few candidates; most names fail on it alone.
    @inline(__always)
    package init(_ name: Span<UInt8>) {
        func matches(_ candidate: HeaderName) -> Bool { name.equalsIgnoringCase(candidate.lowercased) }
        switch name.count {
        case 2: self = matches(.te) ? .te : .other
        case 3: self = matches(.via) ? .via : .other
        case 4: self = matches(.host) ? .host : matches(.date) ? .date : .other
        case 6: self = matches(.cookie) ? .cookie : matches(.expect) ? .expect : matches(.server) ? .server : .other
        case 7: self = matches(.upgrade) ? .upgrade : matches(.trailer) ? .trailer : matches(.referer) ? .referer : .other
        case 8: self = matches(.location) ? .location : .other
        case 9: self = matches(.forwarded) ? .forwarded : .other
        case 10:
            self =
                matches(.connection) ? .connection
                : matches(.keepAlive) ? .keepAlive
                : matches(.userAgent) ? .userAgent : matches(.setCookie) ? .setCookie : .other
        case 11: self = matches(.retryAfter) ? .retryAfter : .other
        case 12: self = matches(.contentType) ? .contentType : matches(.xRequestID) ? .xRequestID : .other
        case 13: self = matches(.authorization) ? .authorization : .other
        case 14: self = matches(.contentLength) ? .contentLength : matches(.http2Settings) ? .http2Settings : .other
        case 15: self = matches(.xForwardedFor) ? .xForwardedFor : .other
        case 16:
            self =
                matches(.xForwardedHost) ? .xForwardedHost
                : matches(.proxyConnection) ? .proxyConnection
                : matches(.sidecarReason) ? .sidecarReason : .other
        case 17:
            self =
                matches(.transferEncoding) ? .transferEncoding
                : matches(.xForwardedProto) ? .xForwardedProto : .other
        case 18: self = matches(.proxyAuthenticate) ? .proxyAuthenticate : .other
        case 19: self = matches(.proxyAuthorization) ? .proxyAuthorization : .other
        default: self = .other
        }
    }
}
