/// Why a peer's bytes are not a message this proxy passes on. One word each, stable: it stands in the response's
/// detail, in the access log and in the tests.
package enum HTTPError: Error, Equatable, Sendable, CaseIterable, BitwiseCopyable {
    // The start line.
    case malformedStartLine, malformedMethod, malformedTarget, unsupportedVersion, malformedStatus, targetTooLong
    // Fields.
    case malformedFieldName, spaceBeforeColon, obsoleteFolding, malformedFieldValue, bareCarriageReturn, bareLineFeed
    case nulByte, headTooLarge, tooManyFields, missingHost, repeatedHost, malformedHost
    // Framing.
    case malformedContentLength, conflictingContentLength, contentLengthWithTransferEncoding
    case malformedTransferEncoding, unsupportedTransferEncoding, transferEncodingInHTTP10
    case malformedChunkSize, malformedChunk, chunkExtensionTooLong, trailersTooLarge, malformedTrailer
    // HTTP/2 (RFC 9113 §8), and what ends a stream of it.
    case malformedPseudoField, missingPseudoField, unsupportedScheme, conflictingAuthority, uppercaseFieldName
    case connectionSpecificField, malformedFieldSection, contentLengthMismatch
    case unexpectedFrame, flowControlExceeded, windowIncrementZero
    // What a limit or a clock decided.
    case tunnelNotOpened, bodyTooLarge, headTimeout, bodyTimeout, prematureEnd, unsupportedExpectation,
        unsupportedMethod

    /// The status of the response to a client that sent it.
    package var status: UInt16 {
        switch self {
        case .unsupportedVersion: 505
        case .targetTooLong: 414
        case .headTooLarge, .tooManyFields, .trailersTooLarge: 431
        case .unsupportedTransferEncoding, .unsupportedMethod: 501
        case .bodyTooLarge: 413
        case .headTimeout, .bodyTimeout: 408
        case .unsupportedExpectation: 417
        default: 400
        }
    }

    /// The kind in words of the configuration's style, `space_before_colon`.
    package var kind: String {
        var word = ""
        var previous: Character = "A"
        for character in "\(self)" {
            if character.isUppercase, !previous.isUppercase { word += "_" }
            word += character.lowercased()
            previous = character
        }
        return word
    }
}
