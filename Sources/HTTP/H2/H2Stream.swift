/// What a session knows of one stream: plain numbers in a slot of its `H2StreamTable`.
struct H2Stream: BitwiseCopyable {
    struct Flags: OptionSet, BitwiseCopyable {
        let rawValue: UInt8

        /// The slot has an owner.
        static let held = Flags(rawValue: 1)
        /// The final head came: what follows is payload or trailers.
        static let headed = Flags(rawValue: 2)
        /// The peer sent END_STREAM.
        static let remoteEnded = Flags(rawValue: 4)
        /// This side queued END_STREAM.
        static let localEnded = Flags(rawValue: 8)
        /// This side queued RST_STREAM: what still comes is ignored.
        static let resetHere = Flags(rawValue: 16)
        /// The peer sent RST_STREAM, or its GOAWAY says that it never saw the stream.
        static let resetThere = Flags(rawValue: 32)
    }

    /// Zero until a client's head is queued.
    var id: UInt32 = 0
    var flags: Flags = []
    /// What the peer lets this side send; below zero when its SETTINGS took back more than was left (RFC 9113 §6.9.2).
    var sendWindow = 0
    /// What this side lets the peer send; below zero for a moment when our own SETTINGS did the same.
    var receiveWindow = 0
    /// Bytes that were taken and are not yet given back by WINDOW_UPDATE.
    var creditDue = 0
    /// Bytes given to the owner and not yet consumed by it.
    var unconsumed = 0
    /// Bytes of payload still to come by Content-Length; below zero when there is none.
    var bodyLeft = -1
    /// The next free slot while this one is; below zero at the end of the list.
    var nextFree = -1

    /// Whether nothing more is sent or expected on the wire.
    @inline(__always)
    var isClosed: Bool {
        !flags.isDisjoint(with: [.resetHere, .resetThere]) || flags.isSuperset(of: [.remoteEnded, .localEnded])
    }

    /// Whether frames that move data may still be queued.
    @inline(__always)
    var maySend: Bool { flags.isDisjoint(with: [.localEnded, .resetHere, .resetThere]) }
}
