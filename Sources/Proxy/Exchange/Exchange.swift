import Config
import Core
import HTTP
import IO
import Traffic

/// One request and its response, whatever protocols the two sides speak.
///
/// Leased from its worker while a request is under way and reused. It hears events from the two sides, asks `Traffic`
/// what to do, and has the sides do it. Every event may end the exchange, and with it begin the next on the same object:
/// whoever raises one does nothing afterwards.
///
///     begin ─▶ route ─▶ attempt ⇄ retry ─▶ awaiting head ─▶ relaying ─▶ completed
///       └────────────▶ own response ◀─┴──────────┘              └─────▶ cut
final class Exchange: Spare {
    /// Informational responses passed on per turn, so that one endpoint does not keep the others waiting.
    private static let informationalMax = 64

    let worker: Worker
    var nextSpare: Exchange?
    let request = RequestHead()
    let response = ResponseHead()

    var downstream: (any Downstream)?
    var upstream: (any Upstream)?
    /// Kept until the exchange ends: a reload does not change what it began with.
    var plan: WorkerPlan?
    private let recordCell = Cell(ExchangeRecord(listener: 0))
    var record: ExchangeRecord {
        get { recordCell.value }
        _modify { yield &recordCell.value }
    }
    var route: CompiledRoute?
    var service: WorkerService?
    /// The client speaks https, to this proxy or to a trusted one before it.
    var isSecure = false
    private let triedCell = Cell(TriedEndpoints())
    var tried: TriedEndpoints {
        get { triedCell.value }
        _modify { yield &triedCell.value }
    }

    /// The target sent to the endpoint when it differs from the one received.
    let target = Buffer(capacity: 256)
    let localBody = LocalBody()
    /// Why the exchange failed, in words.
    let detail = Buffer(capacity: 128)
    let requestRelay = Relay()
    let responseRelay = Relay()

    /// Nanoseconds, of the route or else the service.
    var responseTimeout: UInt64 = .max
    var upstreamIdle: UInt64 = .max
    var headBeganAt = Instant.zero
    var firstAttemptAt = Instant.zero
    var attemptAt = Instant.zero
    /// No further request follows on this connection, whatever the client wishes.
    var isLast = false
    var isUpstreamConnected = false
    var isRequestSent = false
    /// The endpoint has asked for the body.
    var isContinueSent = false
    /// The request is a call of gRPC.
    var isGRPC = false
    /// When its own deadline is over. Made with the first call that has one.
    var deadline: Timer?
    /// After the heads both bodies are a relay of bytes (RFC 8441).
    var isTunnel = false
    /// The client takes no more for now, and an informational response waits to be sent.
    var isInformationalHeldUp = false
    /// The final response's head came from the endpoint.
    var isHeadReceived = false
    /// The final response's head is queued or sent: no other can be.
    var isResponseStarted = false
    var isOwnResponse = false
    var closes = false
    /// Sent back while the response is under way, to be looked at when it is over.
    var isOver = true

    init(worker: Worker) { self.worker = worker }

    /// Nothing of the request is still to come.
    var isRequestComplete: Bool { downstream?.requestBody.isBodyDecoded ?? true }

    /// Nothing of the response is still to come: no payload, and no trailers.
    var isResponseComplete: Bool { upstream?.responseBody.isBodyDecoded ?? true }

    /// Memory that the heads take, as large as the largest so far.
    var headBytesHeld: Int { request.headers.storage.capacity + response.headers.storage.capacity }

    /// How long the client may take between two bytes.
    var clientIdle: UInt64 {
        route?.idleTimeoutNanoseconds ?? (isLongLived ? .max : downstream?.listener.idleTimeout ?? .max)
    }

    /// Both sides may be silent for as long as they like: there is no saying how often they have something to tell.
    var isLongLived: Bool { isTunnel || isGRPC }

    // MARK: Beginning

    /// The first byte of the request has arrived.
    func headBegan(at now: Instant) { headBeganAt = now }

    /// Makes the object ready for the next request.
    func reset() {
        downstream = nil
        upstream = nil
        plan = nil
        route = nil
        service = nil
    }

    func start(_ downstream: any Downstream) {
        self.downstream = downstream
        plan = worker.plan
        record = ExchangeRecord(listener: downstream.listener.index)
        if case .ip(let address, let port) = downstream.peer {
            record.clientAddress = address
            record.clientPort = port
        }
        route = nil
        service = nil
        tried = TriedEndpoints()
        isUpstreamConnected = false
        isRequestSent = false
        isContinueSent = false
        isInformationalHeldUp = false
        isHeadReceived = false
        isResponseStarted = false
        isOwnResponse = false
        isTunnel = false
        isGRPC = false
        closes = false
        isOver = false
        worker.metrics.requestStarted(listener: downstream.listener.index)
    }

    /// Runs the request whose head is in `request`. `isLast`: its connection closes after it.
    func begin(_ downstream: any Downstream, isLast: Bool) {
        start(downstream)
        self.isLast = isLast
        record.method = request.method
        record.version = request.version
        isTunnel = request.isExtendedConnect
        isGRPC = isCall(request)
        if isGRPC { beginDeadline() }
        if request.method == .connect, !isTunnel { return fail(.badRequest, .unsupportedMethod) }
        let identity = downstream.tls?.identity
        var random = worker.random
        let origin = downstream.listener.forwardedFields.apply(
            to: request, peer: downstream.peer.ip, isSecure: downstream.isSecure, random: &random, identity: identity)
        worker.random = random
        record.clientAddress = origin.client
        record.requestID = origin.requestID
        isSecure = origin.isSecure
        do {
            switch try decide(downstream.listener, identity) {
            case .forward(let service): forward(downstream, to: service)
            case .redirect(let redirect): send(redirect)
            case .respond(let fixed): send(fixed)
            case .none: fail(.noRoute)
            }
        } catch {
            failPath(error)
        }
    }

    /// Gives up a request whose head breaks the rules of a protocol in which that ends the stream.
    func refuse(_ downstream: any Downstream, _ error: HTTPError) {
        start(downstream)
        // What was parsed before the mistake is not worth believing.
        request.reset()
        clientBroke(error)
    }

    /// Answers a request whose head cannot be understood.
    func reject(_ downstream: any Downstream, _ error: HTTPError) {
        start(downstream)
        isLast = true
        // What was parsed before the mistake is not worth believing.
        request.reset()
        fail(.badRequest, error)
    }

    enum Decision {
        case forward(WorkerService)
        case redirect(Redirect)
        case respond(FixedResponse)
        case none
    }

    func decide(_ listener: Listener, _ identity: ClientIdentity?) throws(PathError) -> Decision {
        target.clear()
        guard let plan else { return .none }
        if let index = listener.serviceIndex {
            let service = plan.services[index]
            self.service = service
            return .forward(service)
        }
        let scratch = worker.routeScratch
        let normalizer = listener.pathNormalizer
        let match = try plan.routes.match(
            request, normalizer, listener: listener.index, scratch: scratch, identity: identity)
        guard let index = match else { return .none }
        let route = plan.routes.routes[index]
        self.route = route
        record.route = index
        switch route.action {
        case .service(let index):
            let service = plan.services[index]
            self.service = service
            if let rewrite = route.rewrite {
                // Not written when the expression does not match: then the target goes on as it was sent.
                _ = try rewrite.write(request, normalizer, scratch, into: target)
            }
            return .forward(service)
        case .redirect(let redirect): return .redirect(redirect)
        case .respond(let fixed): return .respond(fixed)
        }
    }

    // MARK: Events of the client's side

    func downstreamReadable(_ downstream: any Downstream) {
        if isUpstreamConnected, let upstream { pumpRequest(downstream, upstream) }
    }

    func downstreamWritable(_ downstream: any Downstream) {
        if isResponseStarted { return pumpResponse(downstream) }
        resumeInformational()
    }

    /// The client has gone: nobody waits for this response any more.
    func clientGone(_ why: String = "the client closed the connection") { fail(.clientClosed, detail: why) }

    /// The client has given up this request.
    func clientReset(_ code: H2ErrorCode) { fail(.clientClosed, detail: "the client reset the stream: \(code)") }

    /// The client broke the rules of its protocol within the request, which its stream does not survive.
    func clientBroke(_ error: HTTPError) {
        if !isResponseStarted { record.status = error.status }
        fail(.badRequest, error, detail: "the request breaks the rules of HTTP/2", answers: false)
    }

    /// The client took too long to send its request, or to take the response.
    func clientTimedOut() {
        if isResponseStarted { return fail(.clientClosed, detail: "the client took no byte of the response in time") }
        fail(.badRequest, .bodyTimeout)
    }

    /// There is no time left to finish.
    func workerEnded() { fail(.draining, detail: "the process ended before the response did") }

    // MARK: Events of the endpoint's side

    func upstreamConnected(_ upstream: any Upstream) {
        isUpstreamConnected = true
        if let downstream { sendRequest(downstream, upstream) }
    }

    func upstreamFailedToConnect(_ reason: Reason, _ why: String) {
        attemptFailed(reason, why)
    }

    func upstreamReadable(_ upstream: any Upstream) {
        guard let downstream else { return }
        if isResponseStarted { return pumpResponse(downstream, from: upstream) }
        if !isInformationalHeldUp || upstream.isHeadUrgent { readHeads(downstream, upstream) }
    }

    /// Reads response heads up to the final one.
    func readHeads(_ downstream: any Downstream, _ upstream: any Upstream) {
        var informational = 0
        while true {
            switch upstream.readHead(into: response, method: request.method) {
            case .needMore: return
            case .head:
                if response.isInformational {
                    guard passInformational(downstream, upstream) else { return }
                    informational += 1
                    if informational == Self.informationalMax { return upstream.responseBody.resumeNextTurn() }
                    continue
                }
                return headReceived(downstream, upstream)
            case .failed(.malformed(let error)):
                record.kind = error
                return attemptFailed(.upstreamProtocolError, "the response is malformed: \(error.kind)")
            case .failed(.closed):
                return attemptFailed(
                    .upstreamClosed, upstream.hasResponseBytes ? "within the response head" : "before a response")
            case .failed(.reset(let error)):
                return attemptFailed(.upstreamReset, "\(error)")
            case .failed(.streamReset(let code, let isUnprocessed)):
                return attemptFailed(
                    .upstreamReset, "the endpoint reset the stream: \(code)", isUnprocessed: isUnprocessed)
            case .failed(.violation(let violation)):
                return attemptFailed(
                    .upstreamProtocolError, "the endpoint broke the rules of HTTP/2: \(violation.word)")
            }
        }
    }

    func upstreamWritable(_ upstream: any Upstream) {
        if !isRequestSent, let downstream { pumpRequest(downstream, upstream) }
    }

    func upstreamTimedOut() {
        if isHeadReceived { return fail(.responseTimeout, detail: "no byte of the response body in time") }
        if !isRequestSent { return fail(.responseTimeout, detail: "the endpoint took no byte of the request in time") }
        fail(.responseTimeout, detail: "no response head in time")
    }
}
