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

    mutating func proceed(_ transport: Transport) -> Outcome {
        if !isOpen {
            if let error = Socket.connectError(of: transport.rawDescriptor) {
                return .failed(Reason(connecting: error), "\(error)")
            }
            guard transport.isWritable else { return .pending }
            isOpen = true
        }
        return .connected
    }

    /// What it waits for when its time is up.
    var timeoutReason: Reason { .connectTimeout }
    var timeoutText: String { "no connection in time" }
}
