import Testing

@testable import Traffic

@Suite struct GRPCStatusTests {
    @Test func numbersAndNamesAreThoseOfGRPC() {
        let names = [
            "OK", "CANCELLED", "UNKNOWN", "INVALID_ARGUMENT", "DEADLINE_EXCEEDED", "NOT_FOUND", "ALREADY_EXISTS",
            "PERMISSION_DENIED", "RESOURCE_EXHAUSTED", "FAILED_PRECONDITION", "ABORTED", "OUT_OF_RANGE",
            "UNIMPLEMENTED", "INTERNAL", "UNAVAILABLE", "DATA_LOSS", "UNAUTHENTICATED",
        ]
        #expect(GRPCStatus.allCases.map { "\($0.name)" } == names)
        #expect(GRPCStatus.allCases.map { Int($0.rawValue) } == Array(0...16))
    }

    @Test(arguments: [
        (200, GRPCStatus.unknown), (400, .internal), (401, .unauthenticated), (403, .permissionDenied),
        (404, .unimplemented), (429, .unavailable), (500, .unknown), (502, .unavailable), (503, .unavailable),
        (504, .unavailable), (302, .unknown),
    ])
    func aResponseThatIsNotOfGRPCHasAStatusToo(_ status: Int, _ expected: GRPCStatus) {
        #expect(GRPCStatus(httpStatus: UInt16(status)) == expected)
    }

    @Test func everyReasonHasAStatus() {
        let expected: [Reason: GRPCStatus] = [
            .none: .ok, .noRoute: .unimplemented, .noHealthyEndpoint: .unavailable, .connectRefused: .unavailable,
            .connectTimeout: .unavailable, .connectUnreachable: .unavailable, .tlsFailed: .unavailable,
            .overloaded: .resourceExhausted, .upstreamClosed: .unavailable, .upstreamReset: .unavailable,
            .upstreamProtocolError: .internal, .responseTimeout: .deadlineExceeded, .clientClosed: .cancelled,
            .badRequest: .internal, .draining: .unavailable,
        ]
        for reason in Reason.allCases { #expect(reason.grpcStatus == expected[reason], "\(reason)") }
    }

    @Test func aFailedHandshakeHasItsOwnWord() {
        #expect("\(Reason.tlsFailed.word)" == "tls_failed")
        #expect(Reason.tlsFailed.status == 503)
        #expect(Set(Reason.allCases.map { "\($0.word)" }).count == Reason.allCases.count)
    }
}
