import Core
import HTTP
import Testing
import Traffic

@testable import Proxy

@Suite struct ProblemBodyTests {
    private func body(
        _ status: UInt16, _ reason: Reason, kind: HTTPError? = nil, requestID: String = "",
        detail: ProblemBody.Detail? = nil
    ) -> [UInt8] {
        let output = Buffer(capacity: 16)
        ProblemBody.append(
            status: status, reason: reason, kind: kind, requestID: Array(requestID.utf8).span, detail: detail,
            to: output)
        let bytes = output.readable
        return bytes.indices.map { bytes[$0] }
    }

    @Test func aRemoteCallerLearnsTheReasonAndTheRequestOnly() {
        #expect(
            String(decoding: body(503, .connectRefused, requestID: "7f3a"), as: UTF8.self) == """
                {"title":"Service Unavailable","status":503,"reason":"connect_refused","request_id":"7f3a"}

                """)
    }

    @Test func aBadRequestNamesItsKind() {
        let value = JSONValue(body(431, .badRequest, kind: .headTooLarge))
        #expect(value?["kind"] == "head_too_large")
        #expect(value?["title"] == "Request Header Fields Too Large")
    }

    @Test func aLocalCallerLearnsEverything() {
        var detail = ProblemBody.Detail()
        detail.text = Buffer(capacity: 64)
        detail.text?.append("nothing listens on \"10.0.0.11:8080\"")
        detail.endpoint = Buffer(capacity: 64)
        detail.endpoint?.append("backend1 10.0.0.11:8080")
        detail.attempts = 2
        detail.elapsed = 3_000_000
        detail.source = "services.yaml:12"
        #expect(
            JSONValue(body(503, .connectRefused, detail: detail))
                == .object([
                    "title": "Service Unavailable", "status": 503, "reason": "connect_refused",
                    "detail": "nothing listens on \"10.0.0.11:8080\"", "endpoint": "backend1 10.0.0.11:8080",
                    "attempts": 2, "elapsed_ms": 3, "source": "services.yaml:12",
                ]))
    }

    @Test func aRequestIDOfAnyLengthAndBytesKeepsTheBodyShortAndValid() {
        let body = body(404, .noRoute, requestID: String(repeating: "\u{1}\"", count: 10_000))
        #expect(JSONValue(body) != nil)
        #expect(body.count < 4096)
    }

    @Test func everyStatusOfTheProxyHasAPhraseAndEveryKindAWord() {
        for status in Reason.allCases.filter({ $0 != .none }).map(\.status) + HTTPError.allCases.map(\.status) {
            let title = JSONValue(body(status, .badRequest))?["title"]
            #expect(title != nil && title != "Client Error" && title != "Server Error")
        }
        for kind in HTTPError.allCases {
            #expect(JSONValue(body(400, .badRequest, kind: kind))?["kind"] == .string(kind.kind))
        }
    }
}
