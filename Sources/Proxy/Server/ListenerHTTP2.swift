import Config
import Core
import HTTP

/// A listener's settings for HTTP/2 as the data path wants them.
struct ListenerHTTP2 {
    let isEnabled: Bool
    let limits: H2Limits
    let clock: H2Clock.Settings

    init(_ listener: ListenerConfiguration) {
        let http2 = listener.http2
        isEnabled = http2.isEnabled
        var limits = H2Limits()
        limits.streamsMax = http2.streamsMax
        limits.streamWindow = http2.streamWindow
        limits.connectionWindow = http2.connectionWindow
        limits.headBytesMax = listener.limits.headBytesMax
        limits.fieldsMax = listener.limits.fieldsMax
        limits.allowsExtendedConnect = http2.extendedConnect
        limits.continuationsMax = http2.limits.continuationsMax
        limits.resetsMax = http2.limits.resetsMax
        limits.pingsMax = http2.limits.pingsMax
        limits.settingsMax = http2.limits.settingsMax
        limits.emptyFramesMax = http2.limits.emptyFramesMax
        limits.windowUpdatesMax = http2.limits.windowUpdatesMax
        limits.prioritiesMax = http2.limits.prioritiesMax
        limits.floodNanoseconds = http2.limits.interval.nanosecondsClamped
        self.limits = limits
        var clock = H2Clock.Settings()
        clock.pingInterval = http2.pingInterval?.nanosecondsClamped ?? .max
        clock.pingTimeout = http2.pingTimeout.nanosecondsClamped
        clock.ageMax = http2.ageMax?.nanosecondsClamped ?? .max
        clock.ageJitter = http2.ageJitterInEffect.nanosecondsClamped
        clock.graceMax = http2.ageGrace.nanosecondsClamped
        self.clock = clock
    }
}
