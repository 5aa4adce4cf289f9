package import Core

/// Reading: from bytes to frames, and each frame to those who understand it.
extension H2Session {
    /// Takes frames at the start of `input` until one concerns the owner. The bytes of that event are consumed by the
    /// next call. `now`: this turn's time, by which floods are measured.
    package func next(_ input: Buffer, now: Instant) -> Event {
        finishEvent(input)
        if let failure = state.value.failure { return .failed(failure) }
        if state.value.mistakes > 0, let event = countMistakes(now) { return event }
        if let event = owedEvent() { return event }
        if state.value.awaitsPreface, let event = receivePreface(input) { return event }
        while true {
            if state.value.dataLeft > 0 || state.value.skipLeft > 0 {
                if let event = receivePayload(input) { return event }
            }
            guard input.readableCount >= H2Frame.headerBytes else { return needMore(H2Frame.headerBytes) }
            let frame = H2Frame(input.readable)
            let event: Event?
            if frame.kind == H2Frame.Kind.data, frame.length <= H2Frame.payloadMax, state.value.blockStream == 0,
                !state.value.awaitsSettings
            {
                event = receiveData(frame, input, now)
            } else {
                event = receive(frame, input, now)
            }
            if let event { return event }
        }
    }

    /// Drops what the last event covered. A header block that nobody decoded still passes through the decoder.
    @inline(__always)
    private func finishEvent(_ input: Buffer) {
        if state.value.blockWaits { skipWaitingBlock() }
        let count = state.value.eventBytes
        if count > 0 {
            state.value.eventBytes = 0
            input.consume(count)
        }
    }

    @inline(__always)
    func needMore(_ wanted: Int) -> Event {
        state.value.wanted = wanted
        return .needMore
    }

    /// Ends the connection (§5.4.1): GOAWAY with the violation's code and word.
    func fail(_ violation: H2Violation) -> Event {
        if state.value.failure == nil {
            state.value.failure = violation
            queueGoAway(last: state.value.lastPeerID, violation.code, debug: violation.word)
        }
        return .failed(state.value.failure ?? violation)
    }

    /// Counts an event that floods are made of; the failure when it is one too many.
    func note(_ kind: H2Floods.Kind, _ now: Instant) -> Event? {
        guard let violation = state.value.floods.note(kind, now, limits) else { return nil }
        return fail(violation)
    }

    private func countMistakes(_ now: Instant) -> Event? {
        var event: Event?
        while state.value.mistakes > 0, event == nil {
            state.value.mistakes &-= 1
            event = note(.reset, now)
        }
        return event
    }

    /// Events that one frame caused beside its first.
    @inline(__always)
    private func owedEvent() -> Event? {
        if state.value.owesAllWritable {
            state.value.owesAllWritable = false
            return .allWritable
        }
        return state.value.refusedCursor >= 0 ? nextRefused() : nil
    }

    /// Compares the client's preface as it comes (§3.4).
    private func receivePreface(_ input: Buffer) -> Event? {
        let expected = H2Preface.bytes.bytes
        let count = min(input.readableCount, expected.count)
        guard input.readable.extracting(first: count).equals(expected.extracting(first: count)) else {
            return fail(.badPreface)
        }
        guard count == expected.count else { return needMore(expected.count) }
        input.consume(count)
        state.value.awaitsPreface = false
        return nil
    }

    /// All frames but DATA in its ordinary place.
    private func receive(_ frame: H2Frame, _ input: Buffer, _ now: Instant) -> Event? {
        if state.value.awaitsSettings {
            guard frame.kind == H2Frame.Kind.settings, !frame.has(H2Frame.Flag.ack) else { return fail(.badPreface) }
        }
        guard frame.length <= H2Frame.payloadMax else { return fail(.frameTooLarge) }
        if state.value.blockStream != 0 {
            guard frame.kind == H2Frame.Kind.continuation, frame.stream == state.value.blockStream else {
                return fail(.headersInterrupted)
            }
        }
        if let violation = Self.malformation(of: frame) { return fail(violation) }
        guard Self.isTakenWhole(frame.kind) else { return receiveUnknown(frame, input, now) }
        let total = H2Frame.headerBytes &+ frame.length
        guard input.readableCount >= total else { return needMore(total) }
        switch frame.kind {
        case H2Frame.Kind.headers: return receiveHeaders(frame, input, now)
        case H2Frame.Kind.continuation: return receiveContinuation(frame, input, now)
        case H2Frame.Kind.windowUpdate: return receiveWindowUpdate(frame, input, now)
        case H2Frame.Kind.resetStream: return receiveReset(frame, input, now)
        case H2Frame.Kind.settings: return receiveSettings(frame, input, now)
        case H2Frame.Kind.ping: return receivePing(frame, input, now)
        case H2Frame.Kind.goAway: return receiveGoAway(frame, input)
        case H2Frame.Kind.priority: return receivePriority(frame, input, now)
        default: return fail(.pushUnexpected)
        }
    }

    private static func isTakenWhole(_ kind: UInt8) -> Bool { kind <= H2Frame.Kind.continuation }

    /// What is wrong with a frame whatever its payload: the stream that it names, and its size (§6.1 to §6.10).
    private static func malformation(of frame: H2Frame) -> H2Violation? {
        let isOnStream = frame.stream != 0
        switch frame.kind {
        case H2Frame.Kind.data, H2Frame.Kind.headers, H2Frame.Kind.continuation:
            return isOnStream ? nil : .unexpectedStream
        case H2Frame.Kind.priority: return isOnStream ? nil : .unexpectedStream
        case H2Frame.Kind.resetStream:
            guard isOnStream else { return .unexpectedStream }
            return frame.length == 4 ? nil : .frameSizeWrong
        case H2Frame.Kind.settings:
            guard !isOnStream else { return .unexpectedStream }
            if frame.has(H2Frame.Flag.ack) { return frame.length == 0 ? nil : .frameSizeWrong }
            return frame.length % 6 == 0 ? nil : .frameSizeWrong
        case H2Frame.Kind.pushPromise: return .pushUnexpected
        case H2Frame.Kind.ping:
            guard !isOnStream else { return .unexpectedStream }
            return frame.length == 8 ? nil : .frameSizeWrong
        case H2Frame.Kind.goAway:
            guard !isOnStream else { return .unexpectedStream }
            return frame.length >= 8 ? nil : .frameSizeWrong
        case H2Frame.Kind.windowUpdate: return frame.length == 4 ? nil : .frameSizeWrong
        default: return nil
        }
    }

    /// Frames of unknown type are ignored (§4.1, §5.5), not their number. PRIORITY_UPDATE (RFC 9218 §7.1) is known, and
    /// means nothing to a proxy that serves all streams alike.
    private func receiveUnknown(_ frame: H2Frame, _ input: Buffer, _ now: Instant) -> Event? {
        let kind: H2Floods.Kind = frame.kind == H2Frame.Kind.priorityUpdate ? .priority : .emptyFrame
        if let event = note(kind, now) { return event }
        input.consume(H2Frame.headerBytes)
        state.value.skipLeft = frame.length
        return nil
    }
}
