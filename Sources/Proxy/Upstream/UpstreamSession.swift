import Core
import HTTP
import IO
import Traffic

/// One HTTP/2 connection to an endpoint: connects, carries as many exchanges at a time as both sides allow, waits in its
/// pool when it has none.
///
/// Owned by its pool, used on that worker only. Streams may be opened while it still connects; their requests leave
/// together with its first bytes.
///
///     connecting ─▶ open ─GOAWAY, age─▶ draining ─last stream─▶ closed
final class UpstreamSession: EventHandler, TimerTarget, H2LinkOwner, Trimmable {
    /// Stream objects that an idle connection keeps.
    private static let sparesKept = 2

    private enum State {
        case connecting
        case open
        /// No new streams; those under way finish.
        case draining
        case closed
    }

    let worker: Worker
    let pool: EndpointPool
    let address: SocketAddress
    let link: H2Link
    /// Its place among its pool's connections.
    var token: Slab<UpstreamSession>.Token?
    private let timer = Timer()
    private var clock: H2Clock
    private var dialing = Dialing()
    private var state = State.connecting
    /// By slot of the session.
    private let streams = Row<UpstreamStream>()
    private let spares = Spares<UpstreamStream>()
    private(set) var streamCount = 0
    private var turns = H2Turns()
    private var requests: UInt32 = 0
    /// So many streams were one too many for the endpoint, whatever its settings say.
    private var refusedAt = Int.max
    /// The endpoint's SETTINGS have come.
    private var hasSettings = false
    private var isProcessing = false
    private var isTrimDue = false

    /// Starts to connect.
    init(to address: SocketAddress, pool: EndpointPool, worker: Worker) throws(IOError) {
        self.worker = worker
        self.pool = pool
        self.address = address
        let transport = Transport(
            try Socket.connect(to: address, unacknowledgedMax: pool.limits.unacknowledgedMax), loop: worker.loop)
        link = H2Link(transport, .client, limits: pool.limits.http2, worker: worker)
        var random = worker.random
        clock = H2Clock(pool.limits.http2Clock, now: worker.loop.now, random: &random)
        worker.random = random
        timer.target = self
        try transport.attach(self)
        link.attach(self)
        worker.loop.schedule(timer, at: worker.loop.now.advanced(byNanoseconds: pool.limits.connectNanoseconds))
    }

    // MARK: Streams

    /// Whether a new exchange may have a stream of it.
    var hasRoom: Bool {
        guard state == .open || state == .connecting, requests < pool.limits.requestsMax else { return false }
        // Until the endpoint says how many streams it takes on this connection, it is believed to take what it took on others.
        let learned = hasSettings ? Int.max : pool.peerStreamsMax
        return streamCount < min(pool.limits.streamsMax, refusedAt, learned) && link.session.canOpen
            && !link.isBackedUp && !link.session.isWindowNarrowed
    }

    /// Opens a stream. It may be used at once when `isConnected`, else when its exchange hears `upstreamConnected`.
    func open(for exchange: Exchange) -> (stream: UpstreamStream, isConnected: Bool) {
        let slot = link.session.open()
        let stream = spares.take() ?? UpstreamStream(self)
        stream.begin(slot: slot, exchange: exchange, isReused: requests > 0 && state == .open)
        streams[slot] = stream
        streamCount += 1
        requests += 1
        if streamCount == 1 {
            clock.busy()
            if requests > 1 { pool.becameBusy() }
        }
        guard state == .open else { return (stream, false) }
        guard exchange.isTunnel, takesTunnels != true else { return (stream, true) }
        // What becomes of it is not told before its exchange knows of the stream.
        stream.body.resumeNextTurn()
        return (stream, false)
    }

    /// Whether the endpoint takes extended CONNECT (RFC 8441 §3); nil until it has said so.
    var takesTunnels: Bool? { hasSettings ? link.session.peerAllowsExtendedConnect : nil }

    /// A stream's exchange is over, or has given it up.
    func closed(_ stream: UpstreamStream, _ code: H2ErrorCode) {
        let slot = stream.slot
        guard streams[slot] === stream else { return }
        streams[slot] = nil
        streamCount -= 1
        switch state {
        case .connecting: link.session.close(slot, code)
        case .open, .draining:
            link.willQueue()
            link.session.close(slot, code)
        case .closed: return
        }
        guard streamCount == 0 else { return }
        worker.rests(link.transport)
        pool.becameIdle()
        if state == .draining || requests >= pool.limits.requestsMax { return finishDraining() }
        guard pool.keeps(self) else { return close(.poolFull) }
        if state == .open {
            clock.idle(since: worker.loop.now, for: pool.limits.idleNanoseconds)
            reschedule()
        }
    }

    /// A stream's object has nothing to do.
    func recycle(_ stream: UpstreamStream) {
        guard state != .closed else { return }
        spares.put(stream)
        guard streamCount == 0, spares.count > Self.sparesKept, !isTrimDue else { return }
        isTrimDue = true
        worker.trimLater(self)
    }

    func trim() {
        isTrimDue = false
        if streamCount == 0 { spares.dropAll(but: Self.sparesKept) }
    }

    // MARK: Events

    func ready(_ readiness: Readiness) {
        link.transport.note(readiness)
        if state == .connecting { return proceed() }
        guard state != .closed else { return }
        if readiness.isReadable { processInput() }
        if readiness.isWritable, state != .closed, link.flush() == .drained { resumeBlocked() }
    }

    func resumed() {
        forEachStream { if $0.body.takeResume() { $0.resumed() } }
    }

    func flushed(_ outcome: PushOutcome.State) {
        if case .failed(let error) = outcome { lost(.reset(error), .peerClosed) }
    }

    private func proceed() {
        switch dialing.proceed(link.transport, pool.tls) {
        case .pending: break
        case .failed(let reason, let why): failConnecting(reason, why)
        case .connected: connected()
        }
    }

    private func connected() {
        state = .open
        link.queue.start()
        clock.received(at: worker.loop.now)
        if streamCount == 0 { clock.idle(since: worker.loop.now, for: pool.limits.idleNanoseconds) }
        reschedule()
        forEachStream { $0.connected() }
        // A server speaks first; the kernel will not say so twice.
        if state != .closed, link.transport.isReadable { processInput() }
    }

    private func settingsReceived() {
        pool.peerStreamsMax = link.session.peerStreamsMax
        guard !hasSettings else { return }
        hasSettings = true
        forEachStream { $0.settingsReceived() }
    }

    private func failConnecting(_ reason: Reason, _ why: String) {
        close(.connectFailed)
        forEachStream { $0.exchange?.upstreamFailedToConnect(reason, why) }
    }

    /// Another connection may do; one that takes no stream at all is of no use.
    private func streamRefused() {
        refusedAt = streamCount - 1
        if refusedAt == 0 { drain() }
    }

    private func resumeBlocked() {
        let streams = self.streams
        let first = turns.begin(among: streams.count) { streams[$0]?.body.isBlocked ?? false }
        forEachStream(from: first) { $0.windowOpened() }
    }

    // MARK: Frames

    private func processInput() {
        guard !isProcessing else { return }
        isProcessing = true
        defer { isProcessing = false }
        while state != .closed {
            if !link.input.isEmpty { handleFrames() }
            guard state != .closed else { return }
            switch link.fill() {
            case .bytes: clock.received(at: worker.loop.now)
            case .wouldBlock: return
            case .endOfStream: return lost(.closed, .peerClosed)
            case .failed(let error): return lost(.reset(error), .peerClosed)
            }
        }
    }

    private func handleFrames() {
        while true {
            switch link.next() {
            case .needMore: return link.inputHandled()
            case .head(let slot, _, let ends):
                streams[slot]?.headReceived(ends: ends)
            case .data(let slot, let range, let ends):
                streams[slot]?.payloadReceived(range, ends: ends)
            case .reset(let slot, let code):
                if code == .refusedStream { streamRefused() }
                streams[slot]?.failed(.streamReset(code, isUnprocessed: code == .refusedStream))
            case .streamFailed(let slot, _, let error): streams[slot]?.failed(.malformed(error))
            case .refused(let slot): streams[slot]?.failed(.streamReset(.refusedStream, isUnprocessed: true))
            case .writable(let slot):
                streams[slot]?.windowOpened()
            case .allWritable: resumeBlocked()
            case .settings: settingsReceived()
            case .goAway: drain()
            case .pong: clock.answered(at: worker.loop.now)
            case .failed(let violation):
                _ = link.flush()
                return lost(.violation(violation), .notReusable)
            }
            if state == .closed { return }
        }
    }

    // MARK: Time

    private func reschedule() {
        if state == .open || state == .draining { worker.loop.schedule(timer, at: clock.deadline) }
    }

    func timerFired(_ timer: Timer) {
        switch state {
        case .connecting:
            let timeout = dialing.timedOut(pool.tls)
            failConnecting(timeout.reason, timeout.why)
        case .open, .draining:
            switch clock.fired(at: worker.loop.now) {
            case .nothing, .overdue: break
            case .ping: link.queue.ping()
            case .unanswered: return lost(.closed, .peerClosed)
            case .aged: drain()
            case .idle: return close(.idleTooLong)
            }
            reschedule()
        case .closed: break
        }
    }

    // MARK: The end

    /// Takes no more streams; those under way finish.
    func drain() {
        guard state == .open else { return }
        state = .draining
        pool.leaves(self)
        if streamCount == 0 { finishDraining() }
    }

    private func finishDraining() { close(.usedUp) }

    /// The connection is gone: what it carried fails.
    private func lost(_ failure: BodyFailure, _ reason: UpstreamLease.Reason) {
        close(reason)
        forEachStream { $0.failed(failure) }
    }

    /// Those that are open, in a ring that begins at a slot; each may be closed on the way.
    private func forEachStream(from first: Int = 0, _ body: (UpstreamStream) -> Void) {
        let count = streams.count
        for offset in 0..<count {
            let slot = first + offset
            if let stream = streams[slot < count ? slot : slot - count] { body(stream) }
        }
    }

    func close(_ reason: UpstreamLease.Reason) {
        guard state != .closed else { return }
        let wasIdle = streamCount == 0
        if state != .connecting, link.transport.isWritable {
            link.queue.goAway(.noError)
            _ = link.flush()
        }
        state = .closed
        spares.dropAll(but: 0)
        worker.loop.cancel(timer)
        link.close()
        pool.closed(self, wasIdle: wasIdle, reason)
    }
}
