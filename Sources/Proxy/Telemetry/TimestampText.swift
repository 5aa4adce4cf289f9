import Core

/// Writes points in time as text; the part that changes once a second is made once a second.
///
/// Owned by a formatter, on its worker.
final class TimestampText {
    enum Style {
        /// RFC 3339 with milliseconds, `2024-02-29T23:59:60.123Z`.
        case rfc3339
        /// The common log format's, `29/Feb/2024:23:59:59 +0000`.
        case commonLog
    }

    private static let months: StaticString = "JanFebMarAprMayJunJulAugSepOctNovDec"

    private let style: Style
    private var second = UInt64.max
    private let text = Buffer(capacity: 64)

    init(_ style: Style) { self.style = style }

    func append(_ nanosecondsSince1970: UInt64, to output: Buffer) {
        let now = nanosecondsSince1970 / 1_000_000_000
        if now != second {
            second = now
            render(CivilTime(secondsSince1970: now))
        }
        let text = self.text
        output.append(text.readable)
        guard style == .rfc3339 else { return }
        output.appendDigits(of: nanosecondsSince1970 / 1_000_000 % 1000, count: 3)
        output.append(0x5A)
    }

    private func render(_ time: CivilTime) {
        func two(_ number: UInt64, then separator: StaticString) {
            text.appendDigits(of: number, count: 2)
            text.append(separator)
        }
        text.clear()
        switch style {
        case .rfc3339:
            text.appendDigits(of: time.year, count: 4)
            text.append("-")
            two(time.month, then: "-")
            two(time.day, then: "T")
            two(time.hour, then: ":")
            two(time.minute, then: ":")
            two(time.second, then: ".")
        case .commonLog:
            two(time.day, then: "/")
            let month = Int(time.month - 1) * 3
            text.append(Self.months.bytes.extracting(month..<month + 3))
            text.append("/")
            text.appendDigits(of: time.year, count: 4)
            text.append(":")
            two(time.hour, then: ":")
            two(time.minute, then: ":")
            two(time.second, then: " +0000")
        }
    }
}
