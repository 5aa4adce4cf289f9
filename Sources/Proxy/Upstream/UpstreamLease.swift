import Core

/// Decides whether one upstream connection may carry the next request.
///
/// Owned by its `UpstreamConnection`, used on that worker only. Performs no I/O: every event returns what to do, so the
/// tests need neither a socket nor a clock.
///
///     connecting ─connected─▶ leased ─release─▶ idle ─checkOut─▶ leased ; any ─close─▶ closed
struct UpstreamLease {
    enum Action: Equatable { case park(until: Instant), close(Reason) }
    /// Why a connection was closed, for the metrics.
    enum Reason: UInt8, Equatable, CaseIterable {
        case idleTooLong, usedUp, tooOld, peerClosed, notReusable, poolFull, connectFailed
    }

    /// Payloads are numbers: copying a state is free, no transition can leave one half written.
    private enum State {
        case connecting
        case idle
        case leased
        case closed
    }

    private let usesMax: UInt32
    private let idleNanoseconds: UInt64
    private let bornAt: Instant
    private let ageNanoseconds: UInt64
    private var state = State.connecting
    /// Requests this connection was given, the present one included.
    private(set) var uses: UInt32 = 0

    init(usesMax: UInt32, idleNanoseconds: UInt64, ageNanoseconds: UInt64, at now: Instant) {
        self.usesMax = usesMax
        self.idleNanoseconds = idleNanoseconds
        self.ageNanoseconds = ageNanoseconds
        bornAt = now
    }

    /// A second request may meet a server that has just closed; the first cannot.
    var isReused: Bool { uses > 1 }

    mutating func connected() {
        guard case .connecting = state else { preconditionFailure("connected while \(state)") }
        state = .leased
        uses = 1
    }

    mutating func checkedOut() {
        guard case .idle = state else { preconditionFailure("checked out while \(state)") }
        state = .leased
        uses += 1
    }

    /// The exchange is over. `reusable`: the connection is at the start of a message in both directions and the server
    /// keeps it. `serverTimeoutSeconds`: its `Keep-Alive: timeout`; a second is left for the way.
    mutating func released(at now: Instant, reusable: Bool, serverTimeoutSeconds: UInt32?) -> Action {
        guard case .leased = state else { preconditionFailure("released while \(state)") }
        guard reusable else { return close(.notReusable) }
        guard uses < usesMax else { return close(.usedUp) }
        guard now.nanoseconds(since: bornAt) < ageNanoseconds else { return close(.tooOld) }
        var idle = idleNanoseconds
        if let serverTimeoutSeconds {
            guard serverTimeoutSeconds > 0 else { return close(.notReusable) }
            // Of a timeout of a second only half is safe to use.
            let safe = serverTimeoutSeconds > 1 ? UInt64(serverTimeoutSeconds - 1) * 1_000_000_000 : 500_000_000
            idle = min(idle, safe)
        }
        state = .idle
        return .park(until: now.advanced(byNanoseconds: idle))
    }

    /// Peers may close whenever they like, so every state accepts this event.
    mutating func closed(_ reason: Reason) -> Action { close(reason) }

    private mutating func close(_ reason: Reason) -> Action {
        state = .closed
        return .close(reason)
    }
}
