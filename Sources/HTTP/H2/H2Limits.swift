/// What one side of an HTTP/2 connection announces and what it bears from its peer.
package struct H2Limits: Sendable, BitwiseCopyable {
    /// Streams the peer may have open at once (SETTINGS_MAX_CONCURRENT_STREAMS). A stream counts until its owner closes
    /// its slot.
    package var streamsMax = 100
    /// Bytes of payload a peer may send ahead on one stream (SETTINGS_INITIAL_WINDOW_SIZE), 1 to 2^31 - 1.
    package var streamWindow = 65_536
    /// Bytes it may send ahead on all streams; never less than 65,535, with which every connection begins (RFC 9113
    /// §6.9.2).
    package var connectionWindow = 1_048_576
    /// Size of a head by RFC 9113 §6.5.2: names, values and 32 bytes for each field.
    package var headBytesMax = 65_536
    /// Fields of one head, pseudo fields included.
    package var fieldsMax = 256
    /// Bytes of `:path`.
    package var targetBytesMax = 16_384
    /// CONTINUATION frames of one header block.
    package var continuationsMax = 8
    /// Bytes of control frames that wait in the output because the peer does not read.
    package var controlBytesMax = 1_048_576

    // Events on one connection in any one interval of `floodNanoseconds`.
    /// RST_STREAM frames, and errors of the peer that make this side send one.
    package var resetsMax = 400
    package var pingsMax = 200
    package var settingsMax = 100
    /// Frames that carry nothing: DATA without payload that does not end a stream, frames of unknown type.
    package var emptyFramesMax = 400
    /// WINDOW_UPDATE frames beside those that answer what was sent, see `H2Floods`.
    package var windowUpdatesMax = 100
    /// PRIORITY and PRIORITY_UPDATE frames.
    package var prioritiesMax = 1000
    package var floodNanoseconds: UInt64 = 10_000_000_000

    /// Whether a server takes extended CONNECT requests (RFC 8441 §3).
    package var allowsExtendedConnect = true

    package init() {}
}
