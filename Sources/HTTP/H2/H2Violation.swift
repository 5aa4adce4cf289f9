/// Why this side ended an HTTP/2 connection: what the peer did that the whole connection does not survive.
///
/// One stable word each: sent as the debug data of GOAWAY, counted, logged, and named in the tests.
package enum H2Violation: UInt8, CaseIterable, Sendable, BitwiseCopyable, Error {
    // Frames that stand where or as they must not.
    case badPreface, frameTooLarge, frameSizeWrong, paddingTooLong, unexpectedStream, streamClosed
    case headersInterrupted, unexpectedContinuation, pushUnexpected, settingsInvalid, compression, headerBlockTooLarge
    // Flow control.
    case windowIncrementZero, windowOverflow, initialWindowTooLarge, flowControlExceeded
    // Floods: nothing wrong with each frame, but with their number.
    case rapidReset, continuationFlood, settingsFlood, pingFlood, emptyFrameFlood, windowUpdateFlood, priorityFlood
    case ackFlood

    /// The word on the wire, in logs and in metrics.
    package var word: StaticString {
        switch self {
        case .badPreface: "bad_preface"
        case .frameTooLarge: "frame_too_large"
        case .frameSizeWrong: "frame_size_wrong"
        case .paddingTooLong: "padding_too_long"
        case .unexpectedStream: "unexpected_stream"
        case .streamClosed: "stream_closed"
        case .headersInterrupted: "headers_interrupted"
        case .unexpectedContinuation: "unexpected_continuation"
        case .pushUnexpected: "push_unexpected"
        case .settingsInvalid: "settings_invalid"
        case .compression: "compression"
        case .headerBlockTooLarge: "header_block_too_large"
        case .windowIncrementZero: "window_increment_zero"
        case .windowOverflow: "window_overflow"
        case .initialWindowTooLarge: "initial_window_too_large"
        case .flowControlExceeded: "flow_control_exceeded"
        case .rapidReset: "rapid_reset"
        case .continuationFlood: "continuation_flood"
        case .settingsFlood: "settings_flood"
        case .pingFlood: "ping_flood"
        case .emptyFrameFlood: "empty_frame_flood"
        case .windowUpdateFlood: "window_update_flood"
        case .priorityFlood: "priority_flood"
        case .ackFlood: "ack_flood"
        }
    }

    /// The code that GOAWAY carries.
    package var code: H2ErrorCode {
        switch self {
        case .badPreface, .paddingTooLong, .unexpectedStream, .headersInterrupted, .unexpectedContinuation,
            .pushUnexpected, .settingsInvalid, .windowIncrementZero:
            .protocolError
        case .frameTooLarge, .frameSizeWrong: .frameSizeError
        case .streamClosed: .streamClosed
        case .compression: .compressionError
        case .windowOverflow, .initialWindowTooLarge, .flowControlExceeded: .flowControlError
        case .headerBlockTooLarge, .rapidReset, .continuationFlood, .settingsFlood, .pingFlood, .emptyFrameFlood,
            .windowUpdateFlood, .priorityFlood, .ackFlood:
            .enhanceYourCalm
        }
    }
}
