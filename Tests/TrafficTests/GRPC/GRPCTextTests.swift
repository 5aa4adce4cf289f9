import Core
import Testing

@testable import Traffic

@Suite struct GRPCTextTests {
    @Test(arguments: [
        ("1H", 3_600_000_000_000), ("2M", 120_000_000_000), ("3S", 3_000_000_000), ("100m", 100_000_000),
        ("5u", 5000), ("7n", 7), ("0S", 0), ("00000012S", 12_000_000_000), ("99999999n", 99_999_999),
        // 11,415 years, as many as fit.
        ("99999999H", UInt64.max), ("99999999M", 5_999_999_940_000_000_000),
    ])
    func timeoutsAreDigitsAndAUnit(_ text: String, _ nanoseconds: UInt64) {
        #expect(GRPCTimeout.parse(text.bytes.span) == nanoseconds)
    }

    @Test(arguments: [
        "", "S", "1", "100000000S", "1s", "1h", "1 S", " 1S", "1S ", "-1S", "+1S", "1.5S", "1SS", "1ms", "S1", "١S",
    ])
    func anythingElseIsNoTimeout(_ text: String) {
        #expect(GRPCTimeout.parse(text.bytes.span) == nil)
    }

    @Test func everyTextOfTwoBytesIsReadWithoutHarm() {
        var parsed = 0
        for first in UInt8.min...UInt8.max {
            for second in UInt8.min...UInt8.max {
                let text: [UInt8] = [first, second]
                if GRPCTimeout.parse(text.span) != nil { parsed += 1 }
            }
        }
        #expect(parsed == 10 * 6)
    }

    @Test(arguments: [
        ("application/grpc", true), ("application/grpc+proto", true), ("Application/GRPC+json", true),
        ("application/grpc;charset=utf-8", true), ("application/grpc ; a=b", true), ("application/grpc-web", false),
        ("application/grpc-web+proto", false), ("application/grpcs", false), ("application/grp", false), ("", false),
        ("text/plain", false), (" application/grpc", false),
    ])
    func theContentTypeTellsGRPC(_ text: String, _ expected: Bool) {
        #expect(GRPCContentType.isGRPC(text.bytes.span) == expected)
    }

    @Test(arguments: [
        ("no healthy endpoint", "no healthy endpoint"), ("50% of ~", "50%25 of ~"), ("a\r\nb\t", "a%0D%0Ab%09"),
        ("Größe \u{7F}", "Gr%C3%B6%C3%9Fe %7F"), ("", ""),
    ])
    func messagesArePercentEncoded(_ message: String, _ expected: String) {
        let output = Buffer(capacity: 4)
        output.append(grpcMessage: message.bytes.span)
        #expect(output.readable.text == expected)
    }
}
