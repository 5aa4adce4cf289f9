import Core

/// A request method (RFC 9110 §9). Unknown ones are `other`; their name stays in the head's bytes.
package enum Method: UInt8, CaseIterable, Sendable, BitwiseCopyable {
    case get, head, post, put, delete, options, patch, connect, trace, other

    /// The name on the wire; `other` is the label that metrics use for the rest.
    @inline(__always)
    package var name: StaticString {
        switch self {
        case .get: "GET"
        case .head: "HEAD"
        case .post: "POST"
        case .put: "PUT"
        case .delete: "DELETE"
        case .options: "OPTIONS"
        case .patch: "PATCH"
        case .connect: "CONNECT"
        case .trace: "TRACE"
        case .other: "_OTHER"
        }
    }

    /// Whether doing it twice is as good as once (RFC 9110 §9.2.2), so that a lost request may be sent again.
    package var isIdempotent: Bool {
        switch self {
        case .get, .head, .put, .delete, .options, .trace: true
        case .post, .patch, .connect, .other: false
        }
    }

    /// Recognises the case-sensitive name.
    @inline(__always)
    package init(_ name: Span<UInt8>) { self.init(in: name, count: name.count) }

    /// Recognises the first `count` bytes of `text`.
    init(in text: Span<UInt8>, count: Int) {
        let word = text.word(at: 0, count: count)

        @inline(__always)
        func matches(_ candidate: Method) -> Bool { word == candidate.name.word(at: 0) }

        switch count {
        case 3: self = matches(.get) ? .get : matches(.put) ? .put : .other
        case 4: self = matches(.post) ? .post : matches(.head) ? .head : .other
        case 5: self = matches(.patch) ? .patch : matches(.trace) ? .trace : .other
        case 6: self = matches(.delete) ? .delete : .other
        case 7: self = matches(.options) ? .options : matches(.connect) ? .connect : .other
        default: self = .other
        }
    }
}
