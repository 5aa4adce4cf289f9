import Config
import Core
import HTTP
import IO
import Traffic

/// Responses that the proxy makes itself.
extension Exchange {
    func beginOwnResponse(_ status: UInt16) {
        isOwnResponse = true
        response.reset()
        response.status = status
        localBody.buffer.clear()
    }

    func finishOwnResponse(contentType: Span<UInt8>?) {
        guard let downstream else { return }
        let body = localBody.buffer
        let headers = response.headers
        if let contentType, !body.isEmpty { headers.append(.contentType, spelled: "Content-Type", contentType) }
        let length = UInt64(body.readableCount)
        let isBodiless = Status.isBodiless(response.status)
        if !isBodiless {
            headers.append(.contentLength, ("Content-Length" as StaticString).bytes) { $0.append(decimal: length) }
        }
        response.framing = request.method == .head || isBodiless ? .none : .length(length)
        if request.method == .head { body.clear() }
        startResponse(downstream, keepAlive: drainRequest(downstream))
        isRequestSent = isRequestComplete
        pumpResponse(downstream, from: nil)
    }

    func send(_ redirect: Redirect) {
        beginOwnResponse(redirect.status)
        response.headers.append(.location, ("Location" as StaticString).bytes) {
            redirect.write(request, isSecure: isSecure, into: $0)
        }
        route?.responseEdits?.apply(to: response.headers)
        finishOwnResponse(contentType: nil)
    }

    func send(_ fixed: FixedResponse) {
        beginOwnResponse(fixed.status)
        let body = fixed.body
        localBody.buffer.append(body.span)
        route?.responseEdits?.apply(to: response.headers)
        let contentType = fixed.contentType
        finishOwnResponse(contentType: contentType.span)
    }

    func sendProblem(_ status: UInt16, _ downstream: any Downstream) {
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
    func isLocal(_ peer: SocketAddress) -> Bool { peer.ip?.isLoopback ?? true }

    var problemDetail: ProblemBody.Detail {
        var problem = ProblemBody.Detail()
        problem.text = detail
        if let service, record.endpoint >= 0 { problem.endpoint = service.pools[record.endpoint].addressText }
        problem.attempts = record.attempts
        problem.elapsed = worker.loop.now.nanoseconds(since: headBeganAt)
        problem.source = route?.configuration.source ?? service?.cluster.configuration.source ?? ""
        return problem
    }
}
