import Core

/// Counts what a peer can do without end at no cost of its own, within intervals of fixed length.
///
/// A plain value inside its session. Counting begins anew with each interval, so a peer gets at most twice the limit
/// across the border of two.
struct H2Floods: BitwiseCopyable {
    enum Kind { case reset, ping, settings, emptyFrame, priority, windowUpdate }

    /// A peer may grant its window in small steps: so many WINDOW_UPDATE frames for each frame it was sent.
    static var updatesPerFrame: Int { 32 }

    private var end: UInt64 = 0
    private var resets = 0
    private var pings = 0
    private var settings = 0
    private var emptyFrames = 0
    private var priorities = 0
    private var windowUpdates = 0
    /// Frames with DATA or heads that were sent, in this interval and in the one before.
    private var sent = 0
    private var sentBefore = 0

    /// A frame left that the peer may answer with WINDOW_UPDATE.
    @inline(__always)
    mutating func noteSent() { sent &+= 1 }

    /// Counts one event at `now`; the violation when it is one too many.
    mutating func note(_ kind: Kind, _ now: Instant, _ limits: H2Limits) -> H2Violation? {
        if now.nanoseconds >= end { begin(now, limits) }
        switch kind {
        case .reset:
            resets &+= 1
            return resets > limits.resetsMax ? .rapidReset : nil
        case .ping:
            pings &+= 1
            return pings > limits.pingsMax ? .pingFlood : nil
        case .settings:
            settings &+= 1
            return settings > limits.settingsMax ? .settingsFlood : nil
        case .emptyFrame:
            emptyFrames &+= 1
            return emptyFrames > limits.emptyFramesMax ? .emptyFrameFlood : nil
        case .priority:
            priorities &+= 1
            return priorities > limits.prioritiesMax ? .priorityFlood : nil
        case .windowUpdate:
            windowUpdates &+= 1
            let allowed = limits.windowUpdatesMax &+ (sent &+ sentBefore) &* Self.updatesPerFrame
            return windowUpdates > allowed ? .windowUpdateFlood : nil
        }
    }

    private mutating func begin(_ now: Instant, _ limits: H2Limits) {
        let last = sent
        self = H2Floods()
        sentBefore = last
        end = now.advanced(byNanoseconds: limits.floodNanoseconds).nanoseconds
    }
}
