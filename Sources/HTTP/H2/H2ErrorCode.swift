/// The error codes of RFC 9113 §7, as they stand in RST_STREAM and GOAWAY.
package enum H2ErrorCode: UInt32, CaseIterable, Sendable, BitwiseCopyable {
    case noError, protocolError, internalError, flowControlError, settingsTimeout, streamClosed, frameSizeError
    case refusedStream, cancel, compressionError, connectError, enhanceYourCalm, inadequateSecurity, http11Required

    /// A code as received. Unknown ones must not trigger special behaviour (§7): they count as `internalError`.
    init(wire code: UInt32) { self = H2ErrorCode(rawValue: code) ?? .internalError }
}
