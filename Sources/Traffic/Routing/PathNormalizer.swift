package import Config
package import Core

/// Makes of a path, as sent and without its query, the one that locations are compared with; the endpoint still gets
/// what was sent.
///
/// Percent-encoded bytes are decoded once, `.` and `..` segments removed (RFC 3986 §5.2.4), `//` merged when the
/// listener says so. Forms that an endpoint could read differently are refused, so that no route is passed by a path
/// that means another one behind it. Where encoded slashes are allowed, `%2F`, `%5C` and `%25` stay encoded: a `%` in
/// the result then always begins one of those.
package struct PathNormalizer: Sendable {
    /// Where the normal form is.
    package enum Outcome: Equatable, Sendable {
        /// The path is its own normal form: nothing was written.
        case asSent
        /// The buffer given holds the normal form.
        case written
    }

    private enum Byte {
        static let dot: UInt8 = 0x2E
        static let semicolon: UInt8 = 0x3B
        static let backslash: UInt8 = 0x5C
        static let hash: UInt8 = 0x23
    }

    package let configuration: PathConfiguration

    package init(_ configuration: PathConfiguration) { self.configuration = configuration }

    /// Normalises `path`. `output` is cleared and written only when the outcome says so. An empty path is `/`.
    package func normalize(_ path: Span<UInt8>, into output: Buffer) throws(PathError) -> Outcome {
        if isNormal(path) { return .asSent }
        output.clear()
        output.append(ASCII.slash)
        guard path.count > 0 else { return .written }
        guard path[0] == ASCII.slash else { throw .notAbsolute }
        try rewrite(path, into: output)
        return .written
    }

    /// One scan that most paths pass: nothing encoded, no doubled slash, no segment that begins with a dot.
    private func isNormal(_ path: Span<UInt8>) -> Bool {
        guard path.count > 0, path[0] == ASCII.slash else { return false }
        // `#`, `%`, `.` and `/` are below 64; of the bytes above only the backslash matters.
        let noted: UInt64 = 1 << 0x23 | 1 << 0x25 | 1 << 0x2E | 1 << 0x2F
        var afterSlash = false
        for index in path.indices {
            let byte = path[index]
            if byte >= 64 {
                if byte == Byte.backslash { return false }
                afterSlash = false
            } else if noted >> UInt64(byte) & 1 == 0 {
                afterSlash = false
            } else if byte == ASCII.slash {
                if afterSlash, configuration.mergeSlashes { return false }
                afterSlash = true
            } else if byte != Byte.dot || afterSlash {
                return false
            }
        }
        return true
    }

    /// What is known of the segment being read, and of its piece since the last separator that is not a plain slash.
    private struct Segment {
        /// Dots that are all of the piece so far; -1 once it holds something else.
        var dots = 0
        var hasEncodedDot = false
        var hasSeparator = false

        var isDots: Bool { dots == 1 || dots == 2 }

        mutating func read(_ byte: UInt8, encoded: Bool) throws(PathError) {
            guard dots >= 0 else { return }
            if byte == Byte.dot, dots < 2 {
                dots += 1
                hasEncodedDot = hasEncodedDot || encoded
            } else if byte == Byte.semicolon, isDots {
                throw .dotParameter
            } else {
                dots = -1
            }
        }

        /// A backslash or an encoded slash, where they are allowed.
        mutating func readSeparator() throws(PathError) {
            if isDots { throw .dotsBesideSeparator }
            self = Segment()
            hasSeparator = true
        }
    }

    private func rewrite(_ path: Span<UInt8>, into output: Buffer) throws(PathError) {
        // Where the last merged slash would stand: a `..` there takes back either nothing or a whole segment.
        var mergedAt = 0
        var index = 1
        // The output ends with a slash whenever a segment begins.
        while index < path.count {
            let start = output.readableCount
            var segment = Segment()
            while index < path.count, path[index] != ASCII.slash {
                try copy(path, &index, &segment, into: output)
            }
            let isLast = index == path.count
            index += 1
            if segment.isDots {
                if segment.hasSeparator { throw .dotsBesideSeparator }
                if segment.hasEncodedDot { throw .encodedDot }
                output.truncate(to: start)
                if segment.dots == 2 {
                    if start == mergedAt { throw .dotsAfterSlashes }
                    try removeLastSegment(of: output)
                }
            } else if isLast {
                return
            } else if output.readableCount == start, configuration.mergeSlashes {
                mergedAt = start
            } else {
                output.append(ASCII.slash)
            }
        }
    }

    /// Copies what one byte, or one encoded byte, stands for.
    private func copy(
        _ path: Span<UInt8>, _ index: inout Int, _ segment: inout Segment, into output: Buffer
    ) throws(PathError) {
        let byte = path[index]
        index += 1
        switch byte {
        case ASCII.percent:
            guard index + 1 < path.count, let high = ASCII.hexDigit(path[index]),
                let low = ASCII.hexDigit(path[index + 1])
            else { throw .malformedPercent }
            index += 2
            try copyDecoded(high << 4 | low, &segment, into: output)
        case Byte.backslash:
            guard configuration.allowBackslash else { throw .backslash }
            try segment.readSeparator()
            output.append(byte)
        case Byte.hash:
            throw .fragment
        default:
            try segment.read(byte, encoded: false)
            output.append(byte)
        }
    }

    private func copyDecoded(_ byte: UInt8, _ segment: inout Segment, into output: Buffer) throws(PathError) {
        switch byte {
        case 0: throw .encodedNul
        case ASCII.carriageReturn, ASCII.lineFeed: throw .encodedLineBreak
        case ASCII.slash:
            guard configuration.allowEncodedSlash else { throw .encodedSlash }
            try segment.readSeparator()
            output.append("%2F")
        case Byte.backslash:
            guard configuration.allowEncodedSlash else { throw .encodedBackslash }
            try segment.readSeparator()
            output.append("%5C")
        case ASCII.percent where configuration.allowEncodedSlash:
            try segment.read(byte, encoded: true)
            output.append("%25")
        default:
            try segment.read(byte, encoded: true)
            output.append(byte)
        }
    }

    /// Takes the segment before the final slash back.
    private func removeLastSegment(of output: Buffer) throws(PathError) {
        let written = output.readable
        guard written.count > 1 else { throw .aboveRoot }
        var start = written.count - 1
        while written[start - 1] != ASCII.slash { start -= 1 }
        // Endpoints that drop parameters see an empty segment where one begins with `;`.
        if start == written.count - 1 || written[start] == Byte.semicolon { throw .dotsAfterSlashes }
        output.truncate(to: start)
    }
}
