import Core

/// What the fields of one head say about its body and its connection, gathered while their lines are parsed.
///
/// A plain value on the parser's stack. Strict where two readers of the same bytes could disagree on where a message
/// ends (RFC 9112 §6.3, §11.2).
struct H1FieldSection {
    let isRequest: Bool
    let version: HTTPVersion
    /// At most 2^63 - 1, so that it fits every number it is put into.
    private(set) var contentLength: UInt64?
    private(set) var isChunked = false
    private(set) var connection: ConnectionOptions = []
    private(set) var host: ByteRange?
    private(set) var expectsContinue = false
    private(set) var keepAliveTimeoutSeconds: UInt32?

    init(isRequest: Bool, version: HTTPVersion) {
        self.isRequest = isRequest
        self.version = version
    }

    /// Whether the connection persists after this message (RFC 9112 §9.3), as far as its fields go.
    var keepAlive: Bool {
        if connection.contains(.close) { return false }
        return version == .http11 || connection.contains(.keepAlive)
    }

    /// Parses lines from `start` to the empty one and records them in `block`. Returns the position after it, nil when
    /// the input ends before.
    @inline(__always)
    mutating func parse(
        _ input: Span<UInt8>, from start: Int, into block: HeaderBlock, fieldsMax: Int
    ) throws(HTTPError) -> Int? {
        let names = block.names
        var position = start
        var count = 0
        while true {
            switch try H1FieldLine.scan(input, at: position, isFirst: count == 0, names: names) {
            case .needMore: return nil
            case .end(let end): return end
            case .field(let line):
                count &+= 1
                guard count <= fieldsMax else { throw .tooManyFields }
                if Self.concerns(line.name) { try note(line, input) }
                block.record(
                    line.name, nameStart: line.nameStart, nameCount: line.nameEnd &- line.nameStart,
                    valueStart: line.valueStart, valueCount: line.valueEnd &- line.valueStart, lineEnd: line.lineEnd)
                position = line.lineEnd
            }
        }
    }

    /// Whether a field of this name says anything about the body or the connection.
    @inline(__always)
    private static func concerns(_ name: HeaderName) -> Bool {
        switch name {
        case .host, .connection, .contentLength, .transferEncoding, .expect, .keepAlive: true
        default: false
        }
    }

    @inline(__always)
    private mutating func note(_ line: H1FieldLine, _ input: Span<UInt8>) throws(HTTPError) {
        let value = input.extracting(line.valueStart..<line.valueEnd)
        switch line.name {
        case .host where isRequest:
            guard host == nil else { throw .repeatedHost }
            guard Authority.isValid(value) else { throw .malformedHost }
            host = ByteRange(start: line.valueStart, count: value.count)
        case .connection: connection.insert(membersOf: value)
        case .contentLength: try noteContentLength(value)
        case .transferEncoding: try noteTransferEncoding(value)
        case .expect where isRequest && version == .http11:
            guard value.equalsIgnoringCase("100-continue") else { throw .unsupportedExpectation }
            expectsContinue = true
        case .keepAlive where !isRequest: noteKeepAlive(value)
        default: break
        }
    }

    private mutating func noteContentLength(_ value: Span<UInt8>) throws(HTTPError) {
        guard contentLength == nil else { throw .conflictingContentLength }
        guard !isChunked else { throw .contentLengthWithTransferEncoding }
        contentLength = try Self.contentLength(value)
    }

    /// One plain number. Lists and repetitions, which RFC 9110 §8.6 lets a recipient collapse, are refused: not every
    /// endpoint collapses them alike.
    static func contentLength(_ value: Span<UInt8>) throws(HTTPError) -> UInt64 {
        guard !value.isEmpty else { throw .malformedContentLength }
        var length: UInt64 = 0
        for index in value.indices {
            // Below 2^63 / 10 another digit always fits into 64 bits.
            guard let digit = ASCII.digit(value[index]), length <= UInt64(Int64.max) / 10 else {
                throw .malformedContentLength
            }
            length = length &* 10 &+ UInt64(digit)
        }
        guard length <= UInt64(Int64.max) else { throw .malformedContentLength }
        return length
    }

    /// `chunked` and nothing else. Another coding before a final `chunked` is legal and not built; all the rest would
    /// leave the end of the message open.
    private mutating func noteTransferEncoding(_ value: Span<UInt8>) throws(HTTPError) {
        guard contentLength == nil else { throw .contentLengthWithTransferEncoding }
        guard !isChunked else { throw .malformedTransferEncoding }
        guard version != .http10 else { throw .transferEncodingInHTTP10 }
        guard !value.equalsIgnoringCase("chunked") else {
            isChunked = true
            return
        }
        var members = ListMembers()
        var others = 0
        var chunkedCount = 0
        var endsChunked = false
        while let range = members.next(in: value) {
            let member = value.extracting(range)
            guard member.firstNotToken(from: 0) == member.count else { throw .malformedTransferEncoding }
            endsChunked = member.equalsIgnoringCase("chunked")
            if endsChunked { chunkedCount += 1 } else { others += 1 }
        }
        guard endsChunked, chunkedCount == 1, others > 0 else { throw .malformedTransferEncoding }
        throw .unsupportedTransferEncoding
    }

    /// `timeout=5, max=100`; what is malformed is ignored, for it is only advice.
    private mutating func noteKeepAlive(_ value: Span<UInt8>) {
        var members = ListMembers()
        while let range = members.next(in: value) {
            guard range.count > 8,
                value.extracting(range.lowerBound..<range.lowerBound + 8).equalsIgnoringCase("timeout=")
            else { continue }
            var seconds: UInt32 = 0
            for index in range.dropFirst(8) {
                guard let digit = ASCII.digit(value[index]), seconds < 100_000_000 else { return }
                seconds = seconds * 10 + UInt32(digit)
            }
            keepAliveTimeoutSeconds = seconds
        }
    }
}
