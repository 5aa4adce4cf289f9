import Core

/// A request method (RFC 9110 §9). Unknown ones are `other`; their name stays in the head's bytes.
package enum Method: UInt8, CaseIterable, Sendable {
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
        self = .other
        switch count {
        case 3: if word == Method.get.name.word(at: 0) { self = .get } else if word == Method.put.name.word(at: 0) { self = .put }
        case 4:
            if word == Method.post.name.word(at: 0) { self = .post } else if word == Method.head.name.word(at: 0) { self = .head }
        case 5:
            if word == Method.patch.name.word(at: 0) { self = .patch }
            else if word == Method.trace.name.word(at: 0) { self = .trace }
        case 6: if word == Method.delete.name.word(at: 0) { self = .delete }
        case 7:
            if word == Method.options.name.word(at: 0) { self = .options }
            else if word == Method.connect.name.word(at: 0) { self = .connect }
        default: break
        }
    }
}
