package import HTTP
package import Traffic

/// The labels of one series of `sidecar_requests_total`, and how they fit into one word.
///
///     1 bit set | listener 10 | route 17 | service 16 | method 4 | status 10 | reason 6
package struct RequestSeries: Equatable, Sendable {
    package var listener: Int
    package var route: Int
    package var service: Int
    package var method: Method
    package var status: UInt16
    package var reason: Reason

    private static let present: UInt64 = 1 << 63

    /// The word of a record's labels, nil when an index is beyond what the word can hold.
    @inline(__always)
    static func key(_ record: borrowing ExchangeRecord) -> UInt64? {
        // -1 becomes 0.
        let listener = UInt64(bitPattern: Int64(record.listener &+ 1))
        let route = UInt64(bitPattern: Int64(record.route &+ 1))
        let service = UInt64(bitPattern: Int64(record.service &+ 1))
        guard listener < 1 << 10, route < 1 << 17, service < 1 << 16 else { return nil }
        let places = present | listener << 53 | route << 36 | service << 20
        return places | UInt64(record.method.rawValue & 15) << 16 | UInt64(min(record.status, 1023)) << 6
            | UInt64(record.reason.rawValue & 63)
    }

    init(key: UInt64) {
        listener = Int(key >> 53 & 0x3FF) - 1
        route = Int(key >> 36 & 0x1_FFFF) - 1
        service = Int(key >> 20 & 0xFFFF) - 1
        method = Method(rawValue: UInt8(key >> 16 & 15)) ?? .other
        status = UInt16(key >> 6 & 1023)
        reason = Reason(rawValue: UInt8(key & 63)) ?? .none
    }
}
