import Core
import HTTP
import IO

/// One HTTP/1 connection's bytes: the transport, the buffer read into, the bytes queued to be written, and how the bodies
/// in both directions are framed.
///
/// Owned by one connection, used on its worker. Holds buffers only while there are bytes in them. Knows nothing of
/// exchanges: it turns bytes into payload and payload into bytes.
final class Wire: BodySource, BodySink {
    /// Payload at a stretch from which a relay without copying pays.
    static let spliceBytesMin: UInt64 = 64 * 1024
    /// Payload up to this size is copied behind a head that waits: one segment costs the kernel less than two.
    private static let copiedBytesMax = 2048

    let transport: Transport
    var wire: Wire? { self }
    private let buffers: BufferPool

    /// Bytes read and not consumed. Without storage when there are none.
    let input = Buffer()
    /// How many bytes of an incomplete head were already looked at.
    var scanned = 0
    /// Bytes that go before any payload: heads, chunk sizes, whole responses of our own.
    private let output = Buffer()

    /// Bytes read from and written to the peer.
    private(set) var bytesRead: UInt64 = 0
    private(set) var bytesWritten: UInt64 = 0

    // The body that comes in.
    private var decoder = H1BodyDecoder(.none)
    /// Made with the first chunked body.
    private var trailerFields: HeaderBlock?
    private var runCount = 0
    private var runTaken = 0
    /// Keeps the run in the buffer after it was taken, so that it can be sent again.
    private var holdsRun = false
    private var wantsHold = false
    /// Payload bytes decoded of this body so far.
    private(set) var payloadDecoded: UInt64 = 0

    // The body that goes out.
    private var isChunking = false
    private var isBodyEnded = true
    /// Payload still to come of the chunk whose size line is written.
    private var chunkRemaining = 0
    /// Payload bytes the peer took of this body.
    private(set) var payloadWritten: UInt64 = 0

    init(transport: Transport, buffers: BufferPool) {
        self.transport = transport
        self.buffers = buffers
    }

    // MARK: Heads

    /// Reads once, behind what is there.
    func fill() -> Transport.ReadOutcome {
        guard transport.isReadable else { return .wouldBlock }
        let outcome = transport.read(into: inputForReading())
        if case .bytes(let count) = outcome { bytesRead += UInt64(count) } else { recycleEmptyInput() }
        return outcome
    }

    /// Drops the bytes of a head that was parsed.
    func consumeHead(_ count: Int) {
        scanned = 0
        input.consume(count)
        recycleEmptyInput()
    }

    /// Whether the peer has sent bytes that nobody has consumed.
    var hasInput: Bool { !input.isEmpty }

    /// The queue for bytes that leave before any payload.
    func outputForWriting() -> Buffer {
        buffers.lend(to: output)
        return output
    }

    var hasOutput: Bool { !output.isEmpty }

    // MARK: The body that comes in

    /// Begins a body; `holding` keeps it for a second try as long as it comes whole with the head.
    func beginIncoming(_ framing: BodyFraming, holding: Bool = false) {
        decoder = H1BodyDecoder(framing)
        isBodyDecoded = decoder.isDone
        if framing.isChunked, trailerFields == nil { trailerFields = HeaderBlock(capacity: 256) }
        trailerFields?.removeAll()
        runCount = 0
        runTaken = 0
        holdsRun = false
        wantsHold = holding
        payloadDecoded = 0
    }

    var payload: (buffer: Buffer?, range: Range<Int>) {
        guard runTaken < runCount else { return (nil, 0..<0) }
        return (input, input.readerIndex + runTaken..<input.readerIndex + runCount)
    }

    private(set) var isBodyDecoded = true

    var trailers: HeaderBlock? {
        guard let trailerFields, !trailerFields.fields.isEmpty else { return nil }
        return trailerFields
    }

    func take(_ count: Int) {
        runTaken += count
        if runTaken == runCount, !holdsRun { dropRun() }
    }

    func pull() -> PullOutcome {
        while !isBodyDecoded {
            if hasInput {
                switch decode() {
                case .wouldBlock: break
                case let outcome: return outcome
                }
            }
            switch fill() {
            case .bytes: continue
            case .wouldBlock: return .wouldBlock
            case .endOfStream:
                do { try decoder.inputEnded() } catch { return .failed(.closed) }
                isBodyDecoded = true
                return .complete
            case .failed(let error): return .failed(.reset(error))
            }
        }
        return .complete
    }

    func resumeNextTurn() { transport.resumeNextTurn() }

    /// Whether all that was taken of this body is still here and can be sent again.
    var canRewind: Bool { holdsRun || payloadDecoded == 0 || (runTaken == 0 && UInt64(runCount) == payloadDecoded) }

    /// Makes the held payload available once more.
    func rewind() { runTaken = 0 }

    /// No second try will be needed any more.
    func releaseHeld() {
        wantsHold = false
        guard holdsRun else { return }
        holdsRun = false
        if runTaken == runCount { dropRun() }
    }

    /// Payload still to come without framing in it, when none is waiting in the buffer.
    var spliceable: UInt64 { input.isEmpty && !holdsRun && !transport.isEncrypted ? decoder.unframed : 0 }

    private func dropRun() {
        input.consume(runCount)
        runCount = 0
        runTaken = 0
        recycleEmptyInput()
    }

    /// Decodes what is in the buffer; `wouldBlock` when more bytes are needed.
    private func decode() -> PullOutcome {
        // On a copy: an access to the property would last over the call.
        var decoder = self.decoder
        do {
            let run = try decoder.decode(in: input, from: 0, trailers: trailerFields)
            self.decoder = decoder
            isBodyDecoded = decoder.isDone
            runCount = run.payloadCount
            runTaken = 0
            payloadDecoded += UInt64(run.payloadCount)
            recycleEmptyInput()
        } catch {
            return .failed(.malformed(error))
        }
        if runCount > 0 {
            holdsRun = wantsHold && isBodyDecoded
            wantsHold = false
            return .payload
        }
        return isBodyDecoded ? .complete : .wouldBlock
    }

    private func inputForReading() -> Buffer {
        buffers.lend(to: input)
        // A head larger than the buffer makes it grow; the parser's limit ends that.
        input.reserve(max(1, min(input.capacity / 4, 4096)))
        return input
    }

    private func recycleEmptyInput() {
        if input.isEmpty { buffers.reclaim(from: input) }
    }

    // MARK: The body that goes out

    /// Begins the body after a head that was just queued.
    func beginOutgoing(_ framing: BodyFraming) {
        isChunking = framing.isChunked
        isBodyEnded = !isChunking
        chunkRemaining = 0
        payloadWritten = 0
    }

    func push(_ buffer: Buffer?, _ range: Range<Int>, ends: Bool, trailers: HeaderBlock?) -> PushOutcome {
        var suffix: StaticString = ""
        var endsWithSuffix = false
        if isChunking, !isBodyEnded {
            if chunkRemaining == 0, !range.isEmpty {
                H1Writer.beginChunk(range.count, into: outputForWriting())
                chunkRemaining = range.count
            }
            if chunkRemaining > 0 {
                endsWithSuffix = ends && trailers == nil
                suffix = endsWithSuffix ? "\r\n0\r\n\r\n" : "\r\n"
            } else if ends {
                endBody(trailers)
            }
        }
        if !range.isEmpty, range.count <= Self.copiedBytesMax, !output.isEmpty, transport.isWritable, let buffer {
            output.append(buffer.bytes(range))
            output.append(suffix)
            payloadWritten += UInt64(range.count)
            chunkRemaining = 0
            isBodyEnded = isBodyEnded || endsWithSuffix
            if ends, !isBodyEnded { endBody(trailers) }
            return PushOutcome(taken: range.count, state: flush())
        }
        guard !output.isEmpty || !range.isEmpty else { return PushOutcome(taken: 0, state: .drained) }
        switch transport.write(output, buffer, range, suffix) {
        case .failed(let error):
            return PushOutcome(taken: 0, state: .failed(error))
        case .bytes(let count):
            let taken = settle(count, payload: range.count, suffix: suffix, endsWithSuffix: endsWithSuffix)
            if ends, !isBodyEnded, chunkRemaining == 0 {
                // The last chunk is out; its trailers follow it.
                endBody(trailers)
                return PushOutcome(taken: taken, state: flush())
            }
            let isDrained = output.isEmpty && taken == range.count
            return PushOutcome(taken: taken, state: isDrained ? .drained : .blocked)
        }
    }

    /// Queues the end of a chunked body.
    private func endBody(_ trailers: HeaderBlock?) {
        H1Writer.endChunks(trailers: trailers, into: outputForWriting())
        isBodyEnded = true
    }

    /// Writes queued bytes only.
    func flush() -> PushOutcome.State { push(nil, 0..<0, ends: false, trailers: nil).state }

    /// Divides what the kernel took among queue, payload and suffix; returns the payload's part.
    private func settle(_ count: Int, payload: Int, suffix: StaticString, endsWithSuffix: Bool) -> Int {
        bytesWritten += UInt64(count)
        var rest = count
        let consumed = min(rest, output.readableCount)
        output.consume(consumed)
        rest -= consumed
        if output.isEmpty { buffers.reclaim(from: output) }
        let taken = min(rest, payload)
        rest -= taken
        payloadWritten += UInt64(taken)
        guard isChunking, suffix.utf8CodeUnitCount > 0 else { return taken }
        chunkRemaining -= taken
        if chunkRemaining == 0 {
            isBodyEnded = endsWithSuffix
            if rest < suffix.utf8CodeUnitCount {
                outputForWriting().append(suffix.bytes.extracting(rest...))
            }
        }
        return taken
    }

    // MARK: Zero copy

    /// Notes payload that went through a pipe instead of the buffer.
    func spliced(in count: Int) {
        bytesRead += UInt64(count)
        payloadDecoded += UInt64(count)
        decoder.skip(UInt64(count))
        isBodyDecoded = decoder.isDone
    }

    func spliced(out count: Int) {
        bytesWritten += UInt64(count)
        payloadWritten += UInt64(count)
    }

    /// Whether payload may pass as it is: no queue before it and no chunks around it.
    var acceptsSplice: Bool { output.isEmpty && !isChunking && !transport.isEncrypted }

    // MARK: The end

    /// Gives the buffers back and closes the transport.
    func close() {
        buffers.reclaim(from: input)
        buffers.reclaim(from: output)
        transport.close()
    }

    /// The same, and resets the connection: the peer must not take this for a proper end.
    func abort() {
        transport.abort()
        close()
    }

    /// Gives the buffers back: another object goes on with the transport, and has what was read.
    func handOver() {
        buffers.reclaim(from: input)
        buffers.reclaim(from: output)
    }

    /// Forgets what was read: it belongs to an exchange that was given up.
    func discardInput() {
        input.clear()
        recycleEmptyInput()
    }
}
