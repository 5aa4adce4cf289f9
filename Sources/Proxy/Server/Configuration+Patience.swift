import Config
import IO

extension Configuration {
    /// How long the kernel may wait for a peer's acknowledgement where the peer may idle for `idle`: for longer, and for
    /// longer than any route allows, so that it is the proxy that ends a pause, and says why.
    func unacknowledgedMax(_ idle: Duration) -> Duration {
        let pause = routes.reduce(idle) { max($0, $1.idleTimeout ?? .zero) }
        return max(Socket.unacknowledgedMax, pause + .seconds(5))
    }
}
