package import Core

extension Buffer {
    /// Appends `message` as the value of `grpc-message`: visible ASCII and spaces as they are, `%` and all other bytes
    /// percent-encoded (gRPC over HTTP/2, Responses).
    package func append(grpcMessage message: Span<UInt8>) {
        for index in message.indices {
            let byte = message[index]
            if byte >= 0x20, byte < 0x7F, byte != ASCII.percent {
                append(byte)
            } else {
                append(ASCII.percent)
                append(Self.hexDigit(byte >> 4), Self.hexDigit(byte & 15))
            }
        }
    }

    private static func hexDigit(_ value: UInt8) -> UInt8 { value < 10 ? 0x30 + value : 0x41 + value - 10 }
}
