package import HTTP

/// Whether a failed exchange may be tried again, and where. The only place that decides it; pure.
package enum RetryPolicy {
    /// Tries of one exchange, the first included.
    package static let attemptsMax = 3
    /// The same where endpoints said each time that they did nothing with the request: trying again is always harmless, and
    /// connections that end one after the other are no reason to give up.
    package static let attemptsMaxWhenRefused = 5

    /// Where the next try goes, if there is one.
    package enum Decision: Equatable, Sendable {
        /// On a new connection; the endpoint may be the same.
        case freshConnection
        /// On an endpoint that this exchange has not tried.
        case otherEndpoint
        case no
    }

    /// A failed try, and what the endpoint may have seen of the request by then.
    package struct Failure: Equatable, Sendable {
        package var reason: Reason
        package var method: Method
        /// The connection had carried an exchange before this one.
        package var connectionWasReused: Bool
        /// At least one byte of the request was handed to the kernel.
        package var requestWritten: Bool
        /// All of the request's body is still at hand; true when it has none.
        package var bodyReplayable: Bool
        /// At least one byte of a response came.
        package var responseStarted: Bool
        /// The endpoint itself said that it did nothing with the request: REFUSED_STREAM, or a GOAWAY whose last stream
        /// came before it (RFC 9113 §8.7).
        package var wasRefused: Bool
        /// Tries so far, this one included: 1 after the first.
        package var attempts: Int

        package init(
            reason: Reason, method: Method, connectionWasReused: Bool, requestWritten: Bool, bodyReplayable: Bool,
            responseStarted: Bool, attempts: Int, wasRefused: Bool = false
        ) {
            self.reason = reason
            self.method = method
            self.connectionWasReused = connectionWasReused
            self.requestWritten = requestWritten
            self.bodyReplayable = bodyReplayable
            self.responseStarted = responseStarted
            self.wasRefused = wasRefused
            self.attempts = attempts
        }
    }

    /// Decides after `failure`. An endpoint that may have acted on a request gets it again only when that is harmless,
    /// and only when the likely cause is a parked connection that it closed in the same moment. One that it refused it
    /// may get in any case, on a connection that does not refuse.
    package static func decide(_ failure: Failure) -> Decision {
        let attemptsMax = failure.wasRefused ? attemptsMaxWhenRefused : attemptsMax
        if failure.responseStarted || failure.attempts >= attemptsMax { return .no }
        if failure.wasRefused { return failure.bodyReplayable ? .freshConnection : .no }
        switch failure.reason {
        case .connectRefused, .connectTimeout, .connectUnreachable, .tlsFailed:
            return failure.requestWritten ? .no : .otherEndpoint
        case .upstreamClosed, .upstreamReset:
            if !failure.requestWritten { return failure.connectionWasReused ? .freshConnection : .otherEndpoint }
            let isHarmless = failure.method.isIdempotent && failure.bodyReplayable
            return failure.connectionWasReused && isHarmless ? .freshConnection : .no
        case .none, .noRoute, .noHealthyEndpoint, .overloaded, .upstreamProtocolError, .responseTimeout, .clientClosed,
            .badRequest, .draining:
            return .no
        }
    }
}
