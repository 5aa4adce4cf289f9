import Config
package import Core
package import HTTP

/// Makes the path that the endpoint gets of the normalised one. Immutable, shared by all workers.
///
/// Matching saw the normalised path, so that is what is rewritten; what is taken over from it is percent-encoded anew.
/// The replacement is written as configured. The query is not touched.
package final class PathRewrite: Sendable {
    /// Which target the endpoint gets.
    package enum Outcome: Equatable, Sendable {
        /// The expression did not match: the path goes on as it was sent, nothing was written.
        case asSent
        /// The path was appended to the buffer given.
        case written
    }

    private enum Piece {
        case literal(Range<Int>)
        case group(Int)
    }

    private enum Matched {
        /// So many leading bytes of the path, or all of it.
        case leading(Int)
        case pattern(Pattern)
    }

    private let matched: Matched
    private let pieces: [Piece]
    private let bytes: [UInt8]

    init(
        _ configuration: RewriteConfiguration, of location: RouteConfiguration.Location,
        _ problem: (_ what: String, _ message: String) -> Void
    ) {
        switch configuration {
        case .prefix(let replacement):
            bytes = Array(replacement.utf8)
            pieces = bytes.isEmpty ? [] : [.literal(bytes.indices)]
            switch location {
            case .exact(let path), .prefix(let path, _): matched = .leading(path.utf8.count)
            case .grpc(let service, let method):
                // The path is `/service/`, with or without the method.
                matched = .leading(service.utf8.count + 2 + (method?.utf8.count ?? 0))
            case .regex:
                matched = .leading(0)
                problem("rewrite.prefix", "needs a prefix or exact location")
            }
            if let mistake = Self.mistake(in: bytes) { problem("rewrite.prefix", mistake) }
        case .regex(let text, let replacement):
            var compiled: Pattern?
            do throws(Pattern.CompileError) { compiled = try Pattern(text) } catch {
                problem("rewrite.regex", error.description)
            }
            matched = compiled.map { .pattern($0) } ?? .leading(0)
            var parser = ReplacementParser(Array(replacement.utf8))
            parser.parse(groupCount: compiled?.groupCount ?? 9) { problem("rewrite.replacement", $0) }
            pieces = parser.pieces
            bytes = parser.literals
            if let mistake = Self.mistake(in: bytes) { problem("rewrite.replacement", mistake) }
        }
    }

    /// Splits `$1`, `$$` and text.
    private struct ReplacementParser {
        private let text: [UInt8]
        private(set) var pieces: [Piece] = []
        private(set) var literals: [UInt8] = []

        init(_ text: [UInt8]) { self.text = text }

        mutating func parse(groupCount: Int, _ problem: (String) -> Void) {
            var index = 0
            while index < text.count {
                let byte = text[index]
                index += 1
                guard byte == UInt8(ascii: "$") else {
                    append(byte)
                    continue
                }
                let next = index < text.count ? text[index] : 0
                index += 1
                if next == UInt8(ascii: "$") {
                    append(next)
                } else if let digit = ASCII.digit(next), digit > 0 {
                    if Int(digit) > groupCount { problem("the expression has no group \(digit)") }
                    pieces.append(.group(Int(digit)))
                } else {
                    problem("`$` must be followed by 1 to 9, or by `$` for a dollar")
                }
            }
        }

        private mutating func append(_ byte: UInt8) {
            literals.append(byte)
            if case .literal(let range)? = pieces.last {
                pieces[pieces.count - 1] = .literal(range.lowerBound..<literals.count)
            } else {
                pieces.append(.literal(literals.count - 1..<literals.count))
            }
        }
    }

    /// What keeps configured text from standing in a path.
    static func mistake(in text: [UInt8]) -> String? {
        let bytes = text.span
        for index in bytes.indices where !PercentEncoding.isPlainInPath(bytes[index]) {
            guard PercentEncoding.isTriple(bytes, at: index) else {
                let byte = bytes[index]
                let shown = byte > 0x20 && byte < 0x7F ? "`\(Character(UnicodeScalar(byte)))`" : "byte \(byte)"
                return "\(shown) cannot stand in a path: percent-encode it"
            }
            var position = index
            let decoded = PercentEncoding.decoded(bytes, &position)
            if decoded == UInt8(ascii: ".") || decoded < 0x20 { return "has an encoded dot or control character" }
        }
        return nil
    }

    /// Appends the target that the endpoint gets, new path and query as sent, to `output`.
    ///
    /// Call it in the turn of the match: the scratch still holds the path that `RouteTable.match` normalised with the
    /// same normalizer.
    package func write(
        _ head: RequestHead, _ normalizer: PathNormalizer, _ scratch: RouteScratch, into output: Buffer
    ) throws(PathError) -> Outcome {
        let normal = scratch.path
        let path = scratch.pathIsAsSent ? head.bytes(head.path) : normal.readable
        let outcome = try write(path, normalizer.configuration, scratch, into: output)
        if outcome == .written, head.hasQuery {
            output.append(ASCII.questionMark)
            output.append(head.bytes(head.query))
        }
        return outcome
    }

    /// Appends the new path to `output`.
    ///
    /// - `path`: the normalised path that the route matched, made under `configuration`.
    func write(
        _ path: Span<UInt8>, _ configuration: PathConfiguration, _ scratch: RouteScratch, into output: Buffer
    ) throws(PathError) -> Outcome {
        let keepsTriples = configuration.allowEncodedSlash
        let start = output.readableCount
        switch matched {
        case .leading(let count):
            var rest = path.extracting(min(count, path.count)...)
            append(path, keepsTriples, scratch, to: output, from: start)
            // `/api` replaced by `/` leaves `/x` of `/api/x`, not `//x`.
            let written = output.readable
            if rest.count > 0, rest[0] == ASCII.slash, written.count > start,
                written[written.count - 1] == ASCII.slash
            {
                rest = rest.extracting(1...)
            }
            append(rest, keepsTriples, to: output, from: start)
        case .pattern(let pattern):
            switch pattern.match(path, scratch.pattern) {
            case .noMatch: return .asSent
            case .failed: throw .patternLimit
            case .match: break
            }
            // A match whose end `\K` put before its start replaces nothing.
            let range = scratch.pattern.range(ofGroup: 0) ?? 0..<0
            append(path.extracting(..<range.lowerBound), keepsTriples, to: output, from: start)
            append(path, keepsTriples, scratch, to: output, from: start)
            append(path.extracting(range.upperBound...), keepsTriples, to: output, from: start)
        }
        if output.readableCount == start { output.append(ASCII.slash) }
        if Self.hasDotSegment(output.readable.extracting(start...)) { throw .rewrittenDots }
        return .written
    }

    /// Appends the replacement.
    private func append(
        _ path: Span<UInt8>, _ keepsTriples: Bool, _ scratch: RouteScratch, to output: Buffer, from start: Int
    ) {
        let literals = self.bytes
        for piece in pieces {
            switch piece {
            case .literal(let range):
                let literal = literals.span.extracting(range)
                beginPath(literal, output, start)
                output.append(literal)
            case .group(let number):
                guard let range = scratch.pattern.range(ofGroup: number) else { continue }
                append(path.extracting(range), keepsTriples, to: output, from: start)
            }
        }
    }

    private func append(_ bytes: Span<UInt8>, _ keepsTriples: Bool, to output: Buffer, from start: Int) {
        beginPath(bytes, output, start)
        output.append(encodingPath: bytes, keepingTriples: keepsTriples)
    }

    /// Every path begins with a slash, whatever was replaced.
    private func beginPath(_ next: Span<UInt8>, _ output: Buffer, _ start: Int) {
        if output.readableCount == start, next.count > 0, next[0] != ASCII.slash { output.append(ASCII.slash) }
    }

    /// Whether a `.` or `..` stands between separators, encoded ones and `;` included: joining `/files/` and the rest
    /// `../etc` of `/a../etc` must not leave the directory that the replacement names.
    private static func hasDotSegment(_ path: Span<UInt8>) -> Bool {
        var dots = 0
        var index = 0
        while index < path.count {
            let byte = path[index]
            var position = index
            let decoded = PercentEncoding.decoded(path, &position)
            if decoded == ASCII.slash || decoded == UInt8(ascii: "\\") || decoded == UInt8(ascii: ";") {
                if dots == 1 || dots == 2 { return true }
                dots = decoded == UInt8(ascii: ";") ? -1 : 0
            } else {
                dots = byte == UInt8(ascii: ".") && dots >= 0 ? dots + 1 : -1
            }
            index = position
        }
        return dots == 1 || dots == 2
    }
}
