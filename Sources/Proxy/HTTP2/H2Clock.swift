import Core

/// When an HTTP/2 connection is to be asked whether it is alive, told to go, or closed.
///
/// A plain value of one connection's; every event says what to do, so the tests need no clock.
struct H2Clock {
    /// Nanoseconds; `max` is never.
    struct Settings {
        var pingInterval = UInt64.max
        var pingTimeout: UInt64 = 20_000_000_000
        var ageMax = UInt64.max
        /// The age is lengthened at random by up to this, so that connections of one moment do not all end in another.
        var ageJitter: UInt64 = 0
        /// How long streams may finish after the connection was told to go for its age.
        var graceMax = UInt64.max
    }

    enum Action: Equatable {
        case nothing
        /// Nothing came for a while: ask.
        case ping
        /// The peer did not answer.
        case unanswered
        /// Old enough to be replaced.
        case aged
        /// Unused for too long.
        case idle
        /// The peer was told to go long ago.
        case overdue
    }

    private let settings: Settings
    private var pingAt: Instant
    private var answerAt = Instant.distantFuture
    private var ageAt: Instant
    private var idleAt = Instant.distantFuture
    private var overdueAt = Instant.distantFuture
    /// The peer answered a PING that was sent when draining began.
    private(set) var isHeard = false
    private var isDraining = false

    init(_ settings: Settings, now: Instant, random: inout Random) {
        self.settings = settings
        pingAt = now.advanced(byNanoseconds: settings.pingInterval)
        ageAt = .distantFuture
        guard settings.ageMax < .max else { return }
        let jitter = settings.ageJitter == 0 ? 0 : random.next() % settings.ageJitter
        ageAt = now.advanced(byNanoseconds: settings.ageMax).advanced(byNanoseconds: jitter)
    }

    /// When `fired` is to be asked next.
    var deadline: Instant { min(pingAt, answerAt, ageAt, min(idleAt, overdueAt)) }

    /// Bytes came: the peer lives.
    mutating func received(at now: Instant) {
        if settings.pingInterval < .max { pingAt = now.advanced(byNanoseconds: settings.pingInterval) }
    }

    mutating func answered(at now: Instant) {
        answerAt = .distantFuture
        if isDraining { isHeard = true }
        received(at: now)
    }

    mutating func busy() { idleAt = .distantFuture }

    mutating func idle(since now: Instant, for nanoseconds: UInt64) {
        idleAt = now.advanced(byNanoseconds: nanoseconds)
    }

    mutating func draining(since now: Instant) {
        isDraining = true
        ageAt = .distantFuture
        answerAt = now.advanced(byNanoseconds: settings.pingTimeout)
        overdueAt = now.advanced(byNanoseconds: settings.graceMax)
    }

    mutating func fired(at now: Instant) -> Action {
        if answerAt <= now { return .unanswered }
        if overdueAt <= now { return .overdue }
        if idleAt <= now { return .idle }
        if ageAt <= now {
            ageAt = .distantFuture
            return .aged
        }
        if pingAt <= now {
            pingAt = .distantFuture
            answerAt = now.advanced(byNanoseconds: settings.pingTimeout)
            return .ping
        }
        return .nothing
    }
}
