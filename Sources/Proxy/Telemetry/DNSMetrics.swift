import Core

/// What the main thread counts of resolving names. Written there alone, read by whoever renders.
package final class DNSMetrics: Sendable {
    private let cells = AtomicCells(count: DNSMetric.count)

    package init() {}

    package func set(_ metric: DNSMetric, _ total: UInt64) { cells.store(metric.rawValue, total) }
    package func value(_ metric: DNSMetric) -> UInt64 { cells.load(metric.rawValue) }
}
