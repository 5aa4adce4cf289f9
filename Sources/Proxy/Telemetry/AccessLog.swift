package import Config
import Core
package import HTTP
import Traffic

/// One worker's end of the access log: makes the lines and hands them on by the chunk.
///
/// Owned and used by its worker. `record` appends to memory; now and then it swaps a full chunk for an empty one. It never
/// waits: lines that the writer has no room for are dropped and counted.
package final class AccessLog {
    private let writer: AccessLogWriter
    private let formatter: AccessLogFormatter
    private let metrics: WorkerMetrics
    private let onlyFailures: Bool
    private var chunk = LogChunk()

    /// With `onlyFailures` there is a line only for what the proxy itself had to fail.
    package init(
        writer: AccessLogWriter, format: AccessLogConfiguration.Format, names: MetricsNames, metrics: WorkerMetrics,
        onlyFailures: Bool
    ) {
        self.writer = writer
        self.metrics = metrics
        self.onlyFailures = onlyFailures
        formatter = AccessLogFormatter(format, names: names)
    }

    /// Logs an exchange that ended at `wallNanoseconds` since 1970. `upstreamAddress` is the endpoint's address as text,
    /// empty when there was none; `tls` is the client's. The head may be incomplete: ranges that are empty are left out.
    package func record(
        _ record: borrowing ExchangeRecord, head: RequestHead, upstreamAddress: Span<UInt8>, tls: ClientTLS? = nil,
        wallNanoseconds: UInt64
    ) {
        guard wants(record) else { return }
        let chunk = self.chunk
        formatter.append(
            record, head: head, upstreamAddress: upstreamAddress, tls: tls?.logFields ?? [],
            wallNanoseconds: wallNanoseconds, to: chunk.buffer)
        chunk.lines &+= 1
        metrics.add(.accessLogLines)
        if chunk.buffer.readableCount >= LogChunk.bytesMax { handOver() }
    }

    /// Whether there is a line for such an exchange.
    @inline(__always)
    func wants(_ record: borrowing ExchangeRecord) -> Bool {
        if onlyFailures { return record.reason != .none }
        return true
    }

    /// Whether there is nothing to hand on.
    var isEmpty: Bool { chunk.buffer.isEmpty }

    /// Hands on what there is, unless the writer is behind anyway. Called every 100 ms or so; costs nothing when empty.
    @inline(__always)
    package func flush() {
        guard !chunk.buffer.isEmpty, let empty = writer.submitEarly(chunk) else { return }
        chunk = empty
    }

    /// Hands on the last lines. The worker ends after this.
    package func finish() {
        if !chunk.buffer.isEmpty { handOver() }
    }

    private func handOver() {
        if let empty = writer.submit(chunk) {
            chunk = empty
        } else {
            metrics.add(.accessLogDroppedLines, chunk.lines)
            if chunk.isReusable { chunk.clear() } else { chunk = LogChunk() }
        }
    }
}
