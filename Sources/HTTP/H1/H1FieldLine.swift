import Core

/// Where the parts of one field line stand (RFC 9112 §5).
///
/// An error is decided by the first byte that cannot be right, so that input cut anywhere gets the same one.
struct H1FieldLine {
    enum Outcome {
        case field(H1FieldLine)
        /// The empty line; the position after it.
        case end(Int)
        case needMore
    }

    let name: HeaderName
    let nameStart: Int
    let nameEnd: Int
    /// The value without the whitespace around it.
    let valueStart: Int
    let valueEnd: Int
    /// One past the CRLF.
    let lineEnd: Int

    /// Scans the line at `start`. `isFirst`: no field line stands before it.
    @inline(__always)
    static func scan(
        _ input: Span<UInt8>, at start: Int, isFirst: Bool, names: HeaderNameTable
    ) throws(HTTPError) -> Outcome {
        let (nameEnd, name) = names.scan(input, from: start)
        guard nameEnd < input.count else { return .needMore }
        guard input[nameEnd] == ASCII.colon, nameEnd > start else {
            if nameEnd == start, input[start] == ASCII.carriageReturn {
                guard start &+ 1 < input.count else { return .needMore }
                guard input[start &+ 1] == ASCII.lineFeed else { throw .bareCarriageReturn }
                return .end(start &+ 2)
            }
            throw nameError(input[nameEnd], atStart: nameEnd == start, isFirst: isFirst)
        }
        var valueStart = nameEnd &+ 1
        while valueStart < input.count, isBlank(input[valueStart]) { valueStart &+= 1 }
        let stop = input.firstControl(from: valueStart)
        guard stop < input.count else { return .needMore }
        guard input[stop] == ASCII.carriageReturn else { throw valueError(input[stop]) }
        guard stop &+ 1 < input.count else { return .needMore }
        guard input[stop &+ 1] == ASCII.lineFeed else { throw .bareCarriageReturn }
        var valueEnd = stop
        while valueEnd > valueStart, isBlank(input[valueEnd &- 1]) { valueEnd &-= 1 }
        return .field(
            H1FieldLine(
                name: name, nameStart: start, nameEnd: nameEnd, valueStart: valueStart, valueEnd: valueEnd,
                lineEnd: stop &+ 2))
    }

    @inline(__always)
    private static func isBlank(_ byte: UInt8) -> Bool { byte == ASCII.space || byte == ASCII.tab }

    /// What is wrong with `byte`, which stands in a name's place or right after one.
    private static func nameError(_ byte: UInt8, atStart: Bool, isFirst: Bool) -> HTTPError {
        switch byte {
        case 0: .nulByte
        case ASCII.lineFeed: .bareLineFeed
        case ASCII.space, ASCII.tab: atStart ? (isFirst ? .malformedFieldName : .obsoleteFolding) : .spaceBeforeColon
        default: .malformedFieldName
        }
    }

    /// What is wrong with `byte`, a control that is no carriage return, in a value or a reason phrase.
    static func valueError(_ byte: UInt8) -> HTTPError {
        switch byte {
        case 0: .nulByte
        case ASCII.lineFeed: .bareLineFeed
        default: .malformedFieldValue
        }
    }
}
