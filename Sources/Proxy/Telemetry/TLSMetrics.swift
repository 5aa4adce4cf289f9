import Core

/// What the main thread counts of keeping TLS up to date. Written there alone, read by whoever renders.
package final class TLSMetrics: Sendable {
    private let cells = AtomicCells(count: TLSMetric.count)

    package init() {}

    package func add(_ metric: TLSMetric) { cells.add(metric.rawValue, 1) }
    package func value(_ metric: TLSMetric) -> UInt64 { cells.load(metric.rawValue) }
}
