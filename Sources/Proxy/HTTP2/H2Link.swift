import Core
import HTTP
import IO

/// Who owns a link and hears how its writing went.
protocol H2LinkOwner: AnyObject {
    /// The turn's frames were written, or as much of them as the peer takes now.
    func flushed(_ state: PushOutcome.State)
}

/// One HTTP/2 connection's bytes: the transport, the session that reads and makes its frames, and the two queues.
///
/// Owned by a downstream or upstream session, used on its worker. Frames queued within a turn leave in one write at its
/// end. Holds buffers only while there are bytes in them.
final class H2Link {
    /// Bytes queued from which they are written at once, and no more are taken if the peer does not take them.
    private static let queuedBytesMax = 48 * 1024
    /// Bytes queued, heads included, that a peer may leave unread before it is not served any further.
    private static let waitingBytesMax = 256 * 1024

    let worker: Worker
    let transport: Transport
    let session: H2Session
    /// The session's queue, which another room would have to be asked for each time.
    private let output: Buffer
    private let buffers: BufferPool
    /// Bytes read and not consumed. Without storage when there are none.
    let input = Buffer()
    /// Nil once the connection has closed.
    private weak var owner: (any H2LinkOwner)?
    private var isFlushDue = false
    private(set) var bytesRead: UInt64 = 0
    private(set) var bytesWritten: UInt64 = 0

    init(_ transport: Transport, _ role: H2Session.Role, limits: H2Limits, worker: Worker) {
        self.transport = transport
        self.worker = worker
        session = H2Session(role, limits: limits)
        output = session.output
        buffers = worker.buffers
    }

    func attach(_ owner: any H2LinkOwner) { self.owner = owner }

    // MARK: Reading

    /// Reads once, behind what is there.
    func fill() -> Transport.ReadOutcome {
        guard transport.isReadable else { return .wouldBlock }
        buffers.lend(to: input)
        // A frame that does not fit behind what is left of the one before makes the buffer grow, to two frames at most.
        input.reserve(max(input.capacity / 4, session.inputBytesWanted - input.readableCount))
        let outcome = transport.read(into: input)
        if case .bytes(let count) = outcome { bytesRead += UInt64(count) } else { recycleEmptyInput() }
        return outcome
    }

    /// The next event of what was read. Frames that answer by themselves are queued.
    @inline(__always)
    func next() -> H2Session.Event {
        buffers.lend(to: output)
        return session.next(input, now: worker.loop.now)
    }

    /// Everything whole was handled: what answers by itself leaves with the turn, and an empty input holds no buffer.
    func inputHandled() {
        if output.isEmpty { buffers.reclaim(from: output) } else { flushLater() }
        recycleEmptyInput()
    }

    func recycleEmptyInput() {
        if input.isEmpty { buffers.reclaim(from: input) }
    }

    // MARK: Writing

    /// Comes before frames are queued: there is room for them, and they leave at the end of the turn.
    @inline(__always)
    func willQueue() {
        buffers.lend(to: output)
        flushLater()
    }

    /// The session, ready to queue frames.
    var queue: H2Session {
        willQueue()
        return session
    }

    @inline(__always)
    private func flushLater() {
        if isFlushDue { return }
        isFlushDue = true
        worker.flushLater(self)
    }

    /// Whether no more payload should be queued: the peer does not take what is.
    var isCongested: Bool {
        guard output.readableCount >= Self.queuedBytesMax else { return false }
        return flush() != .drained
    }

    /// Whether so much waits that the peer should be asked for nothing that adds to it: heads are queued in any case.
    var isBackedUp: Bool {
        guard output.readableCount >= Self.waitingBytesMax else { return false }
        return flush() != .drained
    }

    /// Writes what is queued.
    func flush() -> PushOutcome.State {
        guard !output.isEmpty else {
            buffers.reclaim(from: output)
            return .drained
        }
        switch transport.write(output) {
        case .failed(let error): return .failed(error)
        case .bytes(let count):
            bytesWritten += UInt64(count)
            output.consume(count)
            guard output.isEmpty else { return .blocked }
            buffers.reclaim(from: output)
            return .drained
        }
    }

    /// The turn has ended.
    func turnEnded() {
        isFlushDue = false
        guard let owner else { return buffers.reclaim(from: output) }
        owner.flushed(flush())
    }

    // MARK: The end

    /// Reads and drops what still comes; true when there is no more to wait for.
    func discardInput(_ budget: inout Int) -> Bool {
        while true {
            input.clear()
            let before = bytesRead
            switch fill() {
            case .bytes:
                budget -= Int(bytesRead - before)
                if budget < 0 { return true }
            case .wouldBlock: return false
            case .endOfStream, .failed: return true
            }
        }
    }

    /// Gives the buffers back and closes the transport.
    func close() {
        owner = nil
        buffers.reclaim(from: input)
        buffers.reclaim(from: output)
        transport.close()
    }
}
