import Core

/// Receiving HEADERS and CONTINUATION (RFC 9113 §4.3, §6.2, §6.10).
///
/// Every block passes through the decoder, wanted or not, for both sides' tables must stay the same.
extension H2Session {
    /// A HEADERS frame, whole in the input.
    func receiveHeaders(_ frame: H2Frame, _ input: Buffer, _ now: Instant) -> Event? {
        var start = H2Frame.headerBytes
        var end = start &+ frame.length
        let bytes = input.readable
        if frame.has(H2Frame.Flag.padded) {
            guard end > start else { return fail(.frameSizeWrong) }
            let padding = Int(bytes[start])
            start &+= 1
            guard padding <= end &- start else { return fail(.paddingTooLong) }
            end &-= padding
        }
        var dependsOnItself = false
        if frame.has(H2Frame.Flag.priority) {
            guard end &- start >= 5 else { return fail(.frameSizeWrong) }
            dependsOnItself = bytes.network(at: start) & 0x7FFF_FFFF == frame.stream
            start &+= 5
        }
        var event = admitBlock(frame, now)
        if case .failed = event { return event }
        if event == nil, dependsOnItself, state.value.blockSlot >= 0 {
            event = refuseSelfDependent(now)
            if case .failed = event { return event }
        }
        state.value.blockEnds = frame.has(H2Frame.Flag.endStream)
        if frame.has(H2Frame.Flag.endHeaders) {
            placeBlock(start: start, count: end &- start, input)
            state.value.eventBytes = H2Frame.headerBytes &+ frame.length
            return finishBlock(input, after: event)
        }
        gather(start..<end, of: input, isFirst: true)
        state.value.blockStream = frame.stream
        input.consume(H2Frame.headerBytes &+ frame.length)
        return event
    }

    /// A stream that depends on itself (RFC 7540 §5.3.1). One that begins so goes as it came: its owner never heard of it.
    private func refuseSelfDependent(_ now: Instant) -> Event? {
        let slot = state.value.blockSlot
        state.value.blockSlot = -1
        guard state.value.blockIsFirst else { return failStream(slot, .protocolError, .unexpectedFrame, now) }
        let id = streams[slot].id
        streams.release(slot)
        closed.remember(id, resetHere: true)
        queueReset(id, .protocolError)
        return note(.reset, now)
    }

    /// A CONTINUATION frame, whole in the input.
    func receiveContinuation(_ frame: H2Frame, _ input: Buffer, _ now: Instant) -> Event? {
        guard state.value.blockStream != 0 else { return fail(.unexpectedContinuation) }
        state.value.blockContinuations &+= 1
        guard state.value.blockContinuations <= limits.continuationsMax else { return fail(.continuationFlood) }
        gather(H2Frame.headerBytes..<H2Frame.headerBytes &+ frame.length, of: input, isFirst: false)
        // What Huffman coding may save does not bring such a block below the limit for a head.
        guard gatheredCount <= limits.headBytesMax &* 2 &+ H2Frame.payloadMax else { return fail(.headerBlockTooLarge) }
        input.consume(H2Frame.headerBytes &+ frame.length)
        guard frame.has(H2Frame.Flag.endHeaders) else { return nil }
        state.value.blockStream = 0
        state.value.blockIsGathered = true
        return finishBlock(input, after: nil)
    }

    private var gatheredCount: Int { gathered?.readableCount ?? 0 }

    private func gather(_ range: Range<Int>, of input: Buffer, isFirst: Bool) {
        let buffer = gathered ?? Buffer(capacity: H2Frame.payloadMax * 2)
        gathered = buffer
        if isFirst {
            buffer.clear()
            state.value.blockContinuations = 0
        }
        buffer.append(input.readable.extracting(range))
    }

    private func placeBlock(start: Int, count: Int, _ input: Buffer) {
        if blockInput !== input { blockInput = input }
        state.value.blockIsGathered = false
        state.value.blockStart = start
        state.value.blockCount = count
    }

    /// The block is whole: it waits for its stream's owner, or passes through the decoder at once.
    private func finishBlock(_ input: Buffer, after event: Event?) -> Event? {
        state.value.blockWaits = true
        let slot = state.value.blockSlot
        guard slot >= 0 else {
            skipWaitingBlock()
            let count = state.value.eventBytes
            state.value.eventBytes = 0
            input.consume(count)
            if let failure = state.value.failure { return .failed(failure) }
            return event
        }
        let ends = state.value.blockEnds
        // To a server the first block of a stream is its head; to a client all are until one is final.
        let isNew = role == .server ? state.value.blockIsFirst : !streams[slot].flags.contains(.headed)
        if role == .server { streams[slot].flags.insert(.headed) }
        if ends { streams[slot].flags.insert(.remoteEnded) }
        return .head(slot, isNew: isNew, ends: ends)
    }

    /// Finds whose block this is, and puts that into `blockSlot`: a slot, or -1 when it only passes through the decoder.
    /// Returns what is wrong with it.
    private func admitBlock(_ frame: H2Frame, _ now: Instant) -> Event? {
        state.value.blockSlot = -1
        state.value.blockIsFirst = false
        guard let slot = streams.find(frame.stream) else { return admitUnheld(frame, now) }
        let stream = streams[slot]
        if stream.flags.contains(.resetHere) { return nil }
        if stream.isClosed { return fail(.streamClosed) }
        if stream.flags.contains(.remoteEnded) { return failStream(slot, .streamClosed, .unexpectedFrame, now) }
        let ends = frame.has(H2Frame.Flag.endStream)
        if stream.flags.contains(.headed) {
            // Trailers end the stream (§8.1), after all of the body that was promised.
            guard ends else { return failStream(slot, .protocolError, .unexpectedFrame, now) }
            guard stream.bodyLeft <= 0 else { return failStream(slot, .protocolError, .contentLengthMismatch, now) }
        }
        state.value.blockSlot = slot
        return nil
    }

    private func admitUnheld(_ frame: H2Frame, _ now: Instant) -> Event? {
        let id = frame.stream
        guard role == .server, id & 1 == 1, id > state.value.lastPeerID, id <= state.value.lastAccepted else {
            switch judgeUnheld(id) {
            case .ignored: return nil
            case .ended: return fail(.streamClosed)
            case .idle: return fail(.unexpectedStream)
            }
        }
        state.value.lastPeerID = id
        guard streams.heldCount < limits.streamsMax else {
            closed.remember(id, resetHere: true)
            queueReset(id, .refusedStream)
            // A peer that has not seen our SETTINGS cannot know the limit: clients that open their calls at once do so.
            if !state.value.isAcknowledged, state.value.refusedEarly < Self.refusedEarlyMax {
                state.value.refusedEarly &+= 1
                return nil
            }
            return note(.reset, now)
        }
        var stream = H2Stream()
        stream.id = id
        stream.sendWindow = state.value.peer.initialWindow
        stream.receiveWindow = receiveWindowInitial
        state.value.blockSlot = streams.hold(stream)
        state.value.blockIsFirst = true
        return nil
    }
}
