package import Core
package import HTTP
package import Traffic

/// What one request came to: the numbers that the metrics count and the access log writes.
///
/// Plain values without a reference, filled by the exchange on its worker and lent to `WorkerMetrics` and `AccessLog` when
/// it ends. Indices are those of `MetricsNames`; -1 says that the exchange never got that far.
package struct ExchangeRecord: BitwiseCopyable {
    /// What else is worth a word in the log.
    package struct Flags: OptionSet, Sendable, BitwiseCopyable {
        package let rawValue: UInt8
        package init(rawValue: UInt8) { self.rawValue = rawValue }

        /// The last attempt went over a connection that had carried a request before.
        package static let upstreamReused = Flags(rawValue: 1 << 0)
        /// The response was begun and could not be finished.
        package static let responseCut = Flags(rawValue: 1 << 1)
        /// A response head came from the endpoint, so `upstreamHead` holds.
        package static let upstreamResponded = Flags(rawValue: 1 << 2)
    }

    package var listener: Int
    package var route = -1
    package var service = -1
    /// Of the last attempt, counted within its service.
    package var endpoint = -1

    package var method = Method.other
    package var version = HTTPVersion.http11
    /// Of the response that was begun towards the client, 0 when none was.
    package var status: UInt16 = 0
    package var reason = Reason.none
    /// The status of a gRPC call, 0 to 16; -1 for everything else.
    package var grpcStatus: Int8 = -1
    /// What was wrong, when the reason is `badRequest`, or `upstreamProtocolError` for an endpoint's message.
    package var kind: HTTPError?
    package var flags: Flags = []
    /// How many times the request was given to an endpoint; 0 when the proxy answered itself.
    package var attempts: UInt32 = 0

    /// From the request's first byte until the last of the response was written, in nanoseconds.
    package var duration: UInt64 = 0
    /// From the last attempt's beginning until its response head, in nanoseconds.
    package var upstreamHead: UInt64 = 0
    /// From the first attempt's beginning until the response's end, in nanoseconds.
    package var upstreamDuration: UInt64 = 0

    /// Content only, as the log has it: without heads and without chunk framing.
    package var requestBodyBytes: UInt64 = 0
    package var responseBodyBytes: UInt64 = 0
    /// Everything from and to the client, in bytes on the connection (before TLS).
    package var receivedBytes: UInt64 = 0
    package var sentBytes: UInt64 = 0
    /// Everything to and from endpoints, all attempts together.
    package var upstreamSentBytes: UInt64 = 0
    package var upstreamReceivedBytes: UInt64 = 0

    /// Nil for a client on a unix socket.
    package var clientAddress: IPAddress?
    package var clientPort: UInt16 = 0
    /// The `x-request-id` sent upstream, in the request head's storage.
    package var requestID = ByteRange.empty

    package init(listener: Int) { self.listener = listener }
}
