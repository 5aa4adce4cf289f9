package import Core

/// Writes heads and chunk framing (RFC 9112) at the end of a buffer.
///
/// Untouched lines go out in runs, as they were sent; framing and `Connection` are the writer's own. A head is written
/// whole (`writeRequest`, `writeResponse`), or opened, given more lines by its owner, and closed by `endHead`.
package enum H1Writer {
    // MARK: Requests

    /// Writes a whole request head with the target as sent, see `openRequest`.
    @inline(__always)
    package static func writeRequest(
        _ head: RequestHead, framing: BodyFraming, connection: ConnectionOptions = [], into output: Buffer
    ) {
        openRequest(head, framing: framing, connection: connection, into: output)
        endHead(output)
    }

    /// Writes a whole request head with another target, see `openRequest`.
    @inline(__always)
    package static func writeRequest(
        _ head: RequestHead, target: Span<UInt8>, framing: BodyFraming, connection: ConnectionOptions = [],
        into output: Buffer
    ) {
        openRequest(head, target: target, framing: framing, connection: connection, into: output)
        endHead(output)
    }

    /// Writes a request head but for the empty line at its end: the request line, the lines not removed, the lines of
    /// `framing` and of `connection` (`close`, `upgrade`; `TE` is named there when the field is).
    ///
    /// An absolute target is reduced to its path, its authority is what `Host` then says (RFC 9112 §3.2.2); so does the
    /// head's authority when there is no `Host`. An extended CONNECT of HTTP/2 becomes a GET with its `Upgrade` line; its
    /// `connection` must be `upgrade`. Call `removeHopByHop` before. Lines that contradict `framing` are
    /// marked removed in the head.
    package static func openRequest(
        _ head: RequestHead, framing: BodyFraming, connection: ConnectionOptions = [], into output: Buffer
    ) {
        if head.version == .http11, head.targetForm != .absolute, head.headers.contains(.host) {
            prepareFraming(head.headers, from: head.framing, to: framing)
            // The request line and what follows it stand in the storage as they will be sent.
            head.headers.write(startLineCount: head.target.range.upperBound &+ 11, into: output)
            appendFraming(head.headers, from: head.framing, to: framing, into: output)
            appendConnection(connection, namingTE: head.headers.contains(.te), into: output)
            return
        }
        appendMethod(of: head, into: output)
        if head.targetForm == .absolute {
            appendReducedTarget(of: head, into: output)
        } else {
            output.append(head.bytes(head.target))
        }
        finishRequestLine(head, framing: framing, connection: connection, into: output)
    }

    /// The same with another target, which must be valid: it is written as it is.
    package static func openRequest(
        _ head: RequestHead, target: Span<UInt8>, framing: BodyFraming, connection: ConnectionOptions = [],
        into output: Buffer
    ) {
        appendMethod(of: head, into: output)
        output.append(target)
        finishRequestLine(head, framing: framing, connection: connection, into: output)
    }

    /// An extended CONNECT is in HTTP/1.1 a GET that asks for an upgrade (RFC 8441 §5).
    @inline(__always)
    private static func appendMethod(of head: RequestHead, into output: Buffer) {
        if head.isExtendedConnect { output.append("GET") } else { output.append(head.bytes(head.methodName)) }
        output.append(ASCII.space)
    }

    /// Reduces `http://host/path?query` to `/path?query`, and `OPTIONS http://host` to `*` (RFC 9112 §3.2.4).
    private static func appendReducedTarget(of head: RequestHead, into output: Buffer) {
        if head.path.isEmpty { output.append(head.method == .options && !head.hasQuery ? "*" : "/") }
        let start = Int(head.path.start)
        output.append(head.bytes(ByteRange(start: start, count: head.target.range.upperBound - start)))
    }

    /// The version, `Host` where it is not to be sent as received, and all the other lines.
    private static func finishRequestLine(
        _ head: RequestHead, framing: BodyFraming, connection: ConnectionOptions, into output: Buffer
    ) {
        output.append(" HTTP/1.1\r\n")
        // An HTTP/1.0 client expects nothing, whatever it says (RFC 9110 §10.1.1); sent on as HTTP/1.1, the field
        // would.
        if head.version == .http10 { head.headers.remove(.expect) }
        if head.targetForm == .absolute { head.headers.remove(.host) }
        if !head.headers.contains(.host) {
            output.append("Host: ")
            output.append(head.bytes(head.authority))
            output.appendLineEnd()
        }
        if head.isExtendedConnect {
            output.append("Upgrade: ")
            output.append(head.bytes(head.protocolName))
            output.appendLineEnd()
        }
        prepareFraming(head.headers, from: head.framing, to: framing)
        head.headers.write(into: output)
        appendFraming(head.headers, from: head.framing, to: framing, into: output)
        appendConnection(connection, namingTE: head.headers.contains(.te), into: output)
    }

    // MARK: Responses

    /// Writes a whole response head, see `openResponse`.
    @inline(__always)
    package static func writeResponse(
        _ head: ResponseHead, framing: BodyFraming, connection: ConnectionOptions = [], into output: Buffer
    ) {
        openResponse(head, framing: framing, connection: connection, into: output)
        endHead(output)
    }

    /// Writes a response head but for the empty line at its end. `framing` must not be `chunked` for an HTTP/1.0
    /// client: ask `framing(of:for:)`. `connection`: ask `connection(keepAlive:for:)`; with `upgrade` for a 101.
    package static func openResponse(
        _ head: ResponseHead, framing: BodyFraming, connection: ConnectionOptions = [], into output: Buffer
    ) {
        prepareFraming(head.headers, from: head.framing, to: framing)
        // A length in a response that has no body and cannot have one would only mislead.
        if head.status < 200 || head.status == 204 { head.headers.remove(.contentLength) }
        if head.version == .http11, head.reason.start == 13 {
            head.headers.write(startLineCount: head.reason.range.upperBound &+ 2, into: output)
        } else {
            appendStatusLine(head, into: output)
            head.headers.write(into: output)
        }
        appendFraming(head.headers, from: head.framing, to: framing, into: output)
        appendConnection(connection, namingTE: false, into: output)
    }

    private static func appendStatusLine(_ head: ResponseHead, into output: Buffer) {
        output.append("HTTP/1.1 ")
        output.appendDigits(of: UInt64(head.status), count: 3)
        output.append(ASCII.space)
        if head.reason.isEmpty {
            output.append(Status.reasonPhrase(head.status))
        } else {
            output.append(head.bytes(head.reason))
        }
        output.appendLineEnd()
    }

    /// The `Connection` options of a response to a client of this version: what is its default stays unsaid.
    package static func connection(keepAlive: Bool, for client: HTTPVersion) -> ConnectionOptions {
        guard keepAlive else { return .close }
        return client == .http10 ? .keepAlive : []
    }

    /// How the body of `head` goes to a client of this version: HTTP/1.1 gets chunks where only the connection's end
    /// delimited it, HTTP/1.0 knows no chunks.
    package static func framing(of head: ResponseHead, for client: HTTPVersion) -> BodyFraming {
        switch head.framing {
        case .chunked where client == .http10: .untilClose
        case .untilClose where client != .http10: .chunked
        case let framing: framing
        }
    }

    // MARK: The proxy's own responses

    /// Writes the status line of a response that the proxy makes itself. Its owner adds lines, then calls
    /// `finishResponse`.
    package static func openResponse(status: UInt16, into output: Buffer) {
        output.append("HTTP/1.1 ")
        output.appendDigits(of: UInt64(status), count: 3)
        output.append(ASCII.space)
        output.append(Status.reasonPhrase(status))
        output.appendLineEnd()
    }

    /// Adds one line to an open head. `name` and `value` must be valid.
    package static func append(_ name: StaticString, _ value: Span<UInt8>, into output: Buffer) {
        output.append(name)
        output.append(ASCII.colon, ASCII.space)
        output.append(value)
        output.appendLineEnd()
    }

    package static func append(_ name: StaticString, _ value: StaticString, into output: Buffer) {
        append(name, value.bytes, into: output)
    }

    /// Writes what is left of a response opened by `openResponse(status:into:)`: type, length, `Connection`, the empty
    /// line and the body. `isHead`: the request was one, so the body is only measured.
    package static func finishResponse(
        status: UInt16, contentType: StaticString, body: Span<UInt8>, isHead: Bool, connection: ConnectionOptions,
        into output: Buffer
    ) {
        if !Status.isBodiless(status) {
            if !body.isEmpty { append("Content-Type", contentType, into: output) }
            output.append("Content-Length: ")
            output.append(decimal: UInt64(body.count))
            output.appendLineEnd()
        }
        appendConnection(connection, namingTE: false, into: output)
        endHead(output)
        if !isHead, !Status.isBodiless(status) { output.append(body) }
    }

    /// `100 Continue`, whole.
    package static func writeContinue(into output: Buffer) { output.append("HTTP/1.1 100 Continue\r\n\r\n") }

    // MARK: Chunks

    /// Begins a chunk of `count` bytes, at least one; its payload and `endChunk` follow.
    package static func beginChunk(_ count: Int, into output: Buffer) {
        precondition(count > 0, "an empty chunk would end the body")
        output.append(hex: UInt64(count))
        output.appendLineEnd()
    }

    @inline(__always)
    package static func endChunk(_ output: Buffer) { output.appendLineEnd() }

    /// Makes one chunk of all readable bytes of `buffer`, in place: the size line goes into consumed space before them
    /// when there is enough.
    package static func wrapChunk(_ buffer: Buffer) {
        let count = buffer.readableCount
        precondition(count > 0, "an empty chunk would end the body")
        let digits = (64 - UInt64(count).leadingZeroBitCount + 3) / 4
        var line = InlineArray<18, UInt8>(repeating: 0)
        for index in 0..<digits {
            let nibble = UInt8(truncatingIfNeeded: count >> ((digits - 1 - index) * 4)) & 15
            line[index] = nibble < 10 ? ASCII.zero + nibble : 0x57 + nibble
        }
        line[digits] = ASCII.carriageReturn
        line[digits + 1] = ASCII.lineFeed
        buffer.appendLineEnd()
        buffer.prepend(line.span.extracting(0..<digits + 2))
    }

    /// Ends a chunked body, with the lines of `trailers` that are not removed.
    package static func endChunks(trailers: HeaderBlock? = nil, into output: Buffer) {
        output.append("0\r\n")
        trailers?.write(into: output)
        output.appendLineEnd()
    }

    // MARK: Pieces of a head

    /// Ends an open head.
    @inline(__always)
    package static func endHead(_ output: Buffer) { output.appendLineEnd() }

    /// Marks lines removed that say otherwise than `framing`. A length that still holds stays as sent.
    @inline(__always)
    private static func prepareFraming(_ headers: HeaderBlock, from original: BodyFraming, to framing: BodyFraming) {
        headers.remove(.transferEncoding)
        if framing == .chunked || framing != original { headers.remove(.contentLength) }
    }

    /// Appends the line that `framing` needs and the head does not have.
    @inline(__always)
    private static func appendFraming(
        _ headers: HeaderBlock, from original: BodyFraming, to framing: BodyFraming, into output: Buffer
    ) {
        switch framing {
        case .none, .untilClose: break
        case .chunked: output.append("Transfer-Encoding: chunked\r\n")
        case .length(let length):
            if framing == original, headers.contains(.contentLength) { return }
            output.append("Content-Length: ")
            output.append(decimal: length)
            output.appendLineEnd()
        }
    }

    @inline(__always)
    private static func appendConnection(_ options: ConnectionOptions, namingTE: Bool, into output: Buffer) {
        if options.isEmpty, !namingTE { return }
        appendConnectionLine(options, namingTE: namingTE, into: output)
    }

    private static func appendConnectionLine(_ options: ConnectionOptions, namingTE: Bool, into output: Buffer) {
        output.append("Connection: ")
        let start = output.writerIndex
        func append(_ option: StaticString) {
            if output.writerIndex > start { output.append(", ") }
            output.append(option)
        }
        if options.contains(.close) { append("close") }
        if options.contains(.keepAlive) { append("keep-alive") }
        if options.contains(.upgrade) { append("upgrade") }
        if namingTE { append("TE") }
        output.appendLineEnd()
    }
}
