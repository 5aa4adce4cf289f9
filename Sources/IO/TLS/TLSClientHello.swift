import Core

/// Reads the first thing a TLS client says, without TLS: whom it wants, for connections that are passed on as they are.
///
/// Pure. The hello may be cut anywhere, and spread over records (RFC 8446 §5.1); whatever is not one is `.notTLS`.
package enum TLSClientHello {
    package enum Outcome: Equatable, Sendable {
        /// What is there may become one.
        case needMore
        case notTLS
        /// Where in the bytes the server's name stands (RFC 6066 §3), if it has one; and whether ALPN offers `h2`.
        case hello(serverName: Range<Int>?, offersHTTP2: Bool)
    }

    /// The most a hello may take with its record headers; what is longer is no client that anybody uses.
    package static let bytesMax = 16 * 1024

    /// Parses from the first byte of the connection on. A server name with bytes that no host name has, or one that a record's
    /// end cuts in two, which only serves to hide it, is refused as `.notTLS`.
    package static func parse(_ bytes: Span<UInt8>) -> Outcome {
        var reader = TLSHandshakeReader(count: min(bytes.count, bytesMax))
        do {
            return try hello(bytes, &reader)
        } catch {
            return error == .malformed || bytes.count >= bytesMax ? .notTLS : .needMore
        }
    }

    private typealias Stop = TLSHandshakeReader.Stop

    /// RFC 8446 §4.1.2.
    private static func hello(_ bytes: Span<UInt8>, _ reader: inout TLSHandshakeReader) throws(Stop) -> Outcome {
        guard try reader.number(bytes, 1) == 1 else { throw .malformed }
        let length = try reader.number(bytes, 3)
        guard length <= bytesMax else { throw .malformed }
        reader.messageLeft = length
        guard try reader.number(bytes, 1) == 3 else { throw .malformed }
        // The minor version, and the random bytes.
        try reader.skip(bytes, 1 + 32)
        let session = try reader.number(bytes, 1)
        guard session <= 32 else { throw .malformed }
        try reader.skip(bytes, session)
        let ciphers = try reader.number(bytes, 2)
        guard ciphers >= 2, ciphers % 2 == 0 else { throw .malformed }
        try reader.skip(bytes, ciphers)
        let compressions = try reader.number(bytes, 1)
        guard compressions >= 1 else { throw .malformed }
        try reader.skip(bytes, compressions)
        var serverName: Range<Int>?
        var offersHTTP2 = false
        // A hello of TLS 1.2 may end here.
        guard reader.messageLeft > 0 else { return .hello(serverName: nil, offersHTTP2: false) }
        guard try reader.number(bytes, 2) == reader.messageLeft else { throw .malformed }
        while reader.messageLeft > 0 {
            let type = try reader.number(bytes, 2)
            let count = try reader.number(bytes, 2)
            guard count <= reader.messageLeft else { throw .malformed }
            let end = reader.messageLeft - count
            switch type {
            case 0:
                guard serverName == nil else { throw .malformed }
                serverName = try Self.serverName(bytes, &reader, until: end)
            case 16: offersHTTP2 = try Self.offersHTTP2(bytes, &reader, until: end)
            default: try reader.skip(bytes, count)
            }
            guard reader.messageLeft == end else { throw .malformed }
        }
        return .hello(serverName: serverName, offersHTTP2: offersHTTP2)
    }

    /// RFC 6066 §3: a list of names of which only host names are defined, and one of those.
    private static func serverName(
        _ bytes: Span<UInt8>, _ reader: inout TLSHandshakeReader, until end: Int
    ) throws(Stop) -> Range<Int> {
        let list = try reader.number(bytes, 2)
        guard reader.messageLeft - list == end, try reader.number(bytes, 1) == 0 else { throw .malformed }
        let count = try reader.number(bytes, 2)
        guard count > 0, count <= 255, reader.messageLeft - count == end else { throw .malformed }
        let start = try reader.position(bytes)
        try reader.skip(bytes, count)
        guard reader.next - start == count else { throw .malformed }
        for index in start..<reader.next where !ASCII.isHostName(bytes[index]) { throw .malformed }
        return start..<reader.next
    }

    /// RFC 7301 §3.1.
    private static func offersHTTP2(
        _ bytes: Span<UInt8>, _ reader: inout TLSHandshakeReader, until end: Int
    ) throws(Stop) -> Bool {
        let list = try reader.number(bytes, 2)
        guard list >= 2, reader.messageLeft - list == end else { throw .malformed }
        var found = false
        while reader.messageLeft > end {
            let count = try reader.number(bytes, 1)
            guard count > 0, reader.messageLeft - count >= end else { throw .malformed }
            if count == 2 {
                if try reader.number(bytes, 2) == 0x6832 { found = true }
            } else {
                try reader.skip(bytes, count)
            }
        }
        return found
    }
}
