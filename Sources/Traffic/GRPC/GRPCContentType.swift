import Core

/// What makes a message one of gRPC.
package enum GRPCContentType {
    /// Whether a `content-type` is gRPC's: `application/grpc`, with a `+proto` or `;...` after it. `application/grpc-web`
    /// is another protocol.
    package static func isGRPC(_ value: Span<UInt8>) -> Bool {
        let type = ("application/grpc" as StaticString).bytes
        guard value.count >= type.count, value.extracting(..<type.count).equalsIgnoringCase(type) else { return false }
        if value.count == type.count { return true }
        switch value[type.count] {
        case UInt8(ascii: "+"), UInt8(ascii: ";"), ASCII.space, ASCII.tab: return true
        default: return false
        }
    }
}
