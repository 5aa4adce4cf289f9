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

        self = .other
        switch count {
        case 2: if matches(.te) { self = .te }
        case 3: if matches(.via) { self = .via }
        case 4: if matches(.host) { self = .host } else if matches(.date) { self = .date }
        case 6:
            if matches(.cookie) { self = .cookie }
            else if matches(.server) { self = .server }
            else if matches(.expect) { self = .expect }
        case 7:
            if matches(.upgrade) { self = .upgrade }
            else if matches(.referer) { self = .referer }
            else if matches(.trailer) { self = .trailer }
        case 8: if matches(.location) { self = .location }
        case 9: if matches(.forwarded) { self = .forwarded }
        case 10:
            if matches(.connection) { self = .connection }
            else if matches(.userAgent) { self = .userAgent }
            else if matches(.keepAlive) { self = .keepAlive }
            else if matches(.setCookie) { self = .setCookie }
        case 11: if matches(.retryAfter) { self = .retryAfter }
        case 12:
            if matches(.contentType) { self = .contentType } else if matches(.xRequestID) { self = .xRequestID }
        case 13: if matches(.authorization) { self = .authorization }
        case 14:
            if matches(.contentLength) { self = .contentLength }
            else if matches(.http2Settings) { self = .http2Settings }
        case 15: if matches(.xForwardedFor) { self = .xForwardedFor }
        case 16:
            if matches(.xForwardedHost) { self = .xForwardedHost }
            else if matches(.proxyConnection) { self = .proxyConnection }
            else if matches(.sidecarReason) { self = .sidecarReason }
        case 17:
            if matches(.transferEncoding) { self = .transferEncoding }
            else if matches(.xForwardedProto) { self = .xForwardedProto }
        case 18: if matches(.proxyAuthenticate) { self = .proxyAuthenticate }
        case 19: if matches(.proxyAuthorization) { self = .proxyAuthorization }
        default: break
        }
    }
}
