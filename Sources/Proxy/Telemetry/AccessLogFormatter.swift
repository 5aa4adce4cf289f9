package import Config
package import Core
package import HTTP
import Traffic

/// Makes one line of the access log from one exchange.
///
/// Owned by its worker's `AccessLog`. Allocates nothing once the output has room. Values that a client chooses are cut at
/// `valueBytesMax`, so that a line stays a line. What does not apply is left out.
///
/// JSON: the names of OpenTelemetry's semantic conventions where they have one, the proxy's own under `sidecar.`.
///
///     timestamp  http.request.method  (http.request.method_original)  url.path  url.query  server.address  server.port
///     http.response.status_code  network.protocol.version  client.address  client.port  user_agent.original
///     http.request.body.size  http.response.body.size  rpc.grpc.status_code  tls.protocol.version  tls.cipher  tls.resumed
///     tls.client.server_name  tls.client.subject  http.route  sidecar.listener  sidecar.service  sidecar.endpoint
///     sidecar.upstream.address  sidecar.reason  sidecar.kind  sidecar.response_cut  sidecar.attempts  sidecar.duration_ms
///     sidecar.upstream.head_ms  sidecar.upstream.duration_ms  sidecar.upstream.reused  sidecar.request_id
///
/// Text: nginx's combined format, then the rest as `key=value`.
package final class AccessLogFormatter {
    /// Bytes of one value, before escaping.
    package static let valueBytesMax = 4096

    private let format: AccessLogConfiguration.Format
    private let names: LogNames
    private let time: TimestampText

    package init(_ format: AccessLogConfiguration.Format, names: MetricsNames) {
        self.format = format
        switch format {
        case .json:
            time = TimestampText(.rfc3339)
            self.names = LogNames(names) { kind, name, output in
                switch kind {
                case .listener: output.append(",\"sidecar.listener\":")
                case .route: output.append(",\"http.route\":")
                case .service: output.append(",\"sidecar.service\":")
                case .endpoint: output.append(",\"sidecar.endpoint\":")
                }
                var writer = JSONWriter(into: output)
                writer.value(name)
            }
        case .text:
            time = TimestampText(.commonLog)
            self.names = LogNames(names) { kind, name, output in
                switch kind {
                case .listener: output.append(" listener=")
                case .route: output.append(" route=")
                case .service: output.append(" service=")
                case .endpoint: output.append(" endpoint=")
                }
                output.append(textEscaped: Array(name.utf8).span, spaces: true)
            }
        }
    }

    /// Appends the line, its end included. `tls` is what `TLSLogFields` renders; empty for a plain connection.
    package func append(
        _ record: borrowing ExchangeRecord, head: RequestHead, upstreamAddress: Span<UInt8>, tls: [UInt8] = [],
        wallNanoseconds: UInt64, to output: Buffer
    ) {
        switch format {
        case .json:
            appendJSON(record, head, upstreamAddress, tls, wallNanoseconds, output)
        case .text:
            appendText(record, head, upstreamAddress, tls, wallNanoseconds, output)
        }
    }

    // MARK: JSON

    private func appendJSON(
        _ record: borrowing ExchangeRecord, _ head: RequestHead, _ upstreamAddress: Span<UInt8>, _ tls: [UInt8],
        _ wallNanoseconds: UInt64, _ output: Buffer
    ) {
        output.append("{\"timestamp\":\"")
        time.append(wallNanoseconds, to: output)
        output.append("\"")
        appendJSONRequest(record, head, output)
        if record.status != 0 { number(",\"http.response.status_code\":", UInt64(record.status), output) }
        if let address = record.clientAddress {
            output.append(",\"client.address\":\"")
            output.append(address)
            number("\",\"client.port\":", UInt64(record.clientPort), output)
        }
        let headers = head.headers
        if let field = headers.first(.userAgent) {
            string(",\"user_agent.original\":\"", headers.value(of: field), output)
        }
        number(",\"http.request.body.size\":", record.requestBodyBytes, output)
        number(",\"http.response.body.size\":", record.responseBodyBytes, output)
        if record.grpcStatus >= 0 { number(",\"rpc.grpc.status_code\":", UInt64(record.grpcStatus), output) }
        if !tls.isEmpty { output.append(tls.span) }
        names.append(record, to: output)
        if !upstreamAddress.isEmpty { string(",\"sidecar.upstream.address\":\"", upstreamAddress, output) }
        appendJSONOutcome(record, output)
        if head.holds(record.requestID) { string(",\"sidecar.request_id\":\"", head.bytes(record.requestID), output) }
        output.append("}\n")
    }

    @inline(__always)
    private func appendJSONRequest(_ record: borrowing ExchangeRecord, _ head: RequestHead, _ output: Buffer) {
        if record.method != .other || head.holds(head.methodName) {
            output.append(",\"http.request.method\":\"")
            output.append(record.method.name)
            output.append("\"")
            if record.method == .other {
                string(",\"http.request.method_original\":\"", head.bytes(head.methodName), output)
            }
        }
        if head.holds(head.path) { string(",\"url.path\":\"", head.bytes(head.path), output) }
        if head.holds(head.query) { string(",\"url.query\":\"", head.bytes(head.query), output) }
        if head.holds(head.authority) {
            let authority = head.bytes(head.authority)
            let hostEnd = authority.hostEnd
            string(",\"server.address\":\"", authority.extracting(0..<hostEnd).withoutBrackets, output)
            if let port = authority.port(after: hostEnd) { number(",\"server.port\":", port, output) }
        }
        output.append(",\"network.protocol.version\":\"")
        output.append(record.version.name)
        output.append("\"")
    }

    @inline(__always)
    private func appendJSONOutcome(_ record: borrowing ExchangeRecord, _ output: Buffer) {
        if record.reason != .none {
            output.append(",\"sidecar.reason\":\"")
            output.append(record.reason.word)
            output.append("\"")
            if let kind = record.kind {
                output.append(",\"sidecar.kind\":\"")
                KindWords.append(kind, to: output)
                output.append("\"")
            }
        }
        if record.flags.contains(.responseCut) { output.append(",\"sidecar.response_cut\":true") }
        number(",\"sidecar.attempts\":", UInt64(record.attempts), output)
        output.append(",\"sidecar.duration_ms\":")
        output.append(millisecondsOf: record.duration)
        guard record.attempts > 0 else { return }
        if record.flags.contains(.upstreamResponded) {
            output.append(",\"sidecar.upstream.head_ms\":")
            output.append(millisecondsOf: record.upstreamHead)
        }
        output.append(",\"sidecar.upstream.duration_ms\":")
        output.append(millisecondsOf: record.upstreamDuration)
        output.append(
            record.flags.contains(.upstreamReused)
                ? ",\"sidecar.upstream.reused\":true" : ",\"sidecar.upstream.reused\":false")
    }

    @inline(__always)
    private func string(_ opening: StaticString, _ value: Span<UInt8>, _ output: Buffer) {
        output.append(opening)
        output.append(jsonEscaped: value.bounded)
        output.append(0x22)
    }

    @inline(__always)
    private func number(_ opening: StaticString, _ value: UInt64, _ output: Buffer) {
        output.append(opening)
        output.append(decimal: value)
    }

    // MARK: Text

    private func appendText(
        _ record: borrowing ExchangeRecord, _ head: RequestHead, _ upstreamAddress: Span<UInt8>, _ tls: [UInt8],
        _ wallNanoseconds: UInt64, _ output: Buffer
    ) {
        if let address = record.clientAddress { output.append(address) } else { output.append("-") }
        output.append(" - - [")
        time.append(wallNanoseconds, to: output)
        output.append("] \"")
        if head.holds(head.methodName), head.holds(head.target) {
            output.append(textEscaped: head.bytes(head.methodName).bounded)
            output.append(ASCII.space)
            output.append(textEscaped: head.bytes(head.target).bounded)
            output.append(" HTTP/")
            output.append(record.version.name)
        } else {
            output.append("-")
        }
        output.append("\" ")
        output.appendDigits(of: UInt64(record.status), count: 3)
        output.append(ASCII.space)
        output.append(decimal: record.responseBodyBytes)
        quoted(head, .referer, output)
        quoted(head, .userAgent, output)
        if record.grpcStatus >= 0 { number(" grpc_status=", UInt64(record.grpcStatus), output) }
        if !tls.isEmpty { output.append(tls.span) }
        names.append(record, to: output)
        appendTextOutcome(record, upstreamAddress, output)
        if head.holds(record.requestID) {
            output.append(" request_id=")
            output.append(textEscaped: head.bytes(record.requestID).bounded, spaces: true)
        }
        output.append(ASCII.lineFeed)
    }

    private func appendTextOutcome(
        _ record: borrowing ExchangeRecord, _ upstreamAddress: Span<UInt8>, _ output: Buffer
    ) {
        if !upstreamAddress.isEmpty {
            output.append(" upstream_address=")
            output.append(textEscaped: upstreamAddress.bounded, spaces: true)
        }
        if record.reason != .none {
            output.append(" reason=")
            output.append(record.reason.word)
            if let kind = record.kind {
                output.append(" kind=")
                KindWords.append(kind, to: output)
            }
        }
        if record.flags.contains(.responseCut) { output.append(" response_cut=true") }
        number(" attempts=", UInt64(record.attempts), output)
        output.append(" duration_ms=")
        output.append(millisecondsOf: record.duration)
        guard record.attempts > 0 else { return }
        output.append(" upstream_duration_ms=")
        output.append(millisecondsOf: record.upstreamDuration)
    }

    private func quoted(_ head: RequestHead, _ name: HeaderName, _ output: Buffer) {
        output.append(" \"")
        let headers = head.headers
        if let field = headers.first(name) {
            output.append(textEscaped: headers.value(of: field).bounded)
        } else {
            output.append("-")
        }
        output.append("\"")
    }
}

extension RequestHead {
    /// Whether the range has bytes and lies within what was stored: a head that failed to parse may end before it.
    @inline(__always)
    fileprivate func holds(_ range: ByteRange) -> Bool {
        !range.isEmpty && range.range.upperBound <= headers.storage.writerIndex
    }
}

extension Buffer {
    /// Appends as nginx escapes: quote, backslash, control characters and everything beyond ASCII as `\xHH`; spaces as
    /// well where a space would end the value.
    func append(textEscaped bytes: Span<UInt8>, spaces: Bool = false) {
        var copied = 0
        for index in bytes.indices {
            let byte = bytes[index]
            guard byte < 0x20 || byte > 0x7E || byte == 0x22 || byte == 0x5C || (spaces && byte == ASCII.space) else {
                continue
            }
            append(bytes.extracting(copied..<index))
            append("\\x")
            append(hex: UInt64(byte), digits: 2)
            copied = index + 1
        }
        append(bytes.extracting(copied..<bytes.count))
    }
}

extension Span<UInt8> {
    /// The value, or as many whole characters of it as `valueBytesMax` allows.
    @inline(__always)
    var bounded: Span<UInt8> {
        @_lifetime(copy self) get {
            guard count > AccessLogFormatter.valueBytesMax else { return self }
            var end = AccessLogFormatter.valueBytesMax
            while end > AccessLogFormatter.valueBytesMax - 3, self[end] & 0xC0 == 0x80 { end -= 1 }
            return extracting(0..<end)
        }
    }

    /// Of an authority: where its host ends and the colon of the port, if any, stands.
    @inline(__always)
    fileprivate var hostEnd: Int {
        var position = count
        while position > 0, ASCII.digit(self[position - 1]) != nil { position -= 1 }
        return position > 0 && self[position - 1] == ASCII.colon && position < count ? position - 1 : count
    }

    /// The number after the colon at `hostEnd`, nil when there is none or it is no port.
    @inline(__always)
    fileprivate func port(after hostEnd: Int) -> UInt64? {
        guard hostEnd < count, count - hostEnd <= 6 else { return nil }
        var port: UInt64 = 0
        for index in hostEnd + 1..<count { port = port * 10 + UInt64(self[index] - ASCII.zero) }
        return port <= 65_535 ? port : nil
    }

    /// An IPv6 host without its brackets.
    @inline(__always)
    fileprivate var withoutBrackets: Span<UInt8> {
        @_lifetime(copy self) get {
            count >= 2 && self[0] == 0x5B && self[count - 1] == 0x5D ? extracting(1..<count - 1) : self
        }
    }
}
