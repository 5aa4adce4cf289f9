import Core
import Glibc
import Testing

@testable import Proxy

@Suite struct CivilTimeTests {
    private func expected(_ seconds: UInt64) -> CivilTime? {
        var time = time_t(seconds)
        // SAFETY: zeroes are a valid tm; both pointers are to locals of the types that the call reads and fills.
        var parts = unsafe tm()
        guard unsafe gmtime_r(&time, &parts) != nil else { return nil }
        return unsafe CivilTime(
            year: UInt64(parts.tm_year + 1900), month: UInt64(parts.tm_mon + 1), day: UInt64(parts.tm_mday),
            hour: UInt64(parts.tm_hour), minute: UInt64(parts.tm_min), second: UInt64(parts.tm_sec))
    }

    @Test func everyDayUntil2600AgreesWithTheCLibrary() {
        var wrong = 0
        for day in UInt64(0)..<230_000 {
            for second in [0, 86_399] as [UInt64] {
                let seconds = day * 86_400 + second
                if CivilTime(secondsSince1970: seconds) != expected(seconds) { wrong += 1 }
            }
        }
        #expect(wrong == 0)
    }

    @Test(arguments: [
        (951_782_400 as UInt64, "2000-02-29"), (951_868_800, "2000-03-01"), (1_709_164_800, "2024-02-29"),
        (4_107_456_000, "2100-02-28"), (4_107_542_400, "2100-03-01"), (13_574_563_200, "2400-02-29"),
    ])
    func leapDaysAreWhereTheGregorianRulePutsThem(_ seconds: UInt64, _ date: String) {
        let output = Buffer(capacity: 64)
        TimestampText(.rfc3339).append(seconds * 1_000_000_000, to: output)
        #expect(output.readable.text == date + "T00:00:00.000Z")
    }

    @Test func theCachedSecondChangesWithTheClockInBothDirections() {
        let time = TimestampText(.rfc3339)
        let output = Buffer(capacity: 256)
        for nanoseconds in [1_709_251_199_999_999_999, 1_709_251_200_000_000_000, 1_709_251_199_001_000_000] as [UInt64]
        {
            time.append(nanoseconds, to: output)
            output.append(" ")
        }
        #expect(
            output.readable.text == "2024-02-29T23:59:59.999Z 2024-03-01T00:00:00.000Z 2024-02-29T23:59:59.001Z ")
    }

    @Test func theCommonLogFormatIsNginxs() {
        let output = Buffer(capacity: 64)
        TimestampText(.commonLog).append(1_709_251_199_999_999_999, to: output)
        #expect(output.readable.text == "29/Feb/2024:23:59:59 +0000")
    }
}
