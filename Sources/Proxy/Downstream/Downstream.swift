import Core
import HTTP
import IO
import Traffic

/// The client's side of an exchange, whichever protocol the client speaks.
///
/// A connection turns bytes into codec-neutral events for its exchange and carries out what the exchange decides. HTTP/1
/// carries one exchange at a time; a multiplexed protocol has one such object per stream.
protocol Downstream: AnyObject {
    var requestBody: any BodySource { get }
    var responseBody: any BodySink { get }
    var listener: Listener { get }
    /// The address the connection comes from.
    var peer: SocketAddress { get }
    /// The connection is encrypted.
    var isSecure: Bool { get }
    /// What is known of its TLS; nil when it is plain.
    var tls: ClientTLS? { get }
    /// What is queued leaves at the end of the turn by itself.
    var writesLater: Bool { get }
    /// Bytes of this exchange on the connection, heads and framing included.
    var bytesReceived: UInt64 { get }
    var bytesSent: UInt64 { get }

    /// Queues an informational response.
    func queueInformational(_ head: ResponseHead)
    /// Queues the head of the final response. `closes` asks that no further exchange follows on this connection; returns
    /// whether none does, which the response's framing may demand.
    func queueHead(_ head: ResponseHead, for request: RequestHead, closes: Bool) -> Bool
    /// Writes what is queued.
    func flush() -> PushOutcome.State

    /// The exchange now waits for the client: for bytes of its request, or until it takes more of the response.
    func awaitClient()
    /// The exchange waits for somebody else.
    func suspendTimeout()
    /// The response is with the kernel and the exchange is over. `requestComplete`: nothing of the request is left unread.
    func exchangeCompleted(keepAlive: Bool, requestComplete: Bool)
    /// The exchange is over and the response cut: the client must be able to tell.
    /// `code` is what an endpoint's stream was reset with.
    func exchangeAborted(_ reason: Reason, _ code: H2ErrorCode?)
}
