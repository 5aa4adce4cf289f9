package import Core

/// One HTTP/2 connection (RFC 9113) without its socket: bytes in, events and bytes out.
///
/// Owned by one connection, used on its thread. Performs no I/O, knows no clock, calls nobody back. `next` reads frames
/// until one concerns the owner and returns that as an event; everything the protocol itself asks for (acknowledgements,
/// windows, errors) is queued in `output`. A stream is a slot, a small number that is reused after `close`, so that the
/// owner keeps its exchanges in a row beside. When warm nothing here allocates.
///
///     next ─▶ head ─▶ decodeRequest … data ─▶ consumed … queueResponse, queueData … close
package final class H2Session {
    package enum Role: Sendable { case server, client }
    package typealias Slot = Int

    /// What `next` found. Ranges are positions in the input (`Buffer.bytes`), valid until the next call of `next` or
    /// until the input is compacted.
    package enum Event: Equatable, Sendable {
        /// Everything whole was taken; see `inputBytesWanted`.
        case needMore
        /// A header block waits for `decodeRequest`, `decodeResponse` or `decodeTrailers`; without them it is skipped.
        /// `isNew`: it is a request or a response (informational ones too); otherwise it is trailers. `ends`: the peer
        /// sends no more.
        case head(Slot, isNew: Bool, ends: Bool)
        /// Payload, as much of a frame as is there; empty only when it ends. To be given to `consumed`, now or later.
        case data(Slot, Range<Int>, ends: Bool)
        /// The peer's RST_STREAM. The slot stays until `close`.
        case reset(Slot, H2ErrorCode)
        /// The peer broke a rule on this stream; RST_STREAM is queued. The slot stays until `close`.
        case streamFailed(Slot, H2ErrorCode, HTTPError)
        /// The stream's window opened.
        case writable(Slot)
        /// The connection's window opened, or those of streams did by SETTINGS: any stream that waits may go on.
        case allWritable
        /// The peer's first SETTINGS, or others that change what it allows.
        case settings
        /// Client: the peer's GOAWAY says that it never saw this stream, so the request may be sent elsewhere. The slot
        /// stays until `close`. Follows `goAway`, one for each.
        case refused(Slot)
        /// The peer takes no new streams on this connection. Comes again when the peer says so again.
        case goAway(H2ErrorCode)
        /// The answer to `ping`.
        case pong
        /// The connection is over: GOAWAY is queued, flush and close. All later calls of `next` say the same.
        case failed(H2Violation)
    }

    /// The numbers that change while the connection lives.
    struct State: BitwiseCopyable {
        /// Bytes at the start of the input that the last event covers; dropped by the next call.
        var eventBytes = 0
        /// See `inputBytesWanted`.
        var wanted = 1
        var failure: H2Violation?
        var hasStarted = false

        // What must come first.
        var awaitsPreface: Bool
        var awaitsSettings = true

        // The DATA frame whose payload is being read, and bytes after it that mean nothing.
        var dataSlot = -1
        var dataLeft = 0
        var dataEnds = false
        var skipLeft = 0

        // The header block that is being gathered (stream not zero), or that waits to be decoded.
        var blockStream: UInt32 = 0
        /// Below zero: nobody wants it, it only passes through the decoder.
        var blockSlot = -1
        var blockEnds = false
        /// Server: it begins its stream.
        var blockIsFirst = false
        var blockContinuations = 0
        var blockWaits = false
        var blockIsGathered = false
        /// Where it stands in the input, counted from the reading end.
        var blockStart = 0
        var blockCount = 0

        // Streams.
        /// Server: the highest number that a client used.
        var lastPeerID: UInt32 = 0
        /// Streams above were announced as ignored.
        var lastAccepted = UInt32.max
        /// Client: the next stream's number.
        var nextID: UInt32 = 1
        /// Client: the slots held whose streams have no number yet.
        var unnumbered = 0

        // GOAWAY of the peer.
        var peerGoesAway = false
        var peerLastID = UInt32.max
        /// Where to look for the next refused slot; below zero when all were told.
        var refusedCursor = -1

        // Settings.
        var peer = H2Settings()
        var isAcknowledged = false
        var owesAllWritable = false

        // Windows and floods.
        var sendWindow = H2Settings.windowDefault
        var receiveWindow: H2ReceiveWindow
        var floods = H2Floods()
        /// Streams that the owner reset for what the peer sent, not yet counted: they cost like the peer's own resets.
        var mistakes = 0
        /// Streams refused before the peer acknowledged our SETTINGS.
        var refusedEarly = 0
        var controlBytes = 0
        var awaitsPong = false
    }

    /// Streams above the limit that count for nothing until the peer can know the limit.
    static var refusedEarlyMax: Int { 4096 }

    /// Frames to be written. The owner lends it storage before calls that may write, flushes it once per turn and
    /// consumes what left.
    package let output = Buffer()

    package let role: Role
    let limits: H2Limits
    let state: Cell<State>
    let streams = H2StreamTable()
    let decoder: HPACKDecoder
    let encoder: HPACKEncoder
    let closed = H2ClosedStreams()
    /// The input in which a header block waits. It is the same one all the time, so that it is stored once.
    var blockInput: Buffer?
    /// Fragments of a header block that came in several frames. Made when the first such block comes.
    var gathered: Buffer?

    package init(_ role: Role, limits: H2Limits) {
        precondition(limits.streamWindow > 0 && limits.streamWindow <= H2Frame.numberMax)
        precondition(limits.connectionWindow <= H2Frame.numberMax)
        self.role = role
        self.limits = limits
        state = Cell(
            State(
                awaitsPreface: role == .server, receiveWindow: H2ReceiveWindow(target: limits.connectionWindow)))
        decoder = HPACKDecoder(tableBytesMax: H2Settings.headerTableDefault)
        encoder = HPACKEncoder(tableBytesMax: H2Settings.headerTableDefault)
    }

    /// Queues what this side says first: the preface (client), SETTINGS, and the WINDOW_UPDATE that brings the
    /// connection's window to its size (§3.4, §6.5, §6.9.2). To be called once, before anything else.
    package func start() {
        precondition(!state.value.hasStarted, "a session starts once")
        state.value.hasStarted = true
        if role == .client { output.append(H2Preface.bytes) }
        queueSettings()
        queueConnectionWindow(state.value.receiveWindow.takeAll())
    }

    // MARK: Questions

    /// How many bytes the input must hold for `next` to get on after `needMore`: at most 16,393, for frames but DATA
    /// are taken whole. An input that is full with less must grow.
    package var inputBytesWanted: Int { state.value.wanted }

    /// Why the connection was ended by this side.
    package var violation: H2Violation? { state.value.failure }

    /// Whether streams whose payload nobody consumes narrow the connection's window for the others.
    package var isWindowNarrowed: Bool { state.value.receiveWindow.isNarrowed }

    /// Slots that are held.
    package var streamsOpen: Int { streams.heldCount }

    /// Streams that the peer lets this side have open; 100 before it said so.
    package var peerStreamsMax: Int { state.value.peer.streamsMax }

    /// Client: the server takes extended CONNECT (RFC 8441 §3).
    package var peerAllowsExtendedConnect: Bool { state.value.peer.allowsExtendedConnect }

    /// The stream's number; zero for a client's whose head is not queued yet.
    package func id(of slot: Slot) -> UInt32 { streams[slot].id }

    /// Both sides ended the stream, or one of them reset it.
    package func isClosedOnWire(_ slot: Slot) -> Bool { streams[slot].isClosed }
}
