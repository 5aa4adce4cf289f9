import Core

/// Sizes as configurations write them: `512B`, `64KiB`, `10MiB`, `1GiB`. Never a bare number.
package enum SizeText {
    private static let units: [(name: String, shift: UInt64)] = [("GiB", 30), ("MiB", 20), ("KiB", 10), ("B", 0)]

    /// Parses a whole number with its unit, in bytes.
    package static func parse(_ text: String) throws(UnitProblem) -> UInt64 {
        let digits = text.utf8.prefix { ASCII.digit($0) != nil }
        guard let number = UInt64(Substring(digits)) else {
            throw UnitProblem("expected a size such as 64KiB, found '\(Node.excerpt(text))'")
        }
        let unit = String(Substring(text.utf8.dropFirst(digits.count)))
        guard !unit.isEmpty else { throw UnitProblem("\(number) has no unit: write \(format(number))") }
        guard let (_, shift) = units.first(where: { $0.name == unit }) else {
            let meant = units.first { name, _ in
                let letter = name.prefix(1).lowercased()
                return ["\(letter)ib", "\(letter)b", letter].contains(unit.drop { $0 == " " }.lowercased())
            }
            throw UnitProblem(
                "'\(Node.excerpt(text))' is no size: units are B, KiB, MiB and GiB",
                suggestion: meant.map { "\(number)\($0.name)" })
        }
        guard number <= UInt64(Int64.max) >> shift else {
            throw UnitProblem("\(Node.excerpt(text)) is too large a size")
        }
        return number << shift
    }

    /// `bytes` in the largest unit that divides it.
    package static func format(_ bytes: UInt64) -> String {
        for (name, shift) in units where bytes >= 1 << shift && bytes & ((1 << shift) - 1) == 0 {
            return "\(bytes >> shift)\(name)"
        }
        return "\(bytes)B"
    }
}
