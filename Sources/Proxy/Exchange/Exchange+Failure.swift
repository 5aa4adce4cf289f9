import Core
import HTTP
import IO
import Traffic

/// What becomes of an exchange that did not go well: another attempt, a response of our own, or a cut.
extension Exchange {
    /// An attempt came to nothing before the response began: again, or the end.
    /// `isUnprocessed`: the endpoint says that it has done nothing with the request.
    func attemptFailed(_ reason: Reason, _ why: String, isUnprocessed: Bool = false) {
        guard let upstream, let downstream, let service else { return }
        let failure = RetryPolicy.Failure(
            reason: reason, method: request.method, connectionWasReused: upstream.isReused,
            requestWritten: upstream.hasWrittenRequest, bodyReplayable: downstream.requestBody.canRewind,
            responseStarted: upstream.hasResponseBytes, attempts: Int(record.attempts), wasRefused: isUnprocessed)
        switch RetryPolicy.decide(failure) {
        case .freshConnection:
            giveUpAttempt(upstream, service)
            tried.removeAll()
            attempt(downstream, service, fresh: true)
        case .otherEndpoint where service.cluster.hasUntried(tried):
            giveUpAttempt(upstream, service)
            attempt(downstream, service, fresh: false)
        case .otherEndpoint where service.pools[record.endpoint].addresses.count > 1:
            // A name's other address may be the one where somebody listens.
            giveUpAttempt(upstream, service)
            tried.removeAll()
            attempt(downstream, service, fresh: false)
        case .otherEndpoint, .no:
            fail(reason, detail: why)
        }
    }

    func giveUpAttempt(_ upstream: any Upstream, _ service: WorkerService) {
        worker.metrics.retried(service: service.index, endpoint: record.endpoint)
        requestRelay.end(worker.pipes)
        record.kind = nil
        self.upstream = nil
        isUpstreamConnected = false
        finishAttempt(upstream)
        upstream.cancel()
    }

    func finishAttempt(_ upstream: any Upstream) {
        service?.cluster.exchangeEnded(on: record.endpoint)
        record.upstreamSentBytes += upstream.bytesSent
        record.upstreamReceivedBytes += upstream.bytesReceived
    }

    func failPath(_ error: PathError) {
        fail(.badRequest, .malformedTarget, detail: "the path is refused: \(error.kind)")
    }

    /// Ends the exchange for a reason of the proxy's own: by a response when none has begun, otherwise by cutting it.
    /// `code`: what the endpoint's stream was reset with. `answers`: whether the client may still get a response.
    func fail(
        _ reason: Reason, _ kind: HTTPError? = nil, detail why: String = "", code: H2ErrorCode? = nil,
        answers: Bool = true
    ) {
        guard let downstream, !isOver else { return }
        detail.clear()
        detail.append(why)
        record.reason = reason
        if let kind { record.kind = kind }
        if let upstream {
            self.upstream = nil
            finishAttempt(upstream)
            upstream.cancel()
        }
        let status = kind?.status ?? reason.status
        if isResponseStarted || reason == .clientClosed || !answers {
            if isResponseStarted { record.flags.insert(.responseCut) }
            if reason == .clientClosed, !isResponseStarted { record.status = status }
            if isGRPC { record.grpcStatus = Int8(reason.grpcStatus.rawValue) }
            reportFailure()
            finish(downstream)
            return downstream.exchangeAborted(reason, code)
        }
        record.status = status
        reportFailure()
        if isGRPC { return sendGRPCStatus(record.reason.grpcStatus) }
        sendProblem(status, downstream)
    }

    private func reportFailure() {
        let record = self.record
        worker.failed(record, request, detail)
    }

    func finish(_ downstream: any Downstream) {
        isOver = true
        if isGRPC { endDeadline() }
        requestRelay.end(worker.pipes)
        responseRelay.end(worker.pipes)
        let now = worker.loop.now
        // On a copy: lending the property out would have every access to it checked.
        var record = self.record
        record.duration = now.nanoseconds(since: headBeganAt)
        if record.attempts > 0 { record.upstreamDuration = now.nanoseconds(since: firstAttemptAt) }
        record.requestBodyBytes = downstream.requestBody.payloadDecoded
        record.responseBodyBytes = downstream.responseBody.payloadWritten
        record.receivedBytes = downstream.bytesReceived
        record.sentBytes = downstream.bytesSent
        self.record = record
        worker.metrics.record(record)
        let pool = service.flatMap { record.endpoint < 0 ? nil : $0.pools[record.endpoint] }
        worker.log(record, request, endpoint: pool, tls: downstream.tls)
    }
}
