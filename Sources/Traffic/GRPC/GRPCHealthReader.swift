/// Reads the body of the response to a `Check` of gRPC's health checking protocol: one `HealthCheckResponse`.
///
/// Fed the payload as it comes, cut anywhere. A value of a few numbers: what it has read it does not keep.
package struct GRPCHealthReader: BitwiseCopyable {
    /// Why a body is no answer to a `Check`.
    package enum Failure: Error, Equatable, Sendable {
        /// The message is compressed, which nobody has asked for.
        case compressed
        /// The message is longer than any such answer.
        case tooLong
        /// Not the encoding of Protocol Buffers, or of another length than its prefix says.
        case malformed
        /// Bytes after the message, or the body's end within it.
        case notOneMessage
    }

    /// Bytes of a message: far more than a status and what later versions may add.
    package static let messageBytesMax = 4096

    private enum Position: BitwiseCopyable {
        case prefix
        case tag
        /// The value of `status`.
        case status
        /// A number of no interest.
        case number
        case length
        /// Bytes of no interest.
        case skipping(Int)
    }

    private var position = Position.prefix
    private var prefixCount = 0
    /// Bytes of the message still to come.
    private var messageLeft = 0
    /// The number being read, and how many of its bytes were.
    private var number: UInt64 = 0
    private var numberCount = 0
    private var status: UInt64 = 0

    package init() {}

    /// Reads what has come.
    package mutating func read(_ bytes: Span<UInt8>) throws(Failure) {
        for index in bytes.indices { try read(bytes[index]) }
    }

    /// The body has ended: its answer. A status that the protocol does not know counts as `unknown`.
    package func finish() throws(Failure) -> GRPCHealth.Status {
        guard prefixCount == GRPCHealth.prefixBytes, messageLeft == 0 else { throw .notOneMessage }
        return UInt8(exactly: status).flatMap { GRPCHealth.Status(rawValue: $0) } ?? .unknown
    }

    private mutating func read(_ byte: UInt8) throws(Failure) {
        if case .prefix = position { return try readPrefix(byte) }
        guard messageLeft > 0 else { throw .notOneMessage }
        messageLeft -= 1
        switch position {
        case .prefix: break
        case .tag:
            if let tag = try readNumber(byte) { try begin(tag) }
        case .status:
            if let value = try readNumber(byte) {
                // Of a field that comes again the last value holds.
                status = value
                position = .tag
            }
        case .number:
            if try readNumber(byte) != nil { position = .tag }
        case .length:
            if let length = try readNumber(byte) { try skip(length) }
        case .skipping(let left): position = left == 1 ? .tag : .skipping(left - 1)
        }
        // A message ends between two fields.
        if messageLeft == 0 {
            guard case .tag = position, numberCount == 0 else { throw .malformed }
        }
    }

    private mutating func readPrefix(_ byte: UInt8) throws(Failure) {
        if prefixCount == 0 {
            guard byte == 0 else { throw .compressed }
        } else {
            messageLeft = messageLeft << 8 | Int(byte)
        }
        prefixCount += 1
        guard prefixCount == GRPCHealth.prefixBytes else { return }
        guard messageLeft <= Self.messageBytesMax else { throw .tooLong }
        position = .tag
    }

    /// The next byte of a number; gives it with its last, which is the tenth at most.
    private mutating func readNumber(_ byte: UInt8) throws(Failure) -> UInt64? {
        // The tenth byte has room for the highest bit alone.
        guard numberCount < 9 || byte <= 1 else { throw .malformed }
        number |= UInt64(byte & 127) << UInt64(7 * numberCount)
        numberCount += 1
        guard byte < 128 else { return nil }
        defer {
            number = 0
            numberCount = 0
        }
        return number
    }

    /// A field begins.
    private mutating func begin(_ tag: UInt64) throws(Failure) {
        // Field numbers are 1 to 2^29 - 1.
        guard tag >> 3 > 0, tag >> 3 < 1 << 29 else { throw .malformed }
        switch tag & 7 {
        case 0: position = tag >> 3 == 1 ? .status : .number
        case 1: try skip(8)
        case 2: position = .length
        case 5: try skip(4)
        // Groups are older than this protocol, and the last two kinds do not exist.
        default: throw .malformed
        }
    }

    private mutating func skip(_ count: UInt64) throws(Failure) {
        guard count <= UInt64(messageLeft) else { throw .malformed }
        position = count == 0 ? .tag : .skipping(Int(count))
    }
}
