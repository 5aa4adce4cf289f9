import Config
import Core
package import HTTP

/// A route's header changes with their bytes prepared: removes first, then sets, then adds.
///
/// Immutable, shared by all workers; applying allocates nothing.
package final class FieldEdits: Sendable {
    /// Whose head is edited.
    package enum Side: Sendable { case request, response }

    private enum Kind: UInt8 { case remove, set, add }

    private struct Edit {
        let kind: Kind
        let field: HeaderName
        let name: Range<Int>
        let value: Range<Int>
    }

    private let edits: [Edit]
    private let bytes: [UInt8]
    package var isEmpty: Bool { edits.isEmpty }

    /// Fields that say how a message is delimited or a connection is used: the proxy's own business.
    private static let reserved: [HeaderName] = [
        .contentLength, .transferEncoding, .connection, .keepAlive, .proxyConnection, .upgrade, .te, .trailer, .expect,
        .http2Settings,
    ]

    /// `problem` hears the rest of the key, `.set.X-Name`, and what is wrong with it.
    init(_ configuration: HeaderEdits, of side: Side, _ problem: (_ what: String, _ message: String) -> Void) {
        var edits: [Edit] = []
        var bytes: [UInt8] = []
        func store(_ text: String) -> Range<Int> {
            let start = bytes.count
            bytes.append(contentsOf: text.utf8)
            return start..<bytes.count
        }
        func append(_ kind: Kind, _ name: String, _ value: String) {
            let nameBytes = Array(name.utf8)
            let field = HeaderName(nameBytes.span)
            let what = ".\(kind).\(name)"
            if !FieldText.isName(nameBytes.span) { return problem(what, "is not a valid field name") }
            if Self.reserved.contains(field) { return problem(what, "is written by the proxy itself") }
            // A request has exactly one Host.
            if field == .host, side == .request, kind != .set { return problem(what, "can only be set") }
            if !FieldText.isValue(Array(value.utf8).span) { return problem(what, "is not a valid field value") }
            edits.append(Edit(kind: kind, field: field, name: store(name), value: store(value)))
        }
        for name in configuration.remove { append(.remove, name, "") }
        for field in configuration.set { append(.set, field.name, field.value) }
        for field in configuration.add { append(.add, field.name, field.value) }
        self.edits = edits
        self.bytes = bytes
    }

    /// Changes `block` in place.
    package func apply(to block: HeaderBlock) {
        guard !edits.isEmpty else { return }
        let stored = self.bytes
        let bytes = stored.span
        for edit in edits {
            let name = bytes.extracting(edit.name)
            if edit.kind != .add {
                if edit.field == .other { block.remove(named: name) } else { block.remove(edit.field) }
            }
            if edit.kind != .remove {
                let value = bytes.extracting(edit.value)
                block.append(edit.field, name) { $0.append(value) }
            }
        }
    }
}
