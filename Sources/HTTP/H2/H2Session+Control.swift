import Core

/// SETTINGS, PING, WINDOW_UPDATE and PRIORITY (RFC 9113 §6.3, §6.5, §6.7, §6.9).
extension H2Session {
    // MARK: SETTINGS

    /// SETTINGS, whole in the input.
    func receiveSettings(_ frame: H2Frame, _ input: Buffer, _ now: Instant) -> Event? {
        if let event = note(.settings, now) { return event }
        guard !frame.has(H2Frame.Flag.ack) else {
            input.consume(H2Frame.headerBytes)
            acknowledgeOwnSettings()
            return nil
        }
        let before = state.value.peer
        var settings = before
        // A limit left out by the first SETTINGS is no limit (§6.5.2).
        if state.value.awaitsSettings { settings.streamsMax = Int(UInt32.max) }
        let bytes = input.readable
        var position = H2Frame.headerBytes
        while position < H2Frame.headerBytes &+ frame.length {
            let identifier = UInt16(bytes[position]) &<< 8 | UInt16(bytes[position &+ 1])
            let value = bytes.network(at: position &+ 2)
            if let violation = settings.apply(identifier, value, toServer: role == .server) { return fail(violation) }
            position &+= 6
        }
        input.consume(position)
        let isFirst = state.value.awaitsSettings
        state.value.awaitsSettings = false
        state.value.peer = settings
        if settings.headerTableBytes != before.headerTableBytes {
            encoder.peerAllows(tableBytes: settings.headerTableBytes)
        }
        if let event = moveSendWindows(by: settings.initialWindow &- before.initialWindow) { return event }
        if let event = queueControl(H2Frame(H2Frame.Kind.settings, flags: H2Frame.Flag.ack, stream: 0, length: 0)) {
            return event
        }
        return isFirst || settings != before ? .settings : nil
    }

    /// The peer knows our SETTINGS: from now on its streams go by our window (§6.9.3).
    private func acknowledgeOwnSettings() {
        guard !state.value.isAcknowledged else { return }
        let before = receiveWindowInitial
        state.value.isAcknowledged = true
        let change = receiveWindowInitial &- before
        guard change != 0 else { return }
        for slot in 0..<streams.endIndex where streams[slot].id != 0 { streams[slot].receiveWindow &+= change }
    }

    /// A new initial window changes those of all streams by the difference (§6.9.2), and may open some.
    private func moveSendWindows(by change: Int) -> Event? {
        guard change != 0 else { return nil }
        for slot in 0..<streams.endIndex where streams[slot].id != 0 {
            let before = streams[slot].sendWindow
            streams[slot].sendWindow = before &+ change
            guard before &+ change <= H2Frame.numberMax else { return fail(.windowOverflow) }
            if before <= 0, before &+ change > 0 { state.value.owesAllWritable = true }
        }
        return nil
    }

    /// What differs from the protocol's defaults.
    func queueSettings() {
        let offset = output.readableCount
        H2Frame(H2Frame.Kind.settings, stream: 0, length: 0).append(to: output)
        func append(_ identifier: UInt16, _ value: Int) {
            output.append(UInt8(truncatingIfNeeded: identifier &>> 8), UInt8(truncatingIfNeeded: identifier))
            output.append(network: UInt32(truncatingIfNeeded: value))
        }
        if role == .client {
            append(H2Settings.Identifier.enablePush, 0)
        } else {
            append(H2Settings.Identifier.maxConcurrentStreams, limits.streamsMax)
            if limits.allowsExtendedConnect { append(H2Settings.Identifier.enableConnectProtocol, 1) }
        }
        append(H2Settings.Identifier.initialWindowSize, limits.streamWindow)
        append(H2Settings.Identifier.maxHeaderListSize, limits.headBytesMax)
        let length = output.readableCount &- offset &- H2Frame.headerBytes
        H2Frame(H2Frame.Kind.settings, stream: 0, length: length).overwrite(output, at: offset)
    }

    // MARK: PING

    /// What our own pings carry.
    private static var pingPayload: StaticString { "sidecar?" }

    /// Asks for an answer, `pong`. One at a time: while one is on its way this does nothing.
    package func ping() {
        guard state.value.failure == nil, !state.value.awaitsPong else { return }
        state.value.awaitsPong = true
        queuePing(flags: 0, Self.pingPayload.bytes)
    }

    /// PING, whole in the input.
    func receivePing(_ frame: H2Frame, _ input: Buffer, _ now: Instant) -> Event? {
        let payload = input.readable.extracting(H2Frame.headerBytes..<H2Frame.headerBytes &+ 8)
        if frame.has(H2Frame.Flag.ack), state.value.awaitsPong, payload.equals(Self.pingPayload) {
            state.value.awaitsPong = false
            input.consume(H2Frame.headerBytes &+ frame.length)
            return .pong
        }
        if let event = note(.ping, now) { return event }
        if !frame.has(H2Frame.Flag.ack) { queuePing(flags: H2Frame.Flag.ack, payload) }
        input.consume(H2Frame.headerBytes &+ frame.length)
        return state.value.failure.map { .failed($0) }
    }

    private func queuePing(flags: UInt8, _ payload: Span<UInt8>) {
        if queueControl(H2Frame(H2Frame.Kind.ping, flags: flags, stream: 0, length: 8)) == nil {
            output.append(payload)
        }
    }

    // MARK: WINDOW_UPDATE

    /// WINDOW_UPDATE, whole in the input.
    func receiveWindowUpdate(_ frame: H2Frame, _ input: Buffer, _ now: Instant) -> Event? {
        let increment = Int(input.readable.network(at: H2Frame.headerBytes) & 0x7FFF_FFFF)
        input.consume(H2Frame.headerBytes &+ frame.length)
        if let event = note(.windowUpdate, now) { return event }
        guard frame.stream != 0 else { return widenConnection(by: increment) }
        guard let slot = streams.find(frame.stream) else {
            // It may have been on its way when the stream ended (§5.1).
            if judgeUnheld(frame.stream) == .idle, !isForgotten(frame.stream) { return fail(.unexpectedStream) }
            return nil
        }
        var stream = streams[slot]
        if stream.isClosed { return nil }
        guard increment > 0 else { return failStream(slot, .protocolError, .windowIncrementZero, now) }
        let wasOpen = stream.sendWindow > 0
        stream.sendWindow &+= increment
        guard stream.sendWindow <= H2Frame.numberMax else {
            return failStream(slot, .flowControlError, .flowControlExceeded, now)
        }
        streams[slot] = stream
        return !wasOpen && stream.sendWindow > 0 && stream.maySend ? .writable(slot) : nil
    }

    private func widenConnection(by increment: Int) -> Event? {
        guard increment > 0 else { return fail(.windowIncrementZero) }
        let wasOpen = state.value.sendWindow > 0
        state.value.sendWindow &+= increment
        guard state.value.sendWindow <= H2Frame.numberMax else { return fail(.windowOverflow) }
        return wasOpen ? nil : .allWritable
    }

    // MARK: PRIORITY

    /// PRIORITY, whole in the input: deprecated (§5.3.2) and without effect, but for what cannot be right.
    func receivePriority(_ frame: H2Frame, _ input: Buffer, _ now: Instant) -> Event? {
        if let event = note(.priority, now) { return event }
        let isSized = frame.length == 5
        // A stream that depends on itself was an error by RFC 7540 §5.3.1, and no peer has a use for it.
        let dependsOnItself =
            isSized && input.readable.network(at: H2Frame.headerBytes) & 0x7FFF_FFFF == frame.stream
        input.consume(H2Frame.headerBytes &+ frame.length)
        if isSized, !dependsOnItself { return nil }
        guard let slot = streams.find(frame.stream), !streams[slot].isClosed else {
            guard isSized else { return fail(.frameSizeWrong) }
            return isForgotten(frame.stream) ? nil : fail(.unexpectedStream)
        }
        return failStream(slot, isSized ? .protocolError : .frameSizeError, .unexpectedFrame, now)
    }
}
