package import Core

/// Takes the framing out of a message's body, in place.
///
/// A plain value beside its connection's buffer: state that framing cut anywhere leaves behind is in here, so all bytes
/// that are complete are consumed at every call. Only an unfinished line of the trailer section stays in the buffer.
///
///     before:  | earlier payload | payload and framing ...   |
///              0              offset                     readableCount
///     after:   | earlier payload | payload      | rest |
///              0              offset      offset+payloadCount
///
/// Nothing lies between the payload and the rest. The rest is empty unless the body `isDone`, then it is what follows
/// the message, or the trailer section stops within a line. Payload is moved only over framing that stands before it,
/// and at offset 0 the framing before the first payload is consumed from the buffer's front instead.
package struct H1BodyDecoder: Sendable {
    package struct Run: Equatable, Sendable {
        /// Payload bytes from `offset` on.
        package var payloadCount: Int
        /// Bytes of the message taken, framing included.
        package var consumed: Int
    }

    /// Bytes of one chunk's extensions.
    package static let extensionBytesMax = 256
    /// Bytes of the whole trailer section, and its fields.
    package static let trailersBytesMax = 8 * 1024
    package static let trailerFieldsMax = 64

    private enum State {
        /// Payload, `left` bytes of it.
        case data
        case untilClose
        /// Before the first digit of a chunk's size, or among its digits.
        case size
        case sizeExtension
        case sizeLineFeed
        /// After a chunk's payload.
        case dataCarriageReturn, dataLineFeed
        case trailers
        case done
    }

    private let isChunked: Bool
    private var state: State
    /// Payload bytes to come: of the body, or of the chunk whose size is known or being read.
    private var left: UInt64
    /// Digits of the size, bytes of the extensions, or bytes of the trailer section so far.
    private var lineBytes = 0
    private var trailerFields = 0

    package init(_ framing: BodyFraming) {
        isChunked = framing == .chunked
        left = 0
        switch framing {
        case .none: state = .done
        case .length(let length):
            left = length
            state = length == 0 ? .done : .data
        case .chunked: state = .size
        case .untilClose: state = .untilClose
        }
    }

    /// Whether the whole body, trailers included, is decoded.
    package var isDone: Bool { state == .done }

    /// Payload bytes still to come, when that is known: of a body delimited by its length.
    package var remaining: UInt64? { isChunked || state == .untilClose ? nil : left }

    /// Payload bytes to come without any framing among them: the rest of the body or of the current chunk. What may be
    /// moved past this decoder, see `skip`.
    package var unframed: UInt64 {
        switch state {
        case .data: left
        case .untilClose: .max
        default: 0
        }
    }

    /// Notes that `count` payload bytes, at most `unframed`, went another way than through `decode`.
    package mutating func skip(_ count: UInt64) {
        precondition(count <= unframed, "skipped more than there is")
        if state == .data { take(count) }
    }

    /// Notes that the peer ends the connection's input here. Throws unless the body may end here.
    package mutating func inputEnded() throws(HTTPError) {
        guard state == .done || state == .untilClose else { throw .prematureEnd }
        state = .done
    }

    /// Decodes what stands in the readable bytes of `buffer` from `offset` on; before it lies payload that an earlier
    /// call decoded and nobody has taken yet. See the picture above. Trailer fields are added to `trailers`, if there
    /// is one. After an error neither the decoder nor the buffer may be used on.
    package mutating func decode(
        in buffer: Buffer, from offset: Int, trailers: HeaderBlock? = nil
    ) throws(HTTPError) -> Run {
        let count = buffer.readableCount
        precondition(offset >= 0 && offset <= count, "offset outside the readable bytes")
        switch state {
        case .done: return Run(payloadCount: 0, consumed: 0)
        case .untilClose: return Run(payloadCount: count - offset, consumed: count - offset)
        case .data where !isChunked:
            let taken = Int(truncatingIfNeeded: min(left, UInt64(count - offset)))
            take(UInt64(taken))
            return Run(payloadCount: taken, consumed: taken)
        default: return try decodeChunks(in: buffer, from: offset, trailers: trailers)
        }
    }

    /// Accounts for payload.
    private mutating func take(_ count: UInt64) {
        left -= count
        if left == 0 { state = isChunked ? .dataCarriageReturn : .done }
    }

    // MARK: Chunks (RFC 9112 §7.1)

    private mutating func decodeChunks(
        in buffer: Buffer, from offset: Int, trailers: HeaderBlock?
    ) throws(HTTPError) -> Run {
        var read = offset
        var write = offset
        var dropped = 0
        while read < buffer.readableCount, state != .done {
            switch state {
            case .data:
                let available = buffer.readableCount - read
                let taken = Int(truncatingIfNeeded: min(left, UInt64(available)))
                if write == 0, read > 0 {
                    // No payload before it: the front of the buffer moves instead of the payload.
                    buffer.consume(read)
                    dropped += read
                    read = 0
                } else if read != write {
                    buffer.move(taken, from: read, to: write)
                }
                read += taken
                write += taken
                take(UInt64(taken))
            case .trailers:
                let position = try decodeTrailers(buffer, from: read, into: trailers)
                if position == read, state == .trailers { return finish(buffer, offset, read, write, dropped) }
                read = position
            default: read = try decodeFraming(buffer.readable, from: read)
            }
        }
        return finish(buffer, offset, read, write, dropped)
    }

    /// Closes the gap between the payload's end and the rest.
    private func finish(_ buffer: Buffer, _ offset: Int, _ read: Int, _ write: Int, _ dropped: Int) -> Run {
        let rest = buffer.readableCount - read
        if read > write {
            if write == 0 {
                buffer.consume(read)
            } else {
                if rest > 0 { buffer.move(rest, from: read, to: write) }
                buffer.truncate(to: write + rest)
            }
        }
        return Run(payloadCount: write - offset, consumed: dropped + read - offset)
    }

    /// Reads framing bytes until payload or trailers begin or the input ends; returns the position after them.
    private mutating func decodeFraming(_ input: Span<UInt8>, from start: Int) throws(HTTPError) -> Int {
        var position = start
        while position < input.count {
            let byte = input[position]
            switch state {
            case .dataCarriageReturn:
                guard byte == ASCII.carriageReturn else { throw .malformedChunk }
                state = .dataLineFeed
            case .dataLineFeed:
                guard byte == ASCII.lineFeed else { throw .malformedChunk }
                state = .size
                lineBytes = 0
            case .size: try readSize(byte)
            case .sizeExtension: try readExtension(byte)
            case .sizeLineFeed:
                guard byte == ASCII.lineFeed else { throw .malformedChunkSize }
                lineBytes = 0
                state = left == 0 ? .trailers : .data
            default: return position
            }
            position &+= 1
        }
        return position
    }

    /// One byte among a size's digits: up to 16 of them, and no more than a signed number holds.
    @inline(__always)
    private mutating func readSize(_ byte: UInt8) throws(HTTPError) {
        if let digit = ASCII.hexDigit(byte) {
            guard lineBytes < 16, left <= UInt64(Int64.max) >> 4 else { throw .malformedChunkSize }
            left = left << 4 | UInt64(digit)
            lineBytes += 1
            return
        }
        guard lineBytes > 0 else { throw .malformedChunkSize }
        switch byte {
        case ASCII.carriageReturn: state = .sizeLineFeed
        case ASCII.semicolon:
            state = .sizeExtension
            lineBytes = 0
        default: throw .malformedChunkSize
        }
    }

    /// One byte of an extension: they are ignored, but not without limit and not when they could hide a line's end.
    @inline(__always)
    private mutating func readExtension(_ byte: UInt8) throws(HTTPError) {
        if byte == ASCII.carriageReturn {
            state = .sizeLineFeed
            return
        }
        guard byte >= 0x20, byte != 0x7F else { throw .malformedChunkSize }
        lineBytes += 1
        guard lineBytes <= Self.extensionBytesMax else { throw .chunkExtensionTooLong }
    }

    // MARK: Trailers (RFC 9112 §7.1.2)

    /// Takes the complete lines of the trailer section; returns the position after them.
    private mutating func decodeTrailers(
        _ buffer: Buffer, from start: Int, into trailers: HeaderBlock?
    ) throws(HTTPError) -> Int {
        let input = buffer.readable
        // As much as the limit leaves is looked at, so that the end is found or refused alike however the input is cut.
        let visible = input.extracting(first: start + Self.trailersBytesMax - lineBytes)
        var position = start
        while true {
            switch try Self.scanTrailer(visible, at: position, isFirst: trailerFields == 0) {
            case .needMore:
                lineBytes += position - start
                guard visible.count - position + lineBytes < Self.trailersBytesMax else { throw .trailersTooLarge }
                return position
            case .end(let end):
                state = .done
                return end
            case .field(let line):
                trailerFields += 1
                guard trailerFields <= Self.trailerFieldsMax else { throw .trailersTooLarge }
                if let trailers { trailers.addTrailer(input, line) }
                position = line.lineEnd
            }
        }
    }

    /// The rules of a head's fields, under one name for their errors.
    private static func scanTrailer(
        _ input: Span<UInt8>, at start: Int, isFirst: Bool
    ) throws(HTTPError) -> H1FieldLine.Outcome {
        do throws(HTTPError) {
            return try H1FieldLine.scan(input, at: start, isFirst: isFirst, names: .shared)
        } catch {
            throw .malformedTrailer
        }
    }
}

extension HeaderBlock {
    /// Adds a trailer's line as sent, unless its field must not stand in a trailer section (RFC 9110 §6.5.1): what
    /// frames, routes, authenticates or describes the body is decided before the body.
    fileprivate func addTrailer(_ input: Span<UInt8>, _ line: H1FieldLine) {
        guard line.name.mayTrail else { return }
        let shift = storage.writerIndex - line.nameStart
        storage.append(input.extracting(line.nameStart..<line.lineEnd))
        record(
            line.name, nameStart: line.nameStart + shift, nameCount: line.nameEnd - line.nameStart,
            valueStart: line.valueStart + shift, valueCount: line.valueEnd - line.valueStart,
            lineEnd: line.lineEnd + shift)
    }
}

extension HeaderName {
    /// Whether a trailer section may hold it. Of the names that the proxy knows only a date and its own reason: all
    /// others are about framing, routing, credentials or the connection.
    var mayTrail: Bool {
        switch self {
        case .other, .date, .server, .sidecarReason, .grpcStatus: true
        default: false
        }
    }
}
