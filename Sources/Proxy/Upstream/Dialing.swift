import IO
import Traffic

/// The beginning of a connection to an endpoint, whatever is spoken on it later: TCP, then TLS where its service wants it.
///
/// A plain value of one connection's, asked anew whenever the kernel has news.
struct Dialing {
    enum Outcome {
        case pending
        case connected
        case failed(Reason, String)
    }

    private var isOpen = false

    mutating func proceed(_ transport: Transport, _ tls: EndpointTLS? = nil) -> Outcome {
        if !isOpen {
            if let error = Socket.connectError(of: transport.rawDescriptor) {
                return .failed(Reason(connecting: error), "\(error)")
            }
            guard transport.isWritable else { return .pending }
            isOpen = true
            do { try tls?.begin(on: transport) } catch { return .failed(.tlsFailed, "\(error)") }
        }
        guard let tls else { return .connected }
        switch transport.handshake() {
        case .wouldBlock: return .pending
        case .failed(let error): return .failed(.tlsFailed, "\(error)")
        case .complete:
            guard !tls.isHTTP2 || transport.tls?.applicationProtocol == .http2 else {
                return .failed(.tlsFailed, "the endpoint does not agree to HTTP/2 (ALPN)")
            }
            return .connected
        }
    }

    /// What it waits for when its time is up.
    var timeoutReason: Reason { isOpen ? .tlsFailed : .connectTimeout }
    var timeoutText: String { isOpen ? "no TLS handshake in time" : "no connection in time" }
}
