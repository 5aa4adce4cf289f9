import Testing

@testable import Config

/// Durations and sizes as text.
@Suite struct UnitTests {
    private func duration(_ text: String) -> Result<Duration, UnitProblem> {
        do throws(UnitProblem) { return .success(try DurationText.parse(text)) } catch { return .failure(error) }
    }

    private func size(_ text: String) -> Result<UInt64, UnitProblem> {
        do throws(UnitProblem) { return .success(try SizeText.parse(text)) } catch { return .failure(error) }
    }

    @Test(arguments: [
        ("250ms", 250), ("30s", 30_000), ("5m", 300_000), ("1h", 3_600_000), ("1h30m", 5_400_000), ("0s", 0),
        ("1h2m3s4ms", 3_723_004), ("90s", 90_000),
    ])
    func durationsSayTheirUnits(text: String, milliseconds: Int) {
        #expect(duration(text) == .success(.milliseconds(milliseconds)))
    }

    @Test(arguments: [
        ("30", "30 has no unit: write 30s", nil), ("", "expected a duration such as 30s, found ''", nil),
        ("s", "expected a duration such as 30s, found 's'", nil),
        ("-1s", "expected a duration such as 30s, found '-1s'", nil),
        ("30sec", "'30sec' is no duration: units are ms, s, m and h", "30s"),
        ("5 min", "'5 min' is no duration: units are ms, s, m and h", "5m"),
        ("2d", "'2d' is no duration: units are ms, s, m and h", "48h"),
        ("30S", "'30S' is no duration: units are ms, s, m and h", "30s"),
        ("10us", "'10us' is no duration: units are ms, s, m and h", nil),
        ("1.5s", "'1.5s' is no duration: units are ms, s, m and h", nil),
        ("30m1h", "'30m1h' is no duration: each unit once, the larger ones first", nil),
        ("1s1s", "'1s1s' is no duration: each unit once, the larger ones first", nil),
        ("1h30", "1h30 has no unit: write 30s", nil),
        ("9223372036854775807h", "9223372036854775807h is too long a duration", nil),
        ("99999999999999999999s", "expected a duration such as 30s, found '99999999999999999999s'", nil),
    ])
    func badDurationsSayWhatToWrite(text: String, message: String, suggestion: String?) {
        #expect(duration(text) == .failure(UnitProblem(message, suggestion: suggestion)))
    }

    @Test(arguments: [
        ("512B", 512), ("64KiB", 65536), ("10MiB", 10 << 20), ("1GiB", 1 << 30), ("0B", 0), ("0KiB", 0),
    ])
    func sizesSayTheirUnits(text: String, bytes: Int) {
        #expect(size(text) == .success(UInt64(bytes)))
    }

    @Test(arguments: [
        ("64", "64 has no unit: write 64B", nil), ("65536", "65536 has no unit: write 64KiB", nil),
        ("", "expected a size such as 64KiB, found ''", nil),
        ("KiB", "expected a size such as 64KiB, found 'KiB'", nil),
        ("64KB", "'64KB' is no size: units are B, KiB, MiB and GiB", "64KiB"),
        ("10mb", "'10mb' is no size: units are B, KiB, MiB and GiB", "10MiB"),
        ("10 M", "'10 M' is no size: units are B, KiB, MiB and GiB", "10MiB"),
        ("1g", "'1g' is no size: units are B, KiB, MiB and GiB", "1GiB"),
        ("1b", "'1b' is no size: units are B, KiB, MiB and GiB", "1B"),
        ("1TiB", "'1TiB' is no size: units are B, KiB, MiB and GiB", nil),
        ("-1B", "expected a size such as 64KiB, found '-1B'", nil),
        ("18446744073709551615GiB", "18446744073709551615GiB is too large a size", nil),
    ])
    func badSizesSayWhatToWrite(text: String, message: String, suggestion: String?) {
        #expect(size(text) == .failure(UnitProblem(message, suggestion: suggestion)))
    }

    @Test func whatIsWrittenIsReadBack() throws {
        for milliseconds in [0, 1, 999, 1000, 60_000, 3_599_999, 3_600_000, 90_061_001] {
            let duration = Duration.milliseconds(milliseconds)
            #expect(try DurationText.parse(DurationText.format(duration)) == duration)
        }
        for bytes: UInt64 in [0, 1, 1023, 1024, 1025, 1 << 20, 3 << 30, 1 << 50] {
            #expect(try SizeText.parse(SizeText.format(bytes)) == bytes)
        }
    }
}
