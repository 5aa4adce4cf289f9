import Core

/// What an HTTP/2 client sends first (RFC 9113 §3.4): chosen so that no HTTP/1 server takes it for a request.
package enum H2Preface {
    package enum Match: Equatable {
        case no
        /// As far as the input goes.
        case partly
        case whole
    }

    package static let bytes: StaticString = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"

    /// Whether a connection's first bytes are the preface.
    @inline(__always)
    package static func match(_ input: Span<UInt8>) -> Match {
        // No method but this one begins with these letters.
        if input.count >= 2, input[0] != UInt8(ascii: "P") || input[1] != UInt8(ascii: "R") { return .no }
        return compare(input)
    }

    private static func compare(_ input: Span<UInt8>) -> Match {
        let preface = bytes.bytes
        let count = min(input.count, preface.count)
        for index in 0..<count where input[index] != preface[index] { return .no }
        return count == preface.count ? .whole : .partly
    }
}
