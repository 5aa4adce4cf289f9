package import Core

/// The messages of gRPC's health checking protocol (grpc.health.v1), as far as a prober needs them.
///
/// Pure bytes: what a request's body is, and what a response's says (`GRPCHealthReader`).
package enum GRPCHealth {
    /// What is called.
    package static let path: StaticString = "/grpc.health.v1.Health/Check"

    /// What a service says of itself (`HealthCheckResponse.ServingStatus`).
    package enum Status: UInt8, CaseIterable, Sendable {
        case unknown = 0
        case serving
        case notServing
        /// The server does not know the service that was asked for.
        case serviceUnknown

        /// As the protocol's definition names it.
        package var name: StaticString {
            switch self {
            case .unknown: "UNKNOWN"
            case .serving: "SERVING"
            case .notServing: "NOT_SERVING"
            case .serviceUnknown: "SERVICE_UNKNOWN"
            }
        }
    }

    /// Bytes before each message of a call: whether it is compressed, and its length (gRPC over HTTP/2).
    static let prefixBytes = 5
    /// `string service = 1` of a request.
    private static let serviceTag: UInt8 = 1 << 3 | 2

    /// Appends the body of a `Check` call: one `HealthCheckRequest`. An empty `service` asks for the server as a whole.
    package static func appendRequest(service: Span<UInt8>, to output: Buffer) {
        // Fields that have their default value are left out.
        let count = service.isEmpty ? 0 : 1 + varintBytes(service.count) + service.count
        output.append(0)
        for shift in [24, 16, 8, 0] { output.append(UInt8(truncatingIfNeeded: count >> shift)) }
        guard !service.isEmpty else { return }
        output.append(serviceTag)
        append(varint: service.count, to: output)
        output.append(service)
    }

    private static func varintBytes(_ value: Int) -> Int {
        var count = 1
        var rest = value >> 7
        while rest > 0 {
            count += 1
            rest >>= 7
        }
        return count
    }

    private static func append(varint value: Int, to output: Buffer) {
        var rest = value
        while rest > 127 {
            output.append(UInt8(rest & 127 | 128))
            rest >>= 7
        }
        output.append(UInt8(rest))
    }
}
