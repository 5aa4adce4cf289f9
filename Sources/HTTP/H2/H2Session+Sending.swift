import Core

/// Queuing frames in `output` (RFC 9113 §6): control frames, DATA, and header blocks in frames.
extension H2Session {
    // MARK: Control frames

    /// Queues a frame that no stream's owner asked for. A peer that causes such frames and never reads them would fill
    /// the memory: that is a flood.
    @discardableResult
    func queueControl(_ frame: H2Frame) -> Event? {
        if output.isEmpty { state.value.controlBytes = 0 }
        state.value.controlBytes &+= H2Frame.headerBytes &+ frame.length
        if state.value.controlBytes > limits.controlBytesMax, output.readableCount > limits.controlBytesMax {
            return fail(.ackFlood)
        }
        frame.append(to: output)
        return nil
    }

    func queueReset(_ id: UInt32, _ code: H2ErrorCode) {
        guard state.value.failure == nil else { return }
        if queueControl(H2Frame(H2Frame.Kind.resetStream, stream: id, length: 4)) == nil {
            output.append(network: code.rawValue)
        }
    }

    func queueWindowUpdate(_ id: UInt32, _ increment: Int) {
        if queueControl(H2Frame(H2Frame.Kind.windowUpdate, stream: id, length: 4)) == nil {
            output.append(network: UInt32(truncatingIfNeeded: increment))
        }
    }

    func queueConnectionWindow(_ increment: Int) {
        if increment > 0 { queueWindowUpdate(0, increment) }
    }

    /// GOAWAY (§6.8). It is not counted: there are few, and the last one must always find room.
    func queueGoAway(last: UInt32, _ code: H2ErrorCode, debug: StaticString) {
        H2Frame(H2Frame.Kind.goAway, stream: 0, length: 8 &+ debug.utf8CodeUnitCount).append(to: output)
        output.append(network: role == .server ? last : 0)
        output.append(network: code.rawValue)
        output.append(debug)
    }

    // MARK: DATA

    /// How much payload the stream may send now: what its window and the connection's leave.
    @inline(__always)
    package func sendWindow(_ slot: Slot) -> Int {
        let stream = streams[slot]
        return stream.maySend ? max(0, min(stream.sendWindow, state.value.sendWindow)) : 0
    }

    /// Queues as much of `bytes` as the windows allow, and END_STREAM if `ends` and all of it went. Returns the count
    /// taken. No bytes and `ends` end the stream whatever the windows say. On a stream that was reset, zero.
    package func queueData(_ slot: Slot, _ bytes: Span<UInt8>, ends: Bool) -> Int {
        let stream = streams[slot]
        guard stream.maySend, state.value.failure == nil else { return 0 }
        precondition(stream.id != 0, "DATA before a head")
        let taken = min(bytes.count, max(0, min(stream.sendWindow, state.value.sendWindow)))
        let endsHere = ends && taken == bytes.count
        guard taken > 0 || endsHere else { return 0 }
        let frameMax = state.value.peer.frameBytesMax
        var position = 0
        repeat {
            let count = min(taken &- position, frameMax)
            let isLast = endsHere && position &+ count == taken
            H2Frame(
                H2Frame.Kind.data, flags: isLast ? H2Frame.Flag.endStream : 0, stream: stream.id, length: count
            ).append(to: output)
            output.append(bytes.extracting(position..<position &+ count))
            position &+= count
            state.value.floods.noteSent()
        } while position < taken
        streams[slot].sendWindow &-= taken
        state.value.sendWindow &-= taken
        if endsHere { streams[slot].flags.insert(.localEnded) }
        return taken
    }

    // MARK: Header blocks

    /// Leaves room for a frame's header and begins a block; returns where, counted from the reading end.
    func beginBlock() -> Int {
        let offset = output.readableCount
        H2Frame(H2Frame.Kind.headers, stream: 0, length: 0).append(to: output)
        encoder.beginBlock(into: output)
        return offset
    }

    /// Ends the block begun at `offset`: HEADERS, and CONTINUATION when it is larger than the peer's frames may be.
    func endBlock(_ slot: Slot, from offset: Int, ends: Bool) {
        let id = streams[slot].id
        let count = output.readableCount &- offset &- H2Frame.headerBytes
        let frameMax = state.value.peer.frameBytesMax
        let endStream = ends ? H2Frame.Flag.endStream : 0
        if ends { streams[slot].flags.insert(.localEnded) }
        state.value.floods.noteSent()
        guard count > frameMax else {
            H2Frame(H2Frame.Kind.headers, flags: endStream | H2Frame.Flag.endHeaders, stream: id, length: count)
                .overwrite(output, at: offset)
            return
        }
        let pieces = (count &+ frameMax &- 1) / frameMax
        for _ in 1..<pieces { H2Frame(H2Frame.Kind.continuation, stream: id, length: 0).append(to: output) }
        // From the last piece on, so that none is overwritten before it was moved.
        for piece in stride(from: pieces &- 1, to: 0, by: -1) {
            let start = piece &* frameMax
            let length = min(frameMax, count &- start)
            let source = offset &+ H2Frame.headerBytes &+ start
            let header = source &+ (piece &- 1) &* H2Frame.headerBytes
            output.move(length, from: source, to: header &+ H2Frame.headerBytes)
            let flags = piece == pieces &- 1 ? H2Frame.Flag.endHeaders : 0
            H2Frame(H2Frame.Kind.continuation, flags: flags, stream: id, length: length)
                .overwrite(output, at: header)
        }
        H2Frame(H2Frame.Kind.headers, flags: endStream, stream: id, length: frameMax).overwrite(output, at: offset)
    }
}
