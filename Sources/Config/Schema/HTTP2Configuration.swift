/// How a listener speaks HTTP/2 with its clients.
package struct HTTP2ListenerConfiguration: Equatable, Sendable {
    package var isEnabled = true
    /// Most streams that a client may have open on one connection.
    package var streamsMax = 100
    /// Bytes that a client may send ahead on one stream.
    package var streamWindow = 64 * 1024
    /// Bytes that a client may send ahead on all streams of a connection together.
    package var connectionWindow = 1 << 20
    /// Allow CONNECT with a protocol, which carries WebSockets (RFC 8441).
    package var extendedConnect = true
    /// How often a silent connection is asked whether it lives. Nil: never.
    package var pingInterval: Duration?
    /// For the answer to that: then the connection is closed.
    package var pingTimeout: Duration = .seconds(20)
    /// How old a connection may become before its client is told to open another. Nil is without limit.
    package var ageMax: Duration?
    /// How much later than `ageMax` that may be, by chance, so that connections opened together do not end together.
    /// Nil: a tenth of `ageMax`.
    package var ageJitter: Duration?
    /// How long the streams of a connection that is told so may go on.
    package var ageGrace: Duration = .seconds(30)
    package var limits = HTTP2LimitsConfiguration()
    package init() {}

    /// `ageJitter`, or what stands for it, in whole milliseconds; zero without an `ageMax`.
    package var ageJitterInEffect: Duration {
        guard let ageMax else { return .zero }
        if let ageJitter { return ageJitter }
        let (seconds, attoseconds) = ageMax.components
        return .milliseconds((seconds * 1000 + attoseconds / 1_000_000_000_000_000) / 10)
    }
}

/// What a client may do of everything that costs the proxy more than it costs the client. Past any of them the connection
/// is closed with ENHANCE_YOUR_CALM (RFC 9113 §10.5).
package struct HTTP2LimitsConfiguration: Equatable, Sendable {
    /// CONTINUATION frames of one head.
    package var continuationsMax = 8
    // All others: frames of a connection within `interval`.
    /// Streams that are reset, by the client itself or by its mistakes.
    package var resetsMax = 400
    package var pingsMax = 200
    package var settingsMax = 100
    /// DATA frames without a byte that do not end their stream.
    package var emptyFramesMax = 400
    /// WINDOW_UPDATE frames beyond those that the sent data explains.
    package var windowUpdatesMax = 10_000
    package var prioritiesMax = 1000
    package var interval: Duration = .seconds(10)
    package init() {}
}

/// How endpoints of a service are spoken to by HTTP/2.
package struct HTTP2ServiceConfiguration: Equatable, Sendable {
    /// Most streams that the proxy opens on one connection; the endpoint may allow fewer.
    package var streamsMax = 100
    /// Bytes that an endpoint may send ahead on one stream.
    package var streamWindow = 64 * 1024
    /// Bytes that an endpoint may send ahead on all streams of a connection together. They are different clients': as many
    /// as all streams' windows, so that clients who do not read hold up nobody else.
    package var connectionWindow = 100 * 64 * 1024
    /// How often a silent connection is asked whether it lives. Nil: never.
    package var pingInterval: Duration?
    /// For the answer to that: then the connection is closed.
    package var pingTimeout: Duration = .seconds(20)
    package init() {}
}
