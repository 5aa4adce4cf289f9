/// Ranges that several keys share.
extension ClosedRange<Duration> {
    /// Of a timeout: a moment to a day.
    static var timeout: ClosedRange<Duration> { .milliseconds(1) ... .seconds(86_400) }
}
