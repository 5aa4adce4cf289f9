import Core

/// Streams: how they begin, end, and are judged when they are no more (RFC 9113 §5.1).
extension H2Session {
    /// Whether frames for a stream that nobody holds are errors.
    enum Unheld { case ignored, ended, idle }

    func judgeUnheld(_ id: UInt32) -> Unheld {
        // Streams with even numbers begin at servers, by promises that nobody makes here (§5.1.1).
        guard id & 1 == 1 else { return .idle }
        if role == .server {
            if id > state.value.lastAccepted { return .ignored }
            if id > state.value.lastPeerID { return .idle }
        } else if id >= state.value.nextID {
            return .idle
        }
        switch closed.find(id) {
        case .resetHere: return .ignored
        case .ended: return .ended
        // A client may leave numbers out: those were never used (§5.1.1). Its own streams a client has all used.
        case .unknown: return role == .server ? .idle : .ended
        }
    }

    /// What a stream's receive window begins with. A peer that has not yet seen our SETTINGS goes by the protocol's
    /// default, so a smaller one holds only once they are acknowledged (§6.9.3).
    var receiveWindowInitial: Int {
        state.value.isAcknowledged ? limits.streamWindow : max(limits.streamWindow, H2Settings.windowDefault)
    }

    // MARK: The client's streams

    /// Client: whether `open` may be called: the peer's limit is not reached, it did not say GOAWAY, numbers are left.
    package var canOpen: Bool {
        guard role == .client, state.value.failure == nil, !state.value.peerGoesAway, state.value.lastAccepted == .max
        else { return false }
        let last = Int(state.value.nextID) &+ state.value.unnumbered &* 2
        return last <= H2Frame.numberMax && streams.heldCount < state.value.peer.streamsMax
    }

    /// Client: holds a slot for a new stream. Its number is given when its head is queued, for numbers must appear in
    /// order.
    package func open() -> Slot {
        precondition(canOpen, "open without asking canOpen")
        state.value.unnumbered &+= 1
        return streams.hold(H2Stream())
    }

    /// Numbers a client's stream.
    func number(_ slot: Slot) {
        let id = state.value.nextID
        state.value.nextID &+= 2
        state.value.unnumbered &-= 1
        streams.number(slot, id)
        streams[slot].sendWindow = state.value.peer.initialWindow
        streams[slot].receiveWindow = receiveWindowInitial
    }

    // MARK: Ends

    /// The owner is done with the stream, and its slot is free. Unless both sides ended it, or one reset it,
    /// RST_STREAM with `code` is queued; `noError` when the response is complete and the rest of the request unwanted
    /// (§8.1). Payload not yet consumed counts as consumed; what still comes is ignored.
    package func close(_ slot: Slot, _ code: H2ErrorCode) {
        let stream = streams[slot]
        precondition(stream.flags.contains(.held), "a stream is closed once")
        if state.value.blockSlot == slot { state.value.blockSlot = -1 }
        if stream.id == 0 {
            state.value.unnumbered &-= 1
        } else {
            var resetHere = stream.flags.contains(.resetHere)
            // A peer whose last frame was at fault hears of it, though the stream has ended by then.
            let isAtFault = code == .protocolError && stream.flags.isDisjoint(with: [.resetHere, .resetThere])
            if !stream.isClosed || isAtFault {
                resetHere = true
                queueReset(stream.id, code)
                if role == .server, code == .protocolError { state.value.mistakes &+= 1 }
            }
            abandonPayload(of: slot)
            closed.remember(stream.id, resetHere: resetHere)
        }
        streams.release(slot)
    }

    /// The peer broke a rule on a stream (§5.4.2). It costs this side a frame, so it counts like a reset of its own.
    func failStream(_ slot: Slot, _ code: H2ErrorCode, _ error: HTTPError, _ now: Instant) -> Event {
        streams[slot].flags.insert(.resetHere)
        queueReset(streams[slot].id, code)
        if let event = note(.reset, now) { return event }
        return .streamFailed(slot, code, error)
    }

    /// RST_STREAM (§6.4), whole in the input.
    func receiveReset(_ frame: H2Frame, _ input: Buffer, _ now: Instant) -> Event? {
        let code = H2ErrorCode(wire: input.readable.network(at: H2Frame.headerBytes))
        input.consume(H2Frame.headerBytes &+ frame.length)
        // A server's resets end what its client began: they cost nothing that was not wanted.
        guard let slot = streams.find(frame.stream) else {
            if judgeUnheld(frame.stream) == .idle, !isForgotten(frame.stream) { return fail(.unexpectedStream) }
            // It has its response, or was refused one: gRPC's clients say so after each call that was answered early.
            return nil
        }
        if role == .server, let event = note(.reset, now) { return event }
        guard !streams[slot].isClosed else { return nil }
        streams[slot].flags.insert(.resetThere)
        return .reset(slot, code)
    }

    /// Whether a stream's number is below those in use, so that it is closed, used or not (§5.1.1).
    func isForgotten(_ id: UInt32) -> Bool {
        id & 1 == 1 && (role == .server ? id <= state.value.lastPeerID : id < state.value.nextID)
    }

    // MARK: GOAWAY

    /// GOAWAY (§6.8), whole in the input.
    func receiveGoAway(_ frame: H2Frame, _ input: Buffer) -> Event? {
        let last = input.readable.network(at: H2Frame.headerBytes) & 0x7FFF_FFFF
        let code = H2ErrorCode(wire: input.readable.network(at: H2Frame.headerBytes &+ 4))
        input.consume(H2Frame.headerBytes &+ frame.length)
        state.value.peerGoesAway = true
        state.value.peerLastID = min(state.value.peerLastID, last)
        if role == .client { state.value.refusedCursor = 0 }
        return .goAway(code)
    }

    /// The next stream that the peer's GOAWAY leaves out.
    func nextRefused() -> Event? {
        while state.value.refusedCursor < streams.endIndex {
            let slot = state.value.refusedCursor
            state.value.refusedCursor &+= 1
            let stream = streams[slot]
            guard stream.flags.contains(.held), !stream.isClosed else { continue }
            if stream.id == 0 || stream.id > state.value.peerLastID {
                streams[slot].flags.insert(.resetThere)
                return .refused(slot)
            }
        }
        state.value.refusedCursor = -1
        return nil
    }

    /// The graceful end begins: GOAWAY with the highest number there is, so that streams on their way still count
    /// (§6.8). After a round trip `goAway` should follow.
    package func beginShutdown() {
        guard state.value.failure == nil else { return }
        queueGoAway(last: UInt32(H2Frame.numberMax), .noError, debug: "")
    }

    /// Takes no new streams from here on: those that still come are ignored. GOAWAY says which were the last.
    package func goAway(_ code: H2ErrorCode) {
        guard state.value.failure == nil else { return }
        state.value.lastAccepted = state.value.lastPeerID
        queueGoAway(last: state.value.lastPeerID, code, debug: "")
    }
}
