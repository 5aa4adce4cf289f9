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
            do { try tls?.begin(on: transport) } catch { return failed("\(error)", tls) }
        }
        guard let tls else { return .connected }
        switch transport.handshake() {
        case .wouldBlock: return .pending
        case .failed(let error): return failed("\(error)", tls)
        case .complete:
            guard !tls.isHTTP2 || transport.tls?.applicationProtocol == .http2 else {
                return failed("the endpoint does not agree to HTTP/2 (ALPN)", tls)
            }
            tls.completed(isResumed: transport.tls?.isResumed ?? false)
            return .connected
        }
    }

    /// Its time is up; what it waited for until then.
    func timedOut(_ tls: EndpointTLS? = nil) -> (reason: Reason, why: String) {
        guard isOpen else { return (.connectTimeout, "no connection in time") }
        tls?.failed()
        return (.tlsFailed, "no TLS handshake in time")
    }

    private func failed(_ why: String, _ tls: EndpointTLS?) -> Outcome {
        tls?.failed()
        return .failed(.tlsFailed, why)
    }
}
