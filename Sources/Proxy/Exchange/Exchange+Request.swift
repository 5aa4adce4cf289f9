import Core
import HTTP
import IO
import Traffic

/// The way to the endpoint: who gets the request, and getting it there.
extension Exchange {
    func forward(_ downstream: any Downstream, to service: WorkerService) {
        record.service = service.index
        responseTimeout = route?.responseTimeoutNanoseconds ?? service.responseTimeout
        upstreamIdle = route?.idleTimeoutNanoseconds ?? (isLongLived ? .max : service.idleTimeout)
        let bodyMax = route?.bodyBytesMax ?? downstream.listener.bodyBytesMax
        if case .length(let count) = request.framing, let bodyMax, count > bodyMax {
            return fail(.badRequest, .bodyTooLarge)
        }
        request.headers.removeHopByHop()
        route?.requestEdits?.apply(to: request.headers)
        firstAttemptAt = worker.loop.now
        attempt(downstream, service, fresh: false)
    }

    /// Gives the request to an endpoint, or answers why it cannot be.
    func attempt(_ downstream: any Downstream, _ service: WorkerService, fresh: Bool) {
        var obstacle = Reason.noHealthyEndpoint
        var why = "no endpoint is eligible"
        while let index = pickUntried(service) {
            record.endpoint = index
            let pool = service.pools[index]
            switch pool.checkOut(for: self, fresh: fresh) {
            case .idle(let connection):
                record.flags.insert(.upstreamReused)
                return begin(downstream, connection, service, isConnected: true)
            case .connecting(let connection):
                record.flags.remove(.upstreamReused)
                return begin(downstream, connection, service, isConnected: false)
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

    /// The next endpoint to try, which is then no longer untried; nil when there is none, or enough have been.
    private func pickUntried(_ service: WorkerService) -> Int? {
        guard tried.count < RetryPolicy.attemptsMax else { return nil }
        // On copies: lending the properties out would have every access to them checked.
        var random = worker.random
        var tried = self.tried
        let picked = service.cluster.pick(tried, now: worker.loop.now, random: &random)
        worker.random = random
        if let picked { tried.insert(picked) }
        self.tried = tried
        return picked
    }

    func begin(
        _ downstream: any Downstream, _ connection: any Upstream, _ service: WorkerService, isConnected: Bool
    ) {
        upstream = connection
        record.attempts += 1
        attemptAt = worker.loop.now
        service.cluster.exchangeStarted(on: record.endpoint)
        isUpstreamConnected = isConnected
        if isConnected { sendRequest(downstream, connection) }
    }

    func sendRequest(_ downstream: any Downstream, _ upstream: any Upstream) {
        isRequestSent = false
        downstream.requestBody.rewind()
        let target = self.target
        upstream.queueHead(request, target: target.readable)
        if upstream.isRequestEnded { requestSent(downstream, upstream) } else { pumpRequest(downstream, upstream) }
    }

    private func requestSent(_ downstream: any Downstream, _ upstream: any Upstream) {
        isRequestSent = true
        requestRelay.end(worker.pipes)
        if isTunnel { upstream.endRequest() }
        if isHeadReceived { return }
        downstream.suspendTimeout()
        upstream.awaitResponse(responseTimeout)
    }

    func pumpRequest(_ downstream: any Downstream, _ upstream: any Upstream) {
        guard isUpstreamConnected, !isRequestSent else { return }
        if isTunnel, !isHeadReceived { return awaitTunnel(upstream, downstream) }
        let outcome = requestRelay.run(from: downstream.requestBody, to: upstream.requestBody, pipes: worker.pipes)
        if exceedsBodyLimit(downstream) { return fail(.badRequest, .bodyTooLarge) }
        switch outcome {
        case .complete: requestSent(downstream, upstream)
        case .sourceBlocked where isContinueAwaited:
            downstream.suspendTimeout()
            upstream.awaitResponse(responseTimeout)
        case .sourceBlocked:
            if !isHeadReceived { upstream.suspendTimeout() }
            downstream.awaitClient()
        case .sinkBlocked:
            downstream.suspendTimeout()
            upstream.awaitProgress(upstreamIdle)
        case .yielded:
            // Both sides have just moved.
            if !isHeadReceived { upstream.suspendTimeout() }
            downstream.awaitClient()
            downstream.requestBody.resumeNextTurn()
        case .sourceFailed(.malformed(let error)):
            fail(.badRequest, error)
        case .sourceFailed:
            clientGone()
        case .sinkFailed(let error):
            requestFailed(error, downstream, upstream)
        }
    }

    /// What goes through a tunnel waits until the endpoint has agreed to it.
    private func awaitTunnel(_ upstream: any Upstream, _ downstream: any Downstream) {
        downstream.suspendTimeout()
        switch upstream.requestBody.push(nil, 0..<0, ends: false, trailers: nil).state {
        case .drained, .blocked: upstream.awaitResponse(responseTimeout)
        case .failed(let error): requestFailed(error, downstream, upstream)
        }
    }

    /// The endpoint takes no more. It may have answered before it closed: an early response is worth more than an error.
    func requestFailed(_ error: IOError, _ downstream: any Downstream, _ upstream: any Upstream) {
        guard !isHeadReceived else { return }
        while case .head = upstream.readHead(into: response, method: request.method) {
            if !response.isInformational { return headReceived(downstream, upstream) }
        }
        attemptFailed(.upstreamReset, "writing the request: \(error)")
    }

    func exceedsBodyLimit(_ downstream: any Downstream) -> Bool {
        guard request.framing.isChunked, let max = route?.bodyBytesMax ?? downstream.listener.bodyBytesMax else {
            return false
        }
        return downstream.requestBody.payloadDecoded > max
    }

    /// The client waits for the endpoint's word before it sends the body (RFC 9110 §10.1.1).
    var isContinueAwaited: Bool {
        request.expectsContinue && !isContinueSent && downstream?.requestBody.payloadDecoded == 0
    }

}
