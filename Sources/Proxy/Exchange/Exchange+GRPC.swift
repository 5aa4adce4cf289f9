import Core
import HTTP
import IO
import Traffic

/// What is particular to gRPC: its deadline, how its failures are told, and the status it ends with.
extension Exchange: TimerTarget {
    /// Whether the request is a call: HTTP/2 with gRPC's content type.
    func isCall(_ request: RequestHead) -> Bool {
        let headers = request.headers
        guard request.version == .http2, let field = headers.first(.contentType) else { return false }
        return GRPCContentType.isGRPC(headers.value(of: field))
    }

    /// Begins the call's own deadline, if it names one (`grpc-timeout`).
    func beginDeadline() {
        let headers = request.headers
        guard let field = headers.first(.grpcTimeout), let nanoseconds = GRPCTimeout.parse(headers.value(of: field))
        else { return }
        let timer = deadline ?? Timer(target: self)
        deadline = timer
        worker.loop.schedule(timer, at: headBeganAt.advanced(byNanoseconds: nanoseconds))
    }

    func endDeadline() {
        if let deadline { worker.loop.cancel(deadline) }
    }

    func timerFired(_ timer: Timer) { fail(.responseTimeout, detail: "the call's own deadline (grpc-timeout) is over") }

    /// Answers a call with a status of the proxy's own: trailers only, in a response that is 200 like all of gRPC's.
    func sendGRPCStatus(_ status: GRPCStatus) {
        beginOwnResponse(200)
        record.status = 200
        record.grpcStatus = Int8(status.rawValue)
        let headers = response.headers
        headers.append(.contentType, spelled: "content-type", ("application/grpc" as StaticString).bytes)
        headers.append(.grpcStatus, ("grpc-status" as StaticString).bytes) {
            $0.append(decimal: UInt64(status.rawValue))
        }
        let word = record.reason.word
        let isLocal = downstream.map { self.isLocal($0.peer) } ?? false
        let detail = self.detail
        headers.append(.other, ("grpc-message" as StaticString).bytes) { storage in
            storage.append(word)
            guard isLocal, !detail.isEmpty else { return }
            storage.append(": ")
            storage.append(grpcMessage: detail.readable)
        }
        headers.append(.sidecarReason, spelled: "x-sidecar-reason", word.bytes)
        finishOwnResponse(contentType: nil)
    }

    /// Notes the status that the endpoint's response ended with, before it is let go.
    func noteGRPCStatus(_ trailers: HeaderBlock?) {
        let headers = response.headers
        if let trailers, let field = trailers.first(.grpcStatus) {
            record.grpcStatus = Self.grpcStatus(trailers.value(of: field))
        } else if let field = headers.first(.grpcStatus) {
            record.grpcStatus = Self.grpcStatus(headers.value(of: field))
        } else {
            record.grpcStatus = Int8(GRPCStatus(httpStatus: response.status).rawValue)
        }
    }

    /// What is not one of the seventeen counts as UNKNOWN.
    private static func grpcStatus(_ value: Span<UInt8>) -> Int8 {
        var number = 0
        for index in value.indices {
            guard let digit = ASCII.digit(value[index]), number < 100 else { return 2 }
            number = number * 10 + Int(digit)
        }
        return value.isEmpty || number > 16 ? 2 : Int8(number)
    }
}
