import Core

/// What the main thread counts of resolving names. Written there alone, read by whoever renders.
package final class DNSMetrics: Sendable {
    private let cells = AtomicCells(count: DNSMetric.count)

    package init() {}

    package func add(_ metric: DNSMetric, _ amount: UInt64 = 1) { cells.add(metric.rawValue, amount) }
    package func value(_ metric: DNSMetric) -> UInt64 { cells.load(metric.rawValue) }
}
