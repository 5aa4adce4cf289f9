import Core

/// The header that every frame begins with (RFC 9113 §4.1).
struct H2Frame: BitwiseCopyable {
    /// The types of RFC 9113 §6; all others have a number only.
    enum Kind {
        static var data: UInt8 { 0 }
        static var headers: UInt8 { 1 }
        static var priority: UInt8 { 2 }
        static var resetStream: UInt8 { 3 }
        static var settings: UInt8 { 4 }
        static var pushPromise: UInt8 { 5 }
        static var ping: UInt8 { 6 }
        static var goAway: UInt8 { 7 }
        static var windowUpdate: UInt8 { 8 }
        static var continuation: UInt8 { 9 }
        /// RFC 9218 §7.1.
        static var priorityUpdate: UInt8 { 16 }
    }

    enum Flag {
        static var endStream: UInt8 { 0x1 }
        /// Of SETTINGS and PING.
        static var ack: UInt8 { 0x1 }
        static var endHeaders: UInt8 { 0x4 }
        static var padded: UInt8 { 0x8 }
        static var priority: UInt8 { 0x20 }
    }

    /// Bytes of the header itself.
    static var headerBytes: Int { 9 }
    /// The largest payload we take: what every peer must bear (§4.2), and nothing larger is announced.
    static var payloadMax: Int { 16_384 }
    /// The largest number of a stream, and of a window (§5.1.1, §6.9.1).
    static var numberMax: Int { 0x7FFF_FFFF }

    let kind: UInt8
    let flags: UInt8
    /// Bytes of payload, below 2^24.
    let length: Int
    /// Without the reserved bit.
    let stream: UInt32

    @inline(__always)
    init(_ kind: UInt8, flags: UInt8 = 0, stream: UInt32, length: Int) {
        self.kind = kind
        self.flags = flags
        self.length = length
        self.stream = stream
    }

    /// Reads the header at the start of `input`, which must hold nine bytes.
    @inline(__always)
    init(_ input: Span<UInt8>) {
        let word = input.word(at: 0).bigEndian
        length = Int(truncatingIfNeeded: word &>> 40)
        kind = UInt8(truncatingIfNeeded: word &>> 32)
        flags = UInt8(truncatingIfNeeded: word &>> 24)
        // The reserved bit is ignored on receipt.
        stream = (UInt32(truncatingIfNeeded: word) &<< 8 | UInt32(input[8])) & 0x7FFF_FFFF
    }

    @inline(__always)
    func has(_ flag: UInt8) -> Bool { flags & flag != 0 }

    /// The first eight bytes as they stand on the wire.
    @inline(__always)
    private var firstWord: UInt64 {
        let front = UInt64(truncatingIfNeeded: length) &<< 40 | UInt64(kind) &<< 32 | UInt64(flags) &<< 24
        return (front | UInt64(stream &>> 8)).bigEndian
    }

    /// Appends the header.
    @inline(__always)
    func append(to output: Buffer) {
        output.reserve(Self.headerBytes)
        // SAFETY: nine bytes were just reserved.
        _ = unsafe output.write { space in
            unsafe space.storeBytes(of: firstWord, as: UInt64.self)
            unsafe space[8] = UInt8(truncatingIfNeeded: stream)
            return Self.headerBytes
        }
    }

    /// Writes the header over nine written bytes at `offset`, counted from the reading end.
    func overwrite(_ output: Buffer, at offset: Int) {
        precondition(offset >= 0 && offset &+ Self.headerBytes <= output.readableCount)
        // SAFETY: the nine bytes were written, as just compared.
        let address = unsafe output.address(of: output.readerIndex &+ offset)
        unsafe address.storeBytes(of: firstWord, as: UInt64.self)
        unsafe address.storeBytes(of: UInt8(truncatingIfNeeded: stream), toByteOffset: 8, as: UInt8.self)
    }
}

extension Buffer {
    /// Appends four bytes, the most significant first.
    @inline(__always)
    func append(network value: UInt32) {
        reserve(4)
        // SAFETY: four bytes were just reserved.
        _ = unsafe write { space in
            unsafe space.storeBytes(of: value.bigEndian, as: UInt32.self)
            return 4
        }
    }
}

extension Span<UInt8> {
    /// Four bytes from `offset` on, the most significant first.
    @inline(__always)
    func network(at offset: Int) -> UInt32 { UInt32(truncatingIfNeeded: word(at: offset, count: 4)).byteSwapped }
}
