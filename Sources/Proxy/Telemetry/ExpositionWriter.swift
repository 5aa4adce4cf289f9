package import Core

/// Writes metric families and their samples, in either format.
///
/// A value on the stack of whoever renders. Families must come one after another, and a sample after its family.
package struct ExpositionWriter {
    package enum FamilyType: String { case counter, gauge, histogram }

    package let output: Buffer
    package let format: ExpositionFormat
    private var name: StaticString = ""
    private var type = FamilyType.gauge

    package init(into output: Buffer, format: ExpositionFormat) {
        self.output = output
        self.format = format
    }

    /// Begins a family. OpenMetrics names a counter's family without `_total`, the older format with it.
    package mutating func family(
        _ name: StaticString, _ type: FamilyType, _ help: StaticString, unit: MetricDefinition.Unit? = nil
    ) {
        self.name = name
        self.type = type
        header("# HELP ")
        output.append(help)
        header("\n# TYPE ")
        output.append(type.rawValue)
        output.append(ASCII.lineFeed)
        if let unit, format == .openMetrics {
            header("# UNIT ")
            output.append(unit.rawValue)
            output.append(ASCII.lineFeed)
        }
    }

    private func header(_ opening: StaticString) {
        output.append(opening)
        output.append(name)
        if type == .counter, format == .prometheus { output.append("_total") }
        output.append(ASCII.space)
    }

    /// A counter's or gauge's sample. `labels` is without braces, from `label`.
    package func sample(_ labels: [UInt8], _ value: UInt64) {
        beginSample(type == .counter ? "_total" : "", labels)
        output.append(decimal: value)
        output.append(ASCII.lineFeed)
    }

    /// A gauge's sample. Counts of things are never below zero: one that wrapped is shown as 0, not as 2^64 - 1.
    package func sample(_ labels: [UInt8], gauge value: UInt64) {
        sample(labels, Int64(bitPattern: value) < 0 ? 0 : value)
    }

    /// A sample in seconds.
    package func sample(_ labels: [UInt8], secondsOf nanoseconds: UInt64) {
        beginSample(type == .counter ? "_total" : "", labels)
        append(secondsOf: nanoseconds)
        output.append(ASCII.lineFeed)
    }

    /// One histogram: cells as `LatencyBuckets` lays them out. The count is what the buckets hold together, so that they
    /// agree even when the worker counts meanwhile.
    package func histogram(_ labels: [UInt8], _ cells: [UInt64]) {
        var cumulative: UInt64 = 0
        for bucket in 0..<LatencyBuckets.count {
            cumulative &+= cells[bucket]
            output.append(name)
            output.append("_bucket{")
            output.append(labels.span)
            if !labels.isEmpty { output.append(ASCII.comma) }
            output.append("le=\"")
            if bucket < LatencyBuckets.bounds.count {
                append(bound: LatencyBuckets.bounds[bucket].seconds)
            } else {
                output.append("+Inf")
            }
            output.append("\"} ")
            output.append(decimal: cumulative)
            output.append(ASCII.lineFeed)
        }
        beginSample("_sum", labels)
        append(secondsOf: cells[LatencyBuckets.sumCell])
        output.append(ASCII.lineFeed)
        beginSample("_count", labels)
        output.append(decimal: cumulative)
        output.append(ASCII.lineFeed)
    }

    /// OpenMetrics ends with a mark, so that a reader knows it has all.
    package func finish() {
        if format == .openMetrics { output.append("# EOF\n") }
    }

    private func beginSample(_ suffix: StaticString, _ labels: [UInt8]) {
        output.append(name)
        output.append(suffix)
        if !labels.isEmpty {
            output.append(0x7B)
            output.append(labels.span)
            output.append(0x7D)
        }
        output.append(ASCII.space)
    }

    /// OpenMetrics wants a whole bound written as a float.
    private func append(bound: StaticString) {
        output.append(bound)
        let text = bound.bytes
        for index in text.indices where text[index] == 0x2E { return }
        if format == .openMetrics { output.append(".0") }
    }

    private func append(secondsOf nanoseconds: UInt64) {
        output.append(decimal: nanoseconds / 1_000_000_000)
        var fraction = nanoseconds % 1_000_000_000
        guard fraction > 0 else { return }
        var digits = 9
        while fraction % 10 == 0 {
            fraction /= 10
            digits -= 1
        }
        output.append(0x2E)
        output.appendDigits(of: fraction, count: digits)
    }
}

/// Makes label lists: `listener="web",service="orders"`.
package struct LabelText {
    package private(set) var bytes: [UInt8] = []

    package init() {}

    /// Adds a label; backslash, quote and line feed in the value are escaped, and bytes that are no UTF-8 cannot come in.
    package func label(_ name: StaticString, _ value: String) -> LabelText {
        var next = self
        if !bytes.isEmpty { next.bytes.append(ASCII.comma) }
        next.bytes.append(contentsOf: name.description.utf8)
        next.bytes.append(ASCII.equals)
        next.bytes.append(ASCII.quote)
        for byte in value.utf8 {
            switch byte {
            case ASCII.quote, ASCII.backslash: next.bytes.append(contentsOf: [ASCII.backslash, byte])
            case ASCII.lineFeed: next.bytes.append(contentsOf: [ASCII.backslash, 0x6E])
            default: next.bytes.append(byte)
            }
        }
        next.bytes.append(ASCII.quote)
        return next
    }
}

extension ASCII {
    fileprivate static let quote: UInt8 = 0x22
    fileprivate static let equals: UInt8 = 0x3D
    fileprivate static let backslash: UInt8 = 0x5C
}
