import Core

/// Durations as configurations write them: `250ms`, `30s`, `5m`, `1h`, `1h30m`. Never a bare number.
package enum DurationText {
    private static let units: [(name: String, milliseconds: Int64)] = [
        ("h", 3_600_000), ("m", 60_000), ("s", 1000), ("ms", 1),
    ]

    /// Parses whole numbers, each with its unit, larger units first.
    package static func parse(_ text: String) throws(UnitProblem) -> Duration {
        let bytes = Array(text.utf8)
        guard !bytes.isEmpty, bytes.allSatisfy({ ASCII.digit($0) == nil }) == false else {
            throw UnitProblem("expected a duration such as 30s, found '\(Node.excerpt(text))'")
        }
        var total: Int64 = 0
        var index = 0
        var nextUnit = 0
        while index < bytes.count {
            let digits = bytes[index...].prefix { ASCII.digit($0) != nil }
            index += digits.count
            let letters = bytes[index...].prefix { ASCII.digit($0) == nil }
            index += letters.count
            guard let number = Int64(String(decoding: digits, as: UTF8.self)) else {
                throw problem(text, "expected a duration such as 30s, found '\(Node.excerpt(text))'")
            }
            guard !letters.isEmpty else { throw problem(text, "\(Node.excerpt(text)) has no unit: write \(number)s") }
            let unit = String(decoding: letters, as: UTF8.self)
            guard let place = units.firstIndex(where: { $0.name == unit }) else {
                throw problem(text, "'\(Node.excerpt(text))' is no duration: units are ms, s, m and h")
            }
            guard place >= nextUnit else {
                throw UnitProblem("'\(Node.excerpt(text))' is no duration: each unit once, the larger ones first")
            }
            nextUnit = place + 1
            let (product, overflow) = number.multipliedReportingOverflow(by: units[place].milliseconds)
            let (sum, sumOverflow) = total.addingReportingOverflow(product)
            guard !overflow, !sumOverflow else { throw UnitProblem("\(Node.excerpt(text)) is too long a duration") }
            total = sum
        }
        return .milliseconds(total)
    }

    /// The shortest text that parses to `duration`, which is whole milliseconds.
    package static func format(_ duration: Duration) -> String {
        var rest = duration.components.seconds * 1000 + duration.components.attoseconds / 1_000_000_000_000_000
        guard rest != 0 else { return "0s" }
        var text = ""
        for unit in units where rest >= unit.milliseconds {
            text += "\(rest / unit.milliseconds)\(unit.name)"
            rest %= unit.milliseconds
        }
        return text
    }

    /// With what was meant, where a common other spelling tells: `30sec`, `2 min`, `1d`.
    private static func problem(_ text: String, _ message: String) -> UnitProblem {
        let spellings: [(names: [String], unit: String, factor: Int64)] = [
            (["msec", "msecs", "millis", "millisecond", "milliseconds"], "ms", 1),
            (["sec", "secs", "second", "seconds"], "s", 1), (["min", "mins", "minute", "minutes"], "m", 1),
            (["hr", "hrs", "hour", "hours"], "h", 1), (["d", "day", "days"], "h", 24),
        ]
        let digits = text.prefix { $0.isASCII && $0.isNumber }
        let letters = text.dropFirst(digits.count).drop { $0 == " " }.lowercased()
        guard let number = Int64(digits), number < 1_000_000 else { return UnitProblem(message) }
        for unit in units where unit.name == letters {
            return UnitProblem(message, suggestion: "\(number)\(unit.name)")
        }
        for spelling in spellings where spelling.names.contains(letters) {
            return UnitProblem(message, suggestion: "\(number * spelling.factor)\(spelling.unit)")
        }
        return UnitProblem(message)
    }
}
