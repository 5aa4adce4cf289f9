import HTTP
import Testing

@testable import Traffic

@Suite struct RetryPolicyTests {
    /// A first try that failed on a reused connection, the request written, everything replayable.
    private func decision(
        _ reason: Reason, _ method: Method = .get, _ change: (inout RetryPolicy.Failure) -> Void = { _ in }
    ) -> RetryPolicy.Decision {
        var failure = RetryPolicy.Failure(
            reason: reason, method: method, connectionWasReused: true, requestWritten: true, bodyReplayable: true,
            responseStarted: false, attempts: 1)
        change(&failure)
        return RetryPolicy.decide(failure)
    }

    @Test(arguments: [Reason.upstreamClosed, .upstreamReset])
    func aParkedConnectionThatWasClosedCostsAnIdempotentRequestNothing(_ reason: Reason) {
        for method in Method.allCases {
            #expect(decision(reason, method) == (method.isIdempotent ? .freshConnection : .no))
            #expect(decision(reason, method) { $0.requestWritten = false } == .freshConnection)
            #expect(decision(reason, method) { $0.connectionWasReused = false } == .no)
        }
        #expect(decision(reason, .put) { $0.bodyReplayable = false } == .no)
        #expect(decision(reason) { $0.responseStarted = true } == .no)
    }

    @Test(arguments: [Reason.upstreamClosed, .upstreamReset])
    func aNewConnectionLostBeforeTheRequestLeavesOtherEndpoints(_ reason: Reason) {
        #expect(
            decision(reason, .post) {
                $0.connectionWasReused = false
                $0.requestWritten = false
            } == .otherEndpoint)
    }

    @Test(arguments: [Reason.connectRefused, .connectTimeout, .connectUnreachable, .tlsFailed])
    func whatCannotBeReachedLeavesOtherEndpoints(_ reason: Reason) {
        for method in Method.allCases {
            let decision = decision(reason, method) {
                $0.connectionWasReused = false
                $0.requestWritten = false
                $0.bodyReplayable = false
            }
            #expect(decision == .otherEndpoint)
        }
    }

    @Test func threeTriesAreAllThereAre() {
        for (attempts, expected) in [(1, RetryPolicy.Decision.otherEndpoint), (2, .otherEndpoint), (3, .no), (4, .no)] {
            let decision = decision(.connectRefused) {
                $0.requestWritten = false
                $0.attempts = attempts
            }
            #expect(decision == expected)
        }
        #expect(decision(.upstreamClosed) { $0.attempts = 3 } == .no)
    }

    @Test(arguments: [Reason.upstreamClosed, .upstreamReset, .overloaded])
    func whatTheEndpointRefusedIsTriedAgainWhateverItsMethod(_ reason: Reason) {
        for method in Method.allCases {
            let refused = { (change: (inout RetryPolicy.Failure) -> Void) in
                decision(reason, method) {
                    $0.wasRefused = true
                    $0.connectionWasReused = false
                    change(&$0)
                }
            }
            #expect(refused { _ in } == .freshConnection)
            #expect(refused { $0.requestWritten = false } == .freshConnection)
            #expect(refused { $0.bodyReplayable = false } == .no)
            #expect(refused { $0.responseStarted = true } == .no)
            #expect(refused { $0.attempts = 4 } == .freshConnection)
            #expect(refused { $0.attempts = 5 } == .no)
        }
    }

    @Test func everythingElseIsFinal() {
        let retried: [Reason] = [
            .connectRefused, .connectTimeout, .connectUnreachable, .tlsFailed, .upstreamClosed, .upstreamReset,
        ]
        for reason in Reason.allCases where !retried.contains(reason) {
            #expect(decision(reason) { $0.requestWritten = false } == .no)
        }
    }
}
