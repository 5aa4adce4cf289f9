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
final class Exchange {
    let worker: Worker
    let request = RequestHead()
    let response = ResponseHead()

    private var downstream: (any Downstream)?
    private var upstream: (any Upstream)?
    /// Kept until the exchange ends: a reload does not change what it began with.
    private var plan: WorkerPlan?
    private var record = ExchangeRecord(listener: 0)
    private var route: CompiledRoute?
    private var service: WorkerService?
    /// The client speaks https, to this proxy or to a trusted one before it.
    private var isSecure = false
    private var tried = TriedEndpoints()

    /// The target sent to the endpoint when it differs from the one received.
    private let target = Buffer(capacity: 256)
    private let localBody = LocalBody()
    /// Why the exchange failed, in words.
    private let detail = Buffer(capacity: 128)
    private var requestRelay = Relay()
    private var responseRelay = Relay()

    private var headBeganAt = Instant.zero
    private var firstAttemptAt = Instant.zero
    private var attemptAt = Instant.zero
    /// No further request follows on this connection, whatever the client wishes.
    private var isLast = false
    private var isUpstreamConnected = false
    private var isRequestSent = false
    /// The final response's head came from the endpoint.
    private var isHeadReceived = false
    /// The final response's head is queued or sent: no other can be.
    private var isResponseStarted = false
    private var isOwnResponse = false
    private var closes = false
    /// Sent back while the response is under way, to be looked at when it is over.
    private var isOver = true

    init(worker: Worker) { self.worker = worker }

    /// Nothing of the request is still to come.
    var isRequestComplete: Bool { downstream?.requestBody.isBodyDecoded ?? true }

    /// How long the client may take between two bytes.
    var clientIdle: UInt64 {
        route?.idleTimeoutNanoseconds ?? downstream?.listener.idleTimeout ?? .max
    }

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

    private func start(_ downstream: any Downstream) {
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
        isHeadReceived = false
        isResponseStarted = false
        isOwnResponse = false
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
        if request.method == .connect { return fail(.badRequest, .unsupportedMethod) }
        let origin = downstream.listener.forwardedFields.apply(
            to: request, peer: downstream.peer.ip, isSecure: false, random: &worker.random)
        record.clientAddress = origin.client
        record.requestID = origin.requestID
        isSecure = origin.isSecure
        do {
            switch try decide(downstream.listener) {
            case .forward: forward(downstream)
            case .redirect(let redirect): send(redirect)
            case .respond(let fixed): send(fixed)
            case .none: fail(.noRoute)
            }
        } catch {
            failPath(error)
        }
    }

    /// Answers a request whose head cannot be understood.
    func reject(_ downstream: any Downstream, _ error: HTTPError) {
        start(downstream)
        isLast = true
        // What was parsed before the mistake is not worth believing.
        request.reset()
        fail(.badRequest, error)
    }

    private enum Decision {
        case forward
        case redirect(Redirect)
        case respond(FixedResponse)
        case none
    }

    private func decide(_ listener: Listener) throws(PathError) -> Decision {
        target.clear()
        guard let plan else { return .none }
        if let index = listener.serviceIndex {
            service = plan.services[index]
            return .forward
        }
        let scratch = worker.routeScratch
        let normalizer = listener.pathNormalizer
        guard let index = try plan.routes.match(request, normalizer, listener: listener.index, scratch: scratch) else {
            return .none
        }
        let route = plan.routes.routes[index]
        self.route = route
        record.route = index
        switch route.action {
        case .service(let index):
            service = plan.services[index]
            if let rewrite = route.rewrite {
                // Not written when the expression does not match: then the target goes on as it was sent.
                _ = try rewrite.write(request, normalizer, scratch, into: target)
            }
            return .forward
        case .redirect(let redirect): return .redirect(redirect)
        case .respond(let fixed): return .respond(fixed)
        }
    }

    // MARK: Forwarding

    private func forward(_ downstream: any Downstream) {
        guard let service else { return fail(.noRoute) }
        record.service = service.index
        let bodyMax = route?.bodyBytesMax ?? downstream.listener.bodyBytesMax
        if case .length(let count) = request.framing, let bodyMax, count > bodyMax {
            return fail(.badRequest, .bodyTooLarge)
        }
        request.headers.removeHopByHop()
        route?.requestEdits.apply(to: request.headers)
        firstAttemptAt = worker.loop.now
        attempt(fresh: false)
    }

    /// Gives the request to an endpoint, or answers why it cannot be.
    private func attempt(fresh: Bool) {
        guard let service else { return }
        var obstacle = Reason.noHealthyEndpoint
        var why = "no endpoint is eligible"
        while tried.count < RetryPolicy.attemptsMax,
            let index = service.cluster.pick(tried, now: worker.loop.now, random: &worker.random)
        {
            tried.insert(index)
            record.endpoint = index
            let pool = service.pools[index]
            switch pool.checkOut(for: self, fresh: fresh) {
            case .idle(let connection):
                record.flags.insert(.upstreamReused)
                return begin(connection, isConnected: true)
            case .connecting(let connection):
                record.flags.remove(.upstreamReused)
                return begin(connection, isConnected: false)
            case .full:
                obstacle = .overloaded
                why = "all \(pool.limits.connectionsMax) connections to \(pool) are in use"
            case .unresolved:
                obstacle = .noHealthyEndpoint
                why = "\(pool) has no address: the name does not resolve"
                worker.report(connectFailed: pool)
            case .failed(let error):
                obstacle = error.isExhaustion ? .overloaded : Reason(connecting: error)
                why = "\(pool): \(error)"
                worker.metrics.add(.connectFailures, service: service.index, endpoint: index)
                worker.report(connectFailed: pool)
            }
        }
        fail(obstacle, detail: why)
    }

    private func begin(_ connection: UpstreamConnection, isConnected: Bool) {
        upstream = connection
        record.attempts += 1
        attemptAt = worker.loop.now
        service?.cluster.exchangeStarted(on: record.endpoint)
        isUpstreamConnected = isConnected
        if isConnected { sendRequest() }
    }

    private func sendRequest() {
        guard let upstream, let downstream else { return }
        isRequestSent = false
        downstream.requestBody.rewind()
        let target = self.target
        upstream.queueHead(request, target: target.readable)
        pumpRequest()
    }

    private func pumpRequest() {
        guard let downstream, let upstream, isUpstreamConnected, !isRequestSent else { return }
        let outcome = requestRelay.run(from: downstream.requestBody, to: upstream.requestBody, pipes: worker.pipes)
        if exceedsBodyLimit(downstream) { return fail(.badRequest, .bodyTooLarge) }
        switch outcome {
        case .complete:
            isRequestSent = true
            requestRelay.end(worker.pipes)
            if isHeadReceived { return }
            downstream.suspendTimeout()
            upstream.awaitResponse(route?.responseTimeoutNanoseconds ?? service?.responseTimeout ?? .max)
        case .sourceBlocked:
            upstream.suspendTimeout()
            downstream.awaitClient()
        case .sinkBlocked:
            downstream.suspendTimeout()
            upstream.awaitProgress(upstreamIdle)
        case .yielded:
            downstream.requestBody.resumeNextTurn()
        case .sourceFailed(.malformed(let error)):
            fail(.badRequest, error)
        case .sourceFailed:
            clientGone()
        case .sinkFailed(let error):
            requestFailed(error)
        }
    }

    /// The endpoint takes no more. It may have answered before it closed: an early response is worth more than an error.
    private func requestFailed(_ error: IOError) {
        guard !isHeadReceived, let upstream else { return }
        switch upstream.readHead(into: response, method: request.method) {
        case .head where !response.isInformational: return headReceived()
        default: attemptFailed(.upstreamReset, "writing the request: \(error)")
        }
    }

    private func exceedsBodyLimit(_ downstream: any Downstream) -> Bool {
        guard request.framing == .chunked, let max = route?.bodyBytesMax ?? downstream.listener.bodyBytesMax else {
            return false
        }
        return downstream.requestBody.payloadDecoded > max
    }

    private var upstreamIdle: UInt64 { route?.idleTimeoutNanoseconds ?? service?.idleTimeout ?? .max }

    // MARK: Events of the client's side

    func downstreamReadable() {
        if isUpstreamConnected { pumpRequest() }
    }

    func downstreamWritable() {
        if isResponseStarted { pumpResponse() }
    }

    /// The client has gone: nobody waits for this response any more.
    func clientGone() { fail(.clientClosed, detail: "the client closed the connection") }

    /// The client took too long to send its request, or to take the response.
    func clientTimedOut() {
        if isResponseStarted { return fail(.clientClosed, detail: "the client took no byte of the response in time") }
        fail(.badRequest, .bodyTimeout)
    }

    // MARK: Events of the endpoint's side

    func upstreamConnected(_ connection: UpstreamConnection) {
        isUpstreamConnected = true
        sendRequest()
    }

    func upstreamFailedToConnect(_ reason: Reason) {
        guard let service else { return }
        worker.metrics.add(.connectFailures, service: service.index, endpoint: record.endpoint)
        worker.report(connectFailed: service.pools[record.endpoint])
        attemptFailed(reason, "connecting")
    }

    func upstreamReadable(_ connection: UpstreamConnection) {
        if isResponseStarted { return pumpResponse() }
        guard let upstream else { return }
        while true {
            switch upstream.readHead(into: response, method: request.method) {
            case .needMore: return
            case .head:
                if response.isInformational {
                    guard passInformational() else { return }
                    continue
                }
                return headReceived()
            case .failed(.malformed(let error)):
                record.kind = error
                return attemptFailed(.upstreamProtocolError, "the response is malformed: \(error.kind)")
            case .failed(.closed):
                return attemptFailed(
                    .upstreamClosed, upstream.hasResponseBytes ? "within the response head" : "before a response")
            case .failed(.reset(let error)):
                return attemptFailed(.upstreamReset, "\(error)")
            }
        }
    }

    func upstreamWritable(_ connection: UpstreamConnection) {
        if !isRequestSent { pumpRequest() }
    }

    func upstreamTimedOut(_ connection: UpstreamConnection) {
        if isHeadReceived { return fail(.responseTimeout, detail: "no byte of the response body in time") }
        if !isRequestSent { return fail(.responseTimeout, detail: "the endpoint took no byte of the request in time") }
        fail(.responseTimeout, detail: "no response head in time")
    }

    // MARK: The response

    /// Passes a 1xx on; false when the exchange ended over it.
    private func passInformational() -> Bool {
        guard let downstream else { return false }
        if response.status == 101 {
            attemptFailed(.upstreamProtocolError, "switched protocols without being asked")
            return false
        }
        guard request.version != .http10 else { return true }
        response.headers.removeHopByHop()
        downstream.queueInformational(response)
        if case .failed = downstream.flush() {
            clientGone()
            return false
        }
        return true
    }

    private func headReceived() {
        guard let downstream, let upstream else { return }
        isHeadReceived = true
        downstream.requestBody.releaseHeld()
        record.flags.insert(.upstreamResponded)
        record.upstreamHead = worker.loop.now.nanoseconds(since: attemptAt)
        upstream.suspendTimeout()
        response.headers.removeHopByHop()
        downstream.listener.forwardedFields.appendVia(to: response.headers, received: response.version)
        route?.responseEdits.apply(to: response.headers)
        // A request that is not complete by now may never be: the client is told that the connection ends here.
        startResponse(downstream, keepAlive: isRequestSent)
        pumpResponse()
    }

    private func startResponse(_ downstream: any Downstream, keepAlive: Bool) {
        isResponseStarted = true
        record.status = response.status
        closes = isLast || !keepAlive || !request.keepAlive || worker.isDraining
        closes = downstream.queueHead(response, for: request, closes: closes)
    }

    private var responseSource: (any BodySource)? { isOwnResponse ? localBody : upstream?.responseBody }

    private func pumpResponse() {
        guard let downstream, let source = responseSource else { return }
        let outcome = responseRelay.run(from: source, to: downstream.responseBody, pipes: worker.pipes)
        switch outcome {
        case .complete:
            responseRelay.end(worker.pipes)
            complete()
        case .sourceBlocked:
            if isRequestSent { downstream.suspendTimeout() }
            upstream?.awaitProgress(upstreamIdle)
        case .sinkBlocked:
            upstream?.suspendTimeout()
            downstream.awaitClient()
        case .yielded:
            source.resumeNextTurn()
        case .sourceFailed(.malformed(let error)):
            record.kind = error
            fail(.upstreamProtocolError, detail: "the response body is malformed: \(error.kind)")
        case .sourceFailed(.closed):
            fail(.upstreamClosed, detail: "within the response body")
        case .sourceFailed(.reset(let error)):
            fail(.upstreamReset, detail: "within the response body: \(error)")
        case .sinkFailed(let error):
            fail(.clientClosed, detail: "writing the response: \(error)")
        }
    }

    private func complete() {
        guard let downstream else { return }
        if let upstream {
            self.upstream = nil
            finishAttempt(upstream)
            upstream.release(
                reusable: isRequestSent && response.keepAlive, serverTimeoutSeconds: response.keepAliveTimeoutSeconds)
        }
        let requestComplete = isRequestSent || drainRequest(downstream)
        finish(downstream)
        downstream.exchangeCompleted(keepAlive: !closes, requestComplete: requestComplete)
    }

    /// Drops what has arrived of a body that nobody wants; true when that was all of it.
    private func drainRequest(_ downstream: any Downstream) -> Bool {
        let body = downstream.requestBody
        body.releaseHeld()
        var budget = 1 << 18
        while budget > 0 {
            let count = body.payload.range.count
            body.take(count)
            budget -= max(count, 1)
            switch body.pull() {
            case .payload: continue
            case .complete: return true
            case .wouldBlock, .failed: return false
            }
        }
        return false
    }

    // MARK: Failure

    /// An attempt came to nothing before the response began: again, or the end.
    private func attemptFailed(_ reason: Reason, _ why: String) {
        guard let upstream, let downstream, let service else { return }
        let failure = RetryPolicy.Failure(
            reason: reason, method: request.method, connectionWasReused: upstream.isReused,
            requestWritten: upstream.hasWrittenRequest, bodyReplayable: downstream.requestBody.canRewind,
            responseStarted: upstream.hasResponseBytes, attempts: Int(record.attempts))
        switch RetryPolicy.decide(failure) {
        case .freshConnection:
            giveUpAttempt(upstream, service)
            tried.removeAll()
            attempt(fresh: true)
        case .otherEndpoint where service.cluster.pick(tried, now: worker.loop.now, random: &worker.random) != nil:
            giveUpAttempt(upstream, service)
            attempt(fresh: false)
        case .otherEndpoint, .no:
            fail(reason, detail: why)
        }
    }

    private func giveUpAttempt(_ upstream: any Upstream, _ service: WorkerService) {
        worker.metrics.retried(service: service.index, endpoint: record.endpoint)
        requestRelay.end(worker.pipes)
        record.kind = nil
        self.upstream = nil
        isUpstreamConnected = false
        finishAttempt(upstream)
        upstream.cancel()
    }

    private func finishAttempt(_ upstream: any Upstream) {
        service?.cluster.exchangeEnded(on: record.endpoint)
        record.upstreamSentBytes += upstream.bytesSent
        record.upstreamReceivedBytes += upstream.bytesReceived
    }

    private func failPath(_ error: PathError) {
        fail(.badRequest, .malformedTarget, detail: "the path is refused: \(error.kind)")
    }

    /// Ends the exchange for a reason of the proxy's own: by a response when none has begun, otherwise by cutting it.
    private func fail(_ reason: Reason, _ kind: HTTPError? = nil, detail why: String = "") {
        guard let downstream, !isOver else { return }
        detail.clear()
        detail.append(why)
        record.reason = reason
        if let kind { record.kind = kind }
        requestRelay.end(worker.pipes)
        responseRelay.end(worker.pipes)
        if let upstream {
            self.upstream = nil
            finishAttempt(upstream)
            upstream.cancel()
        }
        let status = kind?.status ?? reason.status
        if isResponseStarted || reason == .clientClosed {
            if isResponseStarted { record.flags.insert(.responseCut) }
            if reason == .clientClosed, !isResponseStarted { record.status = status }
            worker.failed(record, request, detail)
            finish(downstream)
            return downstream.exchangeAborted()
        }
        record.status = status
        worker.failed(record, request, detail)
        sendProblem(status, downstream)
    }

    private func finish(_ downstream: any Downstream) {
        isOver = true
        let now = worker.loop.now
        record.duration = now.nanoseconds(since: headBeganAt)
        if record.attempts > 0 { record.upstreamDuration = now.nanoseconds(since: firstAttemptAt) }
        record.requestBodyBytes = downstream.requestBody.payloadDecoded
        record.responseBodyBytes = downstream.responseBody.payloadWritten
        record.receivedBytes = downstream.bytesReceived
        record.sentBytes = downstream.bytesSent
        worker.metrics.record(record)
        worker.log(record, request, endpoint: service.flatMap { record.endpoint < 0 ? nil : $0.pools[record.endpoint] })
    }

    // MARK: Responses of our own

    private func beginOwnResponse(_ status: UInt16) {
        isOwnResponse = true
        response.reset()
        response.status = status
        localBody.buffer.clear()
    }

    private func finishOwnResponse(contentType: Span<UInt8>?) {
        guard let downstream else { return }
        let body = localBody.buffer
        let headers = response.headers
        if let contentType, !body.isEmpty { headers.append(.contentType, spelled: "Content-Type", contentType) }
        let length = UInt64(body.readableCount)
        headers.append(.contentLength, ("Content-Length" as StaticString).bytes) { $0.append(decimal: length) }
        response.framing = request.method == .head ? .none : .length(length)
        if request.method == .head { body.clear() }
        startResponse(downstream, keepAlive: drainRequest(downstream))
        isRequestSent = isRequestComplete
        pumpResponse()
    }

    private func send(_ redirect: Redirect) {
        beginOwnResponse(redirect.status)
        response.headers.append(.location, ("Location" as StaticString).bytes) {
            redirect.write(request, isSecure: isSecure, into: $0)
        }
        route?.responseEdits.apply(to: response.headers)
        finishOwnResponse(contentType: nil)
    }

    private func send(_ fixed: FixedResponse) {
        beginOwnResponse(fixed.status)
        let body = fixed.body
        localBody.buffer.append(body.span)
        route?.responseEdits.apply(to: response.headers)
        let contentType = fixed.contentType
        finishOwnResponse(contentType: contentType.span)
    }

    private func sendProblem(_ status: UInt16, _ downstream: any Downstream) {
        beginOwnResponse(status)
        let request = self.request
        let word = record.reason.word
        response.headers.append(.sidecarReason, spelled: "x-sidecar-reason", word.bytes)
        ProblemBody.append(
            status: status, reason: record.reason, kind: record.kind, requestID: request.bytes(record.requestID),
            detail: isLocal(downstream.peer) ? problemDetail : nil, to: localBody.buffer)
        finishOwnResponse(contentType: ProblemBody.contentType.bytes)
    }

    /// A caller on this host is told everything; a remote one the reason and the request's identifier only.
    private func isLocal(_ peer: SocketAddress) -> Bool { peer.ip?.isLoopback ?? true }

    private var problemDetail: ProblemBody.Detail {
        var problem = ProblemBody.Detail()
        problem.text = detail
        if let service, record.endpoint >= 0 { problem.endpoint = service.pools[record.endpoint].addressText }
        problem.attempts = record.attempts
        problem.elapsed = worker.loop.now.nanoseconds(since: headBeganAt)
        problem.source = route?.configuration.source ?? service?.cluster.configuration.source ?? ""
        return problem
    }
}
