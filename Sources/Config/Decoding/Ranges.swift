/// Ranges that several keys share.
extension ClosedRange<Duration> {
    /// Of a timeout: a moment to a day.
    static var timeout: ClosedRange<Duration> { .milliseconds(1) ... .seconds(86_400) }
    /// Between two pings. Servers take those that come much faster for an attack.
    static var pingInterval: ClosedRange<Duration> { .seconds(1) ... .seconds(86_400) }
}

extension ClosedRange<Int> {
    /// Streams of one HTTP/2 connection.
    static var http2Streams: ClosedRange<Int> { 1...10_000 }
}
