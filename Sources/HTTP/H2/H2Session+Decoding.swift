import Core

/// Decoding the header block that waits: HPACK, the rules of RFC 9113 §8, and the heads of every version.
extension H2Session {
    /// Decodes the request that `head` announced. `head` is reset first, and is empty when this throws. An error of
    /// status 400 means that the request is malformed: the owner should `close(slot, .protocolError)` (§8.1.1). Others may
    /// be answered. When the block cannot be decoded at all, the error is `malformedFieldSection` and the connection has
    /// failed: the next call of `next` says so.
    ///
    /// Lines stand in the storage as in HTTP/1, `Host` made of `:authority` first; `target` is `:path`, or the authority
    /// of a CONNECT. Framing is `none` when the request ends with its head, otherwise the length or `chunked`.
    package func decodeRequest(_ slot: Slot, into head: RequestHead) throws(HTTPError) {
        head.reset()
        let ends = takeBlock(slot)
        var section = H2FieldSection(.request, limits: limits)
        do throws(HTTPError) {
            try read(&section, into: head.headers)
            try H2RequestMapping.fill(head, from: section, ends: ends)
        } catch {
            head.reset()
            throw error
        }
        if case .length(let length) = head.framing { streams[slot].bodyLeft = Int(length) }
    }

    /// Decodes the response that `head` announced, to a request of `method`. See `decodeRequest`. After an informational
    /// one another head follows. HEAD, 204 and 304 have no body: payload that comes all the same is the peer's error.
    package func decodeResponse(_ slot: Slot, into head: ResponseHead, method: Method) throws(HTTPError) {
        head.reset()
        let ends = takeBlock(slot)
        var section = H2FieldSection(.response, limits: limits)
        do throws(HTTPError) {
            try read(&section, into: head.headers)
            try H2ResponseMapping.fill(head, from: section, method: method, ends: ends)
        } catch {
            streams[slot].flags.insert(.headed)
            head.reset()
            throw error
        }
        guard !head.isInformational else { return }
        streams[slot].flags.insert(.headed)
        switch head.framing {
        case .length(let length): streams[slot].bodyLeft = Int(length)
        case .none: streams[slot].bodyLeft = 0
        default: break
        }
    }

    /// Decodes the trailers that `head` announced into `block`, which is emptied first and empty when this throws. Fields
    /// that must not stand in a trailer section are left out, see `HeaderName.mayTrail`.
    package func decodeTrailers(_ slot: Slot, into block: HeaderBlock) throws(HTTPError) {
        block.removeAll()
        _ = takeBlock(slot)
        var section = H2FieldSection(.trailers, limits: limits)
        do throws(HTTPError) {
            try read(&section, into: block)
        } catch {
            block.removeAll()
            throw error
        }
    }

    /// Takes the block that waits; returns whether the stream ends with it.
    private func takeBlock(_ slot: Slot) -> Bool {
        precondition(state.value.blockWaits && state.value.blockSlot == slot, "no header block waits for this stream")
        state.value.blockWaits = false
        state.value.blockSlot = -1
        return state.value.blockEnds
    }

    /// Passes the waiting block through the decoder, for nobody wanted it.
    func skipWaitingBlock() {
        let slot = state.value.blockSlot
        if slot >= 0 { streams[slot].flags.insert(.headed) }
        state.value.blockWaits = false
        state.value.blockSlot = -1
        var position = 0
        _ = skip(from: &position)
    }

    /// Decodes the block into `section` and `headers`. What follows an error still passes through the decoder.
    private func read(_ section: inout H2FieldSection, into headers: HeaderBlock) throws(HTTPError) {
        guard let (buffer, range) = block() else { return }
        let bytes = buffer.bytes(range)
        let storage = headers.storage
        let decoder = self.decoder
        var position = 0
        var malformation: HTTPError?
        do throws(HPACKError) {
            while malformation == nil, let field = try decoder.next(bytes, &position, into: storage) {
                do throws(HTTPError) {
                    try section.take(field, into: headers)
                } catch {
                    malformation = error
                }
            }
        } catch {
            _ = fail(.compression)
            throw .malformedFieldSection
        }
        guard let malformation else { return }
        guard skip(from: &position) else { throw .malformedFieldSection }
        throw malformation
    }

    /// Passes the rest of the block through the decoder; false when the connection failed by it.
    private func skip(from position: inout Int) -> Bool {
        guard let (buffer, range) = block() else { return true }
        let bytes = buffer.bytes(range)
        do throws(HPACKError) {
            while try decoder.skip(bytes, &position) != nil {}
            return true
        } catch {
            _ = fail(.compression)
            return false
        }
    }

    /// Where the current block stands.
    private func block() -> (Buffer, Range<Int>)? {
        let state = self.state.value
        if state.blockIsGathered {
            guard let gathered else { return nil }
            return (gathered, gathered.readerIndex..<gathered.writerIndex)
        }
        guard let blockInput else { return nil }
        let start = blockInput.readerIndex &+ state.blockStart
        return (blockInput, start..<start &+ state.blockCount)
    }
}
