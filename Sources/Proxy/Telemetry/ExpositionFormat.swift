import Core

/// The two texts that Prometheus and others scrape.
package enum ExpositionFormat: Sendable {
    /// The text format 0.0.4.
    case prometheus
    /// OpenMetrics 1.0.
    case openMetrics

    package var contentType: StaticString {
        switch self {
        case .prometheus: "text/plain; version=0.0.4; charset=utf-8"
        case .openMetrics: "application/openmetrics-text; version=1.0.0; charset=utf-8"
        }
    }

    /// What an `Accept` field (RFC 9110 §12.5.1) asks for: OpenMetrics when it is named and not liked less than plain
    /// text, otherwise the older format, which everything reads.
    package init(accept: Span<UInt8>) {
        var openMetrics: UInt32 = 0
        var text: UInt32 = 0
        var start = 0
        while start < accept.count {
            var end = start
            while end < accept.count, accept[end] != ASCII.comma { end += 1 }
            let range = MediaRange(accept.extracting(start..<end))
            if range.isOpenMetrics { openMetrics = max(openMetrics, range.weight) }
            if range.isText { text = max(text, range.weight) }
            start = end + 1
        }
        self = openMetrics > 0 && openMetrics >= text ? .openMetrics : .prometheus
    }

    /// One element of the field: whether it names one of the formats, and its weight in thousandths.
    private struct MediaRange {
        var isOpenMetrics = false
        var isText = false
        var weight: UInt32 = 1000

        init(_ element: Span<UInt8>) {
            var start = 0
            var isFirst = true
            while start <= element.count {
                var end = start
                while end < element.count, element[end] != 0x3B { end += 1 }
                let part = element.extracting(start..<end).trimmed
                if isFirst {
                    isOpenMetrics = part.equalsIgnoringCase("application/openmetrics-text")
                    isText = part.equalsIgnoringCase("text/plain")
                } else if part.count > 2, ASCII.lowercased(part[0]) == 0x71, part[1] == 0x3D {
                    weight = Self.thousandths(part.extracting(2..<part.count))
                } else if part.equalsIgnoringCase("version=0.0.1") {
                    // A draft that differs from what we write.
                    isOpenMetrics = false
                }
                isFirst = false
                start = end + 1
            }
        }

        /// `0.75` is 750; what is no weight is 0.
        private static func thousandths(_ text: Span<UInt8>) -> UInt32 {
            var value: UInt32 = 0
            var decimals = -1
            for index in text.indices {
                if text[index] == 0x2E, decimals < 0 {
                    decimals = 0
                } else if let digit = ASCII.digit(text[index]), decimals < 3, value < 1000 {
                    value = value * 10 + UInt32(digit)
                    if decimals >= 0 { decimals += 1 }
                } else {
                    return 0
                }
            }
            for _ in max(decimals, 0)..<3 { value *= 10 }
            return min(value, 1000)
        }
    }
}
