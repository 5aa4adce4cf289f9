/// The labels of one histogram of `sidecar_request_duration_seconds`, and how they fit into one word.
///
///     1 bit set | listener 31 | service 32
package struct DurationSeries: Equatable, Sendable {
    package var listener: Int
    package var service: Int

    private static let present: UInt64 = 1 << 63

    @inline(__always)
    static func key(_ record: borrowing ExchangeRecord) -> UInt64 {
        // -1 becomes 0.
        let listener = UInt64(bitPattern: Int64(record.listener &+ 1)) & 0x7FFF_FFFF
        let service = UInt64(bitPattern: Int64(record.service &+ 1)) & 0xFFFF_FFFF
        return present | listener << 32 | service
    }

    init(key: UInt64) {
        listener = Int(key >> 32 & 0x7FFF_FFFF) - 1
        service = Int(key & 0xFFFF_FFFF) - 1
    }
}
