import Core

/// Receiving DATA (RFC 9113 §6.1) and giving windows back (§6.9).
extension H2Session {
    /// A DATA frame begins. It is judged by its header, before any of its payload is given to the owner.
    func receiveData(_ frame: H2Frame, _ input: Buffer, _ now: Instant) -> Event? {
        guard frame.stream != 0 else { return fail(.unexpectedStream) }
        var overhead = 0
        if frame.has(H2Frame.Flag.padded) {
            guard frame.length > 0 else { return fail(.frameSizeWrong) }
            guard input.readableCount > H2Frame.headerBytes else { return needMore(H2Frame.headerBytes &+ 1) }
            overhead = Int(input.readable[H2Frame.headerBytes]) &+ 1
            guard overhead <= frame.length else { return fail(.paddingTooLong) }
        }
        guard state.value.receiveWindow.take(frame.length) else { return fail(.flowControlExceeded) }
        guard let slot = streams.find(frame.stream) else { return receiveStrayData(frame, input) }
        var stream = streams[slot]
        let payload = frame.length &- overhead
        let ends = frame.has(H2Frame.Flag.endStream)
        if let event = judge(stream, slot, frame, payload: payload, input, now) { return event }
        if stream.flags.contains(.resetHere) { return discard(frame, input) }
        if payload == 0, !ends, let event = note(.emptyFrame, now) { return event }

        stream.receiveWindow &-= frame.length
        if stream.bodyLeft >= 0 { stream.bodyLeft &-= payload }
        input.consume(H2Frame.headerBytes &+ (overhead > 0 ? 1 : 0))
        state.value.skipLeft = overhead > 0 ? overhead &- 1 : 0
        if overhead > 0 {
            stream.creditDue &+= overhead
            state.value.receiveWindow.discard(overhead)
        }
        if ends, payload == 0 { stream.flags.insert(.remoteEnded) }
        streams[slot] = stream
        if payload == 0 {
            if overhead > 0 { creditWindows(slot) }
            guard ends else { return nil }
            return .data(slot, input.readerIndex..<input.readerIndex, ends: true)
        }
        state.value.dataSlot = slot
        state.value.dataLeft = payload
        state.value.dataEnds = ends
        return nil
    }

    /// What is wrong with a DATA frame on a stream that is held (§5.1, §6.9.1, §8.1.1).
    @inline(__always)
    private func judge(
        _ stream: H2Stream, _ slot: Slot, _ frame: H2Frame, payload: Int, _ input: Buffer, _ now: Instant
    ) -> Event? {
        let flags = stream.flags
        if flags == [.held, .headed] || flags == [.held, .headed, .localEnded] {
            guard frame.length <= stream.receiveWindow else {
                return refuseData(slot, .flowControlError, .flowControlExceeded, frame, input, now)
            }
            let fits =
                stream.bodyLeft < 0
                || (frame.has(H2Frame.Flag.endStream) ? payload == stream.bodyLeft : payload <= stream.bodyLeft)
            return fits ? nil : refuseData(slot, .protocolError, .contentLengthMismatch, frame, input, now)
        }
        if flags.contains(.resetHere) { return nil }
        if stream.isClosed { return fail(.streamClosed) }
        let code: H2ErrorCode = flags.contains(.remoteEnded) ? .streamClosed : .protocolError
        return refuseData(slot, code, .unexpectedFrame, frame, input, now)
    }

    private func refuseData(
        _ slot: Slot, _ code: H2ErrorCode, _ error: HTTPError, _ frame: H2Frame, _ input: Buffer, _ now: Instant
    ) -> Event {
        _ = discard(frame, input)
        return failStream(slot, code, error, now)
    }

    /// DATA on a stream that nobody holds.
    private func receiveStrayData(_ frame: H2Frame, _ input: Buffer) -> Event? {
        switch judgeUnheld(frame.stream) {
        case .ignored: discard(frame, input)
        case .ended: fail(.streamClosed)
        case .idle: fail(.unexpectedStream)
        }
    }

    /// Passes over the whole frame. Its bytes count on the connection's window, and are given back at once.
    private func discard(_ frame: H2Frame, _ input: Buffer) -> Event? {
        input.consume(H2Frame.headerBytes)
        state.value.skipLeft = frame.length
        discardFromConnection(frame.length)
        return nil
    }

    /// Payload of the frame that is being read, or bytes that mean nothing. Nil when the frame's end was reached
    /// without an event.
    @inline(__always)
    func receivePayload(_ input: Buffer) -> Event? {
        let available = input.readableCount
        guard available > 0 else { return needMore(1) }
        let left = state.value.dataLeft
        guard left > 0 else {
            let count = min(available, state.value.skipLeft)
            input.consume(count)
            state.value.skipLeft &-= count
            return state.value.skipLeft > 0 ? needMore(1) : nil
        }
        let count = min(available, left)
        let slot = state.value.dataSlot
        let ends = state.value.dataEnds && count == left
        state.value.dataLeft = left &- count
        state.value.receiveWindow.deliver(count)
        creditConnection()
        streams[slot].unconsumed &+= count
        if ends { streams[slot].flags.insert(.remoteEnded) }
        state.value.eventBytes = count
        return .data(slot, input.readerIndex..<input.readerIndex &+ count, ends: ends)
    }

    /// The owner passed on `count` bytes of payload that it was given: the peer may send as many again. Windows are given
    /// back when half of one is due.
    package func consumed(_ slot: Slot, _ count: Int) {
        guard state.value.failure == nil else { return }
        precondition(count >= 0 && count <= streams[slot].unconsumed, "consumed more than was given")
        streams[slot].unconsumed &-= count
        streams[slot].creditDue &+= count
        state.value.receiveWindow.consume(count)
        creditWindows(slot)
    }

    @inline(__always)
    func creditWindows(_ slot: Slot) {
        creditConnection()
        let stream = streams[slot]
        guard stream.creditDue &* 2 >= limits.streamWindow, !stream.flags.contains(.remoteEnded), !stream.isClosed
        else {
            return
        }
        // A body whose rest fits into what is left of the window needs no more of it.
        if stream.bodyLeft >= 0, stream.bodyLeft <= stream.receiveWindow { return }
        streams[slot].receiveWindow &+= stream.creditDue
        streams[slot].creditDue = 0
        queueWindowUpdate(stream.id, stream.creditDue)
    }

    @inline(__always)
    private func creditConnection() {
        let increment = state.value.receiveWindow.takeIncrement()
        if increment > 0 { queueConnectionWindow(increment) }
    }

    func discardFromConnection(_ count: Int) {
        state.value.receiveWindow.discard(count)
        creditConnection()
    }

    /// Payload that the owner of a closing stream did not consume, and that it will not be given.
    func abandonPayload(of slot: Slot) {
        state.value.receiveWindow.consume(streams[slot].unconsumed)
        if state.value.dataLeft > 0, state.value.dataSlot == slot {
            state.value.receiveWindow.discard(state.value.dataLeft)
            state.value.skipLeft &+= state.value.dataLeft
            state.value.dataLeft = 0
            state.value.dataSlot = -1
        }
        creditConnection()
    }
}
