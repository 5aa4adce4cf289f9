/// What the peer's SETTINGS say (RFC 9113 §6.5.2, RFC 8441 §3), before they come with their initial values.
struct H2Settings: BitwiseCopyable, Equatable {
    enum Identifier {
        static var headerTableSize: UInt16 { 1 }
        static var enablePush: UInt16 { 2 }
        static var maxConcurrentStreams: UInt16 { 3 }
        static var initialWindowSize: UInt16 { 4 }
        static var maxFrameSize: UInt16 { 5 }
        static var maxHeaderListSize: UInt16 { 6 }
        static var enableConnectProtocol: UInt16 { 8 }
    }

    /// With which every stream and every connection begins (§6.9.2).
    static var windowDefault: Int { 65_535 }
    static var headerTableDefault: Int { 4096 }
    /// What a client may open before it knows better: what most servers allow (§5.1.2).
    static var streamsDefault: Int { 100 }

    var headerTableBytes = headerTableDefault
    var streamsMax = streamsDefault
    var initialWindow = windowDefault
    var frameBytesMax = H2Frame.payloadMax
    var allowsExtendedConnect = false

    /// Takes one parameter, sent to a server or to a client. The limit on the size of field lists is advice (§6.5.2)
    /// that a proxy cannot follow: a list too large for its peer is refused there. Unknown parameters mean nothing.
    mutating func apply(_ identifier: UInt16, _ value: UInt32, toServer: Bool) -> H2Violation? {
        let number = Int(value)
        switch identifier {
        case Identifier.headerTableSize: headerTableBytes = number
        case Identifier.enablePush:
            // A server must not send one but zero.
            guard value == 0 || (toServer && value == 1) else { return .settingsInvalid }
        case Identifier.maxConcurrentStreams: streamsMax = number
        case Identifier.initialWindowSize:
            guard number <= H2Frame.numberMax else { return .initialWindowTooLarge }
            initialWindow = number
        case Identifier.maxFrameSize:
            guard number >= H2Frame.payloadMax, number < 1 << 24 else { return .settingsInvalid }
            frameBytesMax = number
        case Identifier.enableConnectProtocol:
            // It must not be taken back.
            guard value <= 1, value == 1 || !allowsExtendedConnect else { return .settingsInvalid }
            allowsExtendedConnect = value == 1
        default: break
        }
        return nil
    }
}
