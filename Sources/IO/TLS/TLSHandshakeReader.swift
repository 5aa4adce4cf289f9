import Core

/// Walks through one handshake message, over the headers of the records that carry it.
struct TLSHandshakeReader {
    enum Stop: Error {
        /// The bytes end before the message does.
        case needMore
        case malformed
    }

    /// The next byte to look at.
    private(set) var next = 0
    /// Where the bytes end.
    private let count: Int
    /// Bytes left of the present record.
    private var recordLeft = 0
    /// Bytes left of the message, once its length is known.
    var messageLeft = Int.max

    init(count: Int) { self.count = count }

    /// Where the next byte of the message stands, past the header of a record that begins there.
    mutating func position(_ bytes: Span<UInt8>) throws(Stop) -> Int {
        while recordLeft == 0 { try header(bytes) }
        return next
    }

    /// RFC 8446 §5.1. What is there of a header is checked before the rest has come.
    private mutating func header(_ bytes: Span<UInt8>) throws(Stop) {
        if next < count, bytes[next] != 22 { throw .malformed }
        if next + 1 < count, bytes[next + 1] != 3 { throw .malformed }
        guard next + 5 <= count else { throw .needMore }
        let length = Int(bytes[next + 3]) << 8 | Int(bytes[next + 4])
        // Handshake records are never empty.
        guard length > 0, length <= 1 << 14 else { throw .malformed }
        next += 5
        recordLeft = length
    }

    /// A number of one to three bytes, most significant first.
    mutating func number(_ bytes: Span<UInt8>, _ width: Int) throws(Stop) -> Int {
        guard width <= messageLeft else { throw .malformed }
        var value = 0
        for _ in 0..<width {
            let position = try position(bytes)
            guard position < count else { throw .needMore }
            value = value << 8 | Int(bytes[position])
            advance(1)
        }
        return value
    }

    mutating func skip(_ bytes: Span<UInt8>, _ width: Int) throws(Stop) {
        guard width <= messageLeft else { throw .malformed }
        var left = width
        while left > 0 {
            _ = try position(bytes)
            let step = min(left, recordLeft)
            guard next + step <= count else { throw .needMore }
            advance(step)
            left -= step
        }
    }

    private mutating func advance(_ step: Int) {
        next += step
        recordLeft -= step
        if messageLeft != .max { messageLeft -= step }
    }
}
