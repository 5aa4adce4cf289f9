import Core
extension Transport {
    package var isEncrypted: Bool { false }
    package func reattach(_ handler: any EventHandler) {}
    package func shutdownWriting() { Socket.shutdownWriting(rawDescriptor) }
}
/// s
package enum TLSClientHello {
    /// s
    package enum Outcome { case needMore, notTLS, hello(Range<Int>?, Bool) }
    package static func parse(_ b: Span<UInt8>) -> Outcome { .notTLS }
}
