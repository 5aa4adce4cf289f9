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

    /// The name in lower case, empty for `other`.
    @inline(__always)
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

    /// Recognises a name in any case.
    @inline(__always)
    package init(_ name: Span<UInt8>) { self.init(in: name, from: 0, count: name.count) }

    /// Recognises the `count` bytes of `text` from `start` on, in any case. The length picks the few candidates, and one
    /// comparison of eight bytes rules most of them out.
    init(in text: Span<UInt8>, from start: Int, count: Int) {
        let beginning = ASCIIWord(text.word(at: start, count: count)).lowercased

        @inline(__always)
        func matches(_ candidate: HeaderName) -> Bool {
            let name = candidate.lowercased
            guard beginning == name.word(at: 0) else { return false }
            if name.utf8CodeUnitCount > 8 {
                guard ASCIIWord(text.word(at: start &+ 8, count: count &- 8)).lowercased == name.word(at: 8) else {
                    return false
                }
            }
            if name.utf8CodeUnitCount > 16 {
                return ASCIIWord(text.word(at: start &+ 16, count: count &- 16)).lowercased == name.word(at: 16)
            }
            return true
        }

        @inline(__always)
        func match(_ first: HeaderName) -> HeaderName { matches(first) ? first : .other }

        @inline(__always)
        func match(_ first: HeaderName, _ second: HeaderName) -> HeaderName { matches(first) ? first : match(second) }

        @inline(__always)
        func match(_ first: HeaderName, _ second: HeaderName, _ third: HeaderName) -> HeaderName {
            matches(first) ? first : match(second, third)
        }

        switch count {
        case 2: self = match(.te)
        case 3: self = match(.via)
        case 4: self = match(.host, .date)
        case 6: self = match(.cookie, .server, .expect)
        case 7: self = match(.upgrade, .referer, .trailer)
        case 8: self = match(.location)
        case 9: self = match(.forwarded)
        case 10: self = matches(.connection) ? .connection : match(.userAgent, .keepAlive, .setCookie)
        case 11: self = match(.retryAfter)
        case 12: self = match(.contentType, .xRequestID)
        case 13: self = match(.authorization)
        case 14: self = match(.contentLength, .http2Settings)
        case 15: self = match(.xForwardedFor)
        case 16: self = match(.xForwardedHost, .proxyConnection, .sidecarReason)
        case 17: self = match(.transferEncoding, .xForwardedProto)
        case 18: self = match(.proxyAuthenticate)
        case 19: self = match(.proxyAuthorization)
        default: self = .other
        }
    }
}
