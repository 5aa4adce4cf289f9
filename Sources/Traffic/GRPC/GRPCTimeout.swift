import Core

/// The value of `grpc-timeout` (gRPC over HTTP/2, Requests): how long a caller waits, from the call's beginning.
package enum GRPCTimeout {
    /// Nanoseconds; `UInt64.max` for what is longer than that counts. Nil when it is not one to eight digits and a unit of
    /// `H`, `M`, `S`, `m`, `u` and `n`.
    package static func parse(_ text: Span<UInt8>) -> UInt64? {
        guard (2...9).contains(text.count) else { return nil }
        var number: UInt64 = 0
        for index in 0..<text.count - 1 {
            guard let digit = ASCII.digit(text[index]) else { return nil }
            number = number * 10 + UInt64(digit)
        }
        let unit: UInt64
        switch text[text.count - 1] {
        case UInt8(ascii: "H"): unit = 3_600_000_000_000
        case UInt8(ascii: "M"): unit = 60_000_000_000
        case UInt8(ascii: "S"): unit = 1_000_000_000
        case UInt8(ascii: "m"): unit = 1_000_000
        case UInt8(ascii: "u"): unit = 1000
        case UInt8(ascii: "n"): unit = 1
        default: return nil
        }
        let (product, overflow) = number.multipliedReportingOverflow(by: unit)
        return overflow ? .max : product
    }
}
