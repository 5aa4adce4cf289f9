import Core
import HTTP
import IO

/// One client's HTTP/2 connection: reads frames, runs an exchange for every stream, writes the frames of a turn at its end.
///
/// Owned by its worker's slab, used on that worker only. Takes over from a `DownstreamConnection` once the client's
/// protocol is known. Holds streams and buffers only while they are needed, so that an idle connection is this object,
/// its link with the session, and a timer.
///
///     open ─age, drain─▶ draining ─last stream─▶ closing ─written─▶ lingering ─end or timeout─▶ closed
final class DownstreamSession: EventHandler, TimerTarget, H2LinkOwner, Trimmable {
    private enum State {
        case open
        /// GOAWAY is sent or about to be; streams under way finish.
        case draining
        /// No stream is left, or the client broke the protocol: the last frames are being written.
        case closing
        /// What the client still sends is dropped, so that a reset does not overtake the last frames.
        case lingering
        case closed
    }

    /// Stream objects that an idle connection keeps.
    private static let sparesKept = 2
    private static let lingerMax: Duration = .seconds(2)
    private static let lingerBytesMax = 1 << 20

    let worker: Worker
    let listener: Listener
    let peer: SocketAddress
    /// Nil on a plain connection.
    let tls: ClientTLS?
    let link: H2Link
    private let timer = Timer()
    private var clock: H2Clock
    private var token: Slab<DownstreamSession>.Token?
    private var state = State.open
    /// By slot of the session.
    private let streams = Row<DownstreamStream>()
    private var streamCount = 0
    private var turns = H2Turns()
    private let spares = Spares<DownstreamStream>()
    private var requests: UInt32 = 0
    /// Input is being worked on further up the stack.
    private var isProcessing = false
    /// The client does not read its responses: no more requests are read until it does.
    private var isHeldUp = false
    private var isTrimDue = false
    /// The client sent GOAWAY.
    private var isClientLeaving = false
    private var lingerBudget = DownstreamSession.lingerBytesMax

    /// Takes an established connection over, with the `bytes` that were read from it already.
    init(
        _ transport: Transport, bytes: Buffer, tls: ClientTLS?, peer: SocketAddress, listener: Listener, worker: Worker
    ) {
        self.worker = worker
        self.listener = listener
        self.peer = peer
        self.tls = tls
        link = H2Link(transport, .server, limits: listener.http2.limits, worker: worker)
        var random = worker.random
        clock = H2Clock(listener.http2.clock, now: worker.loop.now, random: &random)
        worker.random = random
        timer.target = self
        if !bytes.isEmpty {
            worker.buffers.lend(to: link.input)
            link.input.append(bytes.readable)
        }
        token = worker.sessions.insert(self)
        link.attach(self)
        transport.reattach(self)
        worker.metrics.add(.http2Connections, listener: listener.index)
    }

    /// Begins to speak and reads what has come.
    func start() {
        link.queue.start()
        clock.idle(since: worker.loop.now, for: listener.headTimeout)
        processInput()
        reschedule()
    }

    // MARK: Events

    func ready(_ readiness: Readiness) {
        link.transport.note(readiness)
        switch state {
        case .open, .draining:
            if readiness.isError { return lost("the client reset the connection") }
            if readiness.isReadable { processInput() }
            if readiness.isWritable { resumeWriting() }
        case .closing: finishClosing()
        case .lingering: linger()
        case .closed: break
        }
    }

    func resumed() {
        forEachStream { if $0.body.takeResume() { $0.exchange?.downstreamReadable($0) } }
    }

    func flushed(_ outcome: PushOutcome.State) {
        switch (state, outcome) {
        case (.open, .failed), (.draining, .failed): lost("writing to the client failed")
        case (.closing, _): finishClosing()
        default: break
        }
    }

    /// The client takes bytes again.
    private func resumeWriting() {
        guard link.flush() == .drained else { return }
        resumeBlocked()
        guard isHeldUp else { return }
        isHeldUp = false
        processInput()
    }

    private func resumeBlocked() {
        let streams = self.streams
        let first = turns.begin(among: streams.count) { streams[$0]?.body.isBlocked ?? false }
        forEachStream(from: first) { $0.windowOpened() }
    }

    /// Those that are open, in a ring that begins at a slot; each may be closed on the way.
    private func forEachStream(from first: Int = 0, _ body: (DownstreamStream) -> Void) {
        let count = streams.count
        for offset in 0..<count {
            let slot = first + offset
            if let stream = streams[slot < count ? slot : slot - count] { body(stream) }
        }
    }

    // MARK: Frames

    private func processInput() {
        guard !isProcessing, !isHeldUp else { return }
        isProcessing = true
        defer { isProcessing = false }
        while state == .open || state == .draining {
            if !link.input.isEmpty { handleFrames() }
            guard state == .open || state == .draining, !isHeldUp else { return }
            switch link.fill() {
            case .bytes: clock.received(at: worker.loop.now)
            case .wouldBlock: return
            case .endOfStream: return lost("the client closed the connection")
            case .failed(let error): return lost("\(error)")
            }
        }
    }

    private func handleFrames() {
        while true {
            switch link.next() {
            case .needMore: return link.inputHandled()
            case .head(let slot, let isNew, let ends):
                headReceived(slot, isNew: isNew, ends: ends)
                if link.isBackedUp {
                    isHeldUp = true
                    return
                }
            case .data(let slot, let range, let ends):
                streams[slot]?.payloadReceived(range, ends: ends)
            case .reset(let slot, let code): streams[slot]?.exchange?.clientReset(code)
            case .streamFailed(let slot, _, let error): streams[slot]?.exchange?.clientBroke(error)
            case .writable(let slot):
                streams[slot]?.windowOpened()
            case .allWritable: resumeBlocked()
            case .settings, .refused: break
            case .goAway: clientLeaves()
            case .pong:
                clock.answered(at: worker.loop.now)
                if state == .draining, streamCount == 0 { finishDraining() }
            case .failed(let violation): return violated(violation)
            }
            guard state == .open || state == .draining else { return }
        }
    }

    private func headReceived(_ slot: Int, isNew: Bool, ends: Bool) {
        guard isNew else { return trailersReceived(slot) }
        let exchange = worker.leaseExchange()
        exchange.headBegan(at: worker.loop.now)
        let stream = spares.take() ?? DownstreamStream(self)
        stream.begin(slot: slot, exchange: exchange)
        insert(stream, at: slot)
        do {
            try link.session.decodeRequest(slot, into: exchange.request)
        } catch {
            // What is malformed is a stream error (RFC 9113 §8.1.1); what is only too much can be told.
            if error.status == 400 { return exchange.refuse(stream, error) }
            if ends { stream.body.ended() }
            return exchange.reject(stream, error)
        }
        stream.headDecoded(exchange.request.headers.storage.writerIndex)
        if ends { stream.body.ended() }
        requests += 1
        if requests == listener.requestsMax { drain() }
        exchange.begin(stream, isLast: false)
    }

    private func trailersReceived(_ slot: Int) {
        guard let stream = streams[slot] else { return }
        do {
            try link.session.decodeTrailers(slot, into: stream.body.trailersForReading())
        } catch {
            stream.exchange?.clientBroke(error)
            return
        }
        stream.body.ended()
        stream.exchange?.downstreamReadable(stream)
    }

    /// The client opens no more streams: when the last has ended there is nothing to keep the connection for.
    private func clientLeaves() {
        isClientLeaving = true
        if streamCount == 0 { beginClosing(.noError) }
    }

    // MARK: Streams

    private func insert(_ stream: DownstreamStream, at slot: Int) {
        streams[slot] = stream
        streamCount += 1
        if streamCount == 1 { clock.busy() }
    }

    /// A stream's exchange is over.
    func closed(_ stream: DownstreamStream, _ code: H2ErrorCode) {
        let slot = stream.slot
        guard streams[slot] === stream else { return }
        streams[slot] = nil
        streamCount -= 1
        if state == .open || state == .draining {
            link.willQueue()
            link.session.close(slot, code)
        }
        guard streamCount == 0 else { return }
        worker.rests(link.transport)
        clock.idle(since: worker.loop.now, for: listener.keepAliveTimeout)
        reschedule()
        if state == .draining { finishDraining() } else if isClientLeaving { beginClosing(.noError) }
    }

    /// A stream's object has nothing to do.
    func recycle(_ stream: DownstreamStream) {
        guard state == .open || state == .draining else { return }
        spares.put(stream)
        guard streamCount == 0, spares.count > Self.sparesKept, !isTrimDue else { return }
        isTrimDue = true
        worker.trimLater(self)
    }

    func trim() {
        isTrimDue = false
        if streamCount == 0 { spares.dropAll(but: Self.sparesKept) }
    }

    // MARK: Time

    private func reschedule() {
        if state == .open || state == .draining { worker.loop.schedule(timer, at: clock.deadline) }
    }

    func timerFired(_ timer: Timer) {
        switch state {
        case .open, .draining:
            switch clock.fired(at: worker.loop.now) {
            case .nothing: break
            case .ping: link.queue.ping()
            case .unanswered: return lost("a PING was not answered in time")
            case .aged: drain()
            case .idle: return beginClosing(.noError)
            case .overdue: return cut()
            }
            reschedule()
        case .closing, .lingering: close()
        case .closed: break
        }
    }

    // MARK: The end

    /// Takes no more streams: the client is told, and opens another connection (RFC 9113 §6.8). A PING's answer says
    /// that it has heard.
    func drain() {
        guard state == .open else { return }
        state = .draining
        link.queue.beginShutdown()
        link.queue.ping()
        clock.draining(since: worker.loop.now)
        if streamCount == 0 { finishDraining() } else { reschedule() }
    }

    private func finishDraining() {
        // A stream opened meanwhile comes before the answer to the PING.
        if worker.isDraining || clock.isHeard { beginClosing(.noError) }
    }

    /// The worker ends: exchanges under way fail, and the connection closes.
    func cut() {
        forEachStream { $0.exchange?.workerEnded() }
        if state == .open || state == .draining { link.queue.goAway(.noError) }
        _ = link.flush()
        close()
    }

    private func violated(_ violation: H2Violation) {
        worker.violated(violation, peer: peer, listener: listener.index)
        abandonStreams(violation.word.description)
        state = .closing
        finishClosing()
    }

    private func lost(_ why: String) {
        abandonStreams(why)
        close()
    }

    /// The client is gone, or as good as: its exchanges end.
    private func abandonStreams(_ why: String) {
        state = .closing
        forEachStream { $0.exchange?.clientGone(why) }
        streams.removeAll()
        spares.dropAll(but: 0)
        streamCount = 0
    }

    private func beginClosing(_ code: H2ErrorCode) {
        guard state == .open || state == .draining else { return }
        link.queue.goAway(code)
        state = .closing
    }

    private func finishClosing() {
        switch link.flush() {
        case .blocked: worker.loop.schedule(timer, after: Self.lingerMax)
        case .failed: close()
        case .drained:
            guard !link.transport.isHungUp else { return close() }
            state = .lingering
            link.transport.shutdownWriting()
            worker.loop.schedule(timer, after: Self.lingerMax)
            linger()
        }
    }

    private func linger() {
        if link.discardInput(&lingerBudget) { close() }
    }

    func close() {
        guard state != .closed else { return }
        state = .closed
        spares.dropAll(but: 0)
        worker.loop.cancel(timer)
        worker.closed(link.transport)
        link.close()
        listener.connectionClosed()
        if let token { worker.sessions.remove(token) }
    }
}
