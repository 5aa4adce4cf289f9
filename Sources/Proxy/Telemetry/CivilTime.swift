/// A date and time of day in UTC, in the proleptic Gregorian calendar, to the second.
package struct CivilTime: Equatable, Sendable {
    package let year: UInt64
    /// 1 to 12.
    package let month: UInt64
    /// 1 to 31.
    package let day: UInt64
    package let hour: UInt64
    package let minute: UInt64
    package let second: UInt64

    package init(year: UInt64, month: UInt64, day: UInt64, hour: UInt64, minute: UInt64, second: UInt64) {
        self.year = year
        self.month = month
        self.day = day
        self.hour = hour
        self.minute = minute
        self.second = second
    }

    /// From seconds since 1970.
    ///
    /// Years are counted from March, so that the leap day is the last of its year, in eras of 400 years (146,097 days).
    package init(secondsSince1970 seconds: UInt64) {
        // 719,468 days from 0000-03-01 to 1970-01-01.
        let days = seconds / 86_400 + 719_468
        let era = days / 146_097
        let dayOfEra = days % 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let monthFromMarch = (5 * dayOfYear + 2) / 153
        day = dayOfYear - (153 * monthFromMarch + 2) / 5 + 1
        month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9
        year = era * 400 + yearOfEra + (month <= 2 ? 1 : 0)
        let rest = seconds % 86_400
        hour = rest / 3600
        minute = rest / 60 % 60
        second = rest % 60
    }
}
