import Core
import HTTP
import IO
import Traffic

/// The way back: heads as they come, then the body.
extension Exchange {
    /// Passes a 1xx on; false when the exchange ended over it.
    func passInformational(_ downstream: any Downstream, _ upstream: any Upstream) -> Bool {
        if response.isSwitchingProtocols {
            attemptFailed(.upstreamProtocolError, "switched protocols without being asked")
            return false
        }
        guard request.version != .http10 else { return true }
        // Such heads cannot wait where they are, and there is no end to how many an endpoint may send: a client that does
        // not take one does without the next. Only the word that the body waits for has to reach it.
        if isInformationalHeldUp, response.status != 100 || isContinueSent || isRequestSent { return true }
        response.headers.removeHopByHop()
        downstream.queueInformational(response)
        let state = downstream.flush()
        if case .failed = state {
            clientGone()
            return false
        }
        if response.status == 100, !isRequestSent {
            isContinueSent = true
            upstream.suspendTimeout()
            downstream.awaitClient()
        }
        // The next is read when the client has taken this one.
        isInformationalHeldUp = state == .blocked
        return !isInformationalHeldUp
    }

    /// The client takes bytes again, and no final response has begun.
    func resumeInformational() {
        guard isInformationalHeldUp, let downstream, let upstream else { return }
        switch downstream.flush() {
        case .failed: clientGone()
        case .blocked: break
        case .drained:
            isInformationalHeldUp = false
            readHeads(downstream, upstream)
        }
    }

    func headReceived(_ downstream: any Downstream, _ upstream: any Upstream) {
        isHeadReceived = true
        if isTunnel, response.status >= 300 {
            // Not agreed to: an ordinary response, and nothing more is wanted of the client.
            isTunnel = false
            isRequestSent = true
        }
        downstream.requestBody.releaseHeld()
        record.flags.insert(.upstreamResponded)
        record.upstreamHead = worker.loop.now.nanoseconds(since: attemptAt)
        upstream.suspendTimeout()
        response.headers.removeHopByHop()
        downstream.listener.forwardedFields.appendVia(to: response.headers, received: response.version)
        route?.responseEdits?.apply(to: response.headers)
        // A request that is not complete by now may never be: the client is told that the connection ends here.
        startResponse(downstream, keepAlive: isRequestSent)
        // Where everything leaves at the end of the turn, a head need not be seen off before payload has come.
        if downstream.writesLater, upstream.awaitsPayload {
            upstream.awaitProgress(upstreamIdle)
        } else {
            pumpResponse(downstream, from: upstream)
        }
        // What the client has sent already may now go through.
        if isTunnel, !isOver { pumpRequest(downstream, upstream) }
    }

    func startResponse(_ downstream: any Downstream, keepAlive: Bool) {
        isResponseStarted = true
        record.status = response.status
        closes = isLast || !keepAlive || !request.keepAlive || worker.isDraining
        closes = downstream.queueHead(response, for: request, closes: closes)
    }

    func pumpResponse(_ downstream: any Downstream) {
        if isOwnResponse { return pumpResponse(downstream, from: nil) }
        if let upstream { pumpResponse(downstream, from: upstream) }
    }

    /// `upstream` is nil for a response of the proxy's own.
    func pumpResponse(_ downstream: any Downstream, from upstream: (any Upstream)?) {
        let source: any BodySource = upstream?.responseBody ?? localBody
        let outcome = responseRelay.run(from: source, to: downstream.responseBody, pipes: worker.pipes)
        switch outcome {
        case .complete:
            responseRelay.end(worker.pipes)
            complete(downstream, upstream)
        case .sourceBlocked:
            if isRequestSent { downstream.suspendTimeout() }
            upstream?.awaitProgress(upstreamIdle)
        case .sinkBlocked:
            upstream?.suspendTimeout()
            downstream.awaitClient()
        case .yielded:
            // Both sides have just moved.
            upstream?.awaitProgress(upstreamIdle)
            source.resumeNextTurn()
        case .sourceFailed(.malformed(let error)):
            record.kind = error
            fail(.upstreamProtocolError, detail: "the response body is malformed: \(error.kind)")
        case .sourceFailed(.closed):
            fail(.upstreamClosed, detail: "within the response body")
        case .sourceFailed(.reset(let error)):
            fail(.upstreamReset, detail: "within the response body: \(error)")
        case .sourceFailed(.streamReset(let code, _)):
            fail(.upstreamReset, detail: "the endpoint reset the stream within the response body: \(code)", code: code)
        case .sourceFailed(.violation(let violation)):
            fail(.upstreamProtocolError, detail: "the endpoint broke the rules of HTTP/2: \(violation.word)")
        case .sinkFailed(let error):
            fail(.clientClosed, detail: "writing the response: \(error)")
        }
    }

    func complete(_ downstream: any Downstream, _ upstream: (any Upstream)?) {
        if let upstream {
            if isGRPC { noteGRPCStatus(upstream.responseBody.trailers) }
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
    func drainRequest(_ downstream: any Downstream) -> Bool {
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
}
