/// How far a handshake is.
package enum TLSHandshakeOutcome: Equatable, Sendable {
    case complete
    /// The peer has to say or take something first.
    case wouldBlock
    case failed(TLSError)
}
