import Core
import HTTP
import TestSupport
import Testing
import Traffic

@testable import Proxy

@Suite struct WorkerMetricsTests {
    private func requests(_ metrics: WorkerMetrics) -> [UInt64: UInt64] {
        var found: [UInt64: UInt64] = [:]
        metrics.requests.forEach { key, cell in found[key] = metrics.requests.cells.load(cell) }
        return found
    }

    @Test func aRecordIsCountedUnderAllItsNumbers() throws {
        let metrics = WorkerMetrics(names: .sample, seriesMax: 16)
        metrics.requestStarted(listener: 0)
        #expect(metrics.value(.requestsActive, listener: 0) == 1)
        metrics.record(.sample)
        let key = try #require(RequestSeries.key(.sample))
        #expect(requests(metrics) == [0: 0, key: 1])
        #expect(metrics.value(.requestsActive, listener: 0) == 0)
        #expect(metrics.value(.receivedBytes, listener: 0) == 300)
        #expect(metrics.value(.sentBytes, listener: 0) == 400)
        #expect(metrics.value(.sentBytes, service: 0) == 350)
        #expect(metrics.value(.receivedBytes, service: 0) == 380)
        #expect(metrics.value(.requests, service: 0, endpoint: 1) == 1)
        #expect(metrics.value(.requests, service: 0, endpoint: 0) == 0)
        #expect(metrics.value(.requests, service: 1, endpoint: 0) == 0)
        // 1.5 ms and 1.2 ms lie in the bucket up to 2.5 ms, the fifth.
        #expect(metrics.durations.cells.load(LatencyBuckets.cells + 4) == 1)
        #expect(metrics.durations.cells.load(LatencyBuckets.cells + LatencyBuckets.sumCell) == 1_500_000)
        #expect(metrics.upstreamDurations.load(4) == 1)
        #expect(metrics.upstreamDurations.load(LatencyBuckets.sumCell) == 1_200_000)
    }

    @Test func anAnswerOfTheProxyItselfTouchesNoService() {
        let metrics = WorkerMetrics(names: .sample, seriesMax: 16)
        var record = ExchangeRecord(listener: 1)
        record.status = 404
        record.reason = .noRoute
        metrics.requestStarted(listener: 1)
        metrics.record(record)
        #expect(requests(metrics).values.reduce(0, +) == 1)
        for cell in 0..<LatencyBuckets.cells * 2 { #expect(metrics.upstreamDurations.load(cell) == 0) }
    }

    @Test func aRetryCountsTheEndpointThatWasGivenUp() {
        let metrics = WorkerMetrics(names: .sample, seriesMax: 16)
        metrics.retried(service: 0, endpoint: 0)
        metrics.record(.sample)
        #expect(metrics.value(.retries, service: 0) == 1)
        #expect(metrics.value(.requests, service: 0, endpoint: 0) == 1)
        #expect(metrics.value(.requests, service: 0, endpoint: 1) == 1)
    }

    @Test func pastTheLimitRequestsAreCountedTogetherAndNoneIsLost() {
        let metrics = WorkerMetrics(names: .sample, seriesMax: 4)
        for status in UInt16(200)..<210 {
            var record = ExchangeRecord.sample
            record.status = status
            for _ in 0..<3 { metrics.record(record) }
        }
        let found = requests(metrics)
        #expect(found.count == 5)
        #expect(found[0] == 18)
        #expect(found.values.reduce(0, +) == 30)
        #expect(metrics.value(.requestsOverflowed) == 18)
    }

    @Test func anIndexTooLargeForAKeyOverflowsInsteadOfMixingWithOthers() {
        let metrics = WorkerMetrics(names: .sample, seriesMax: 4)
        var record = ExchangeRecord.sample
        record.route = 1 << 17
        metrics.record(record)
        #expect(requests(metrics) == [0: 1])
    }

    @Test func everyLabelSurvivesTheKey() throws {
        var random = Random(seed: 11)
        for _ in 0..<2000 {
            var record = ExchangeRecord(listener: Int.random(in: -1..<1022, using: &random))
            record.route = Int.random(in: -1..<131_070, using: &random)
            record.service = Int.random(in: -1..<65_534, using: &random)
            record.method = Method.allCases.randomElement(using: &random)!
            record.status = UInt16.random(in: 0...999, using: &random)
            record.reason = Reason.allCases.randomElement(using: &random)!
            let series = RequestSeries(key: try #require(RequestSeries.key(record)))
            #expect(series.listener == record.listener)
            #expect(series.route == record.route)
            #expect(series.service == record.service)
            #expect(series.method == record.method)
            #expect(series.status == record.status)
            #expect(series.reason == record.reason)
            let duration = DurationSeries(key: DurationSeries.key(record))
            #expect(duration.listener == record.listener)
            #expect(duration.service == record.service)
        }
    }

    @Test func methodsAndReasonsFitIntoTheirBits() {
        #expect(Method.allCases.allSatisfy { $0.rawValue < 16 })
        #expect(Reason.allCases.allSatisfy { $0.rawValue < 64 })
    }

    @Test func recordingKeepsNoMemory() {
        let metrics = WorkerMetrics(names: .sample, seriesMax: 64)
        let record = ExchangeRecord.sample
        metrics.record(record)
        #expect(Heap.isUntouched { for _ in 0..<10_000 { metrics.record(record) } })
    }

    @Test func everyEndpointHasCellsOfItsOwn() {
        let metrics = WorkerMetrics(names: .sample, seriesMax: 4)
        let places = [(0, 0), (0, 1), (1, 0)]
        for (number, place) in places.enumerated() {
            for metric in EndpointMetric.allCases {
                metrics.add(metric, service: place.0, endpoint: place.1, UInt64(number * 100 + metric.rawValue))
            }
        }
        for (number, place) in places.enumerated() {
            for metric in EndpointMetric.allCases {
                let value = metrics.value(metric, service: place.0, endpoint: place.1)
                #expect(value == UInt64(number * 100 + metric.rawValue))
            }
        }
    }

    @Test func everyViolationAndEveryStatusOfGRPCHasACellOfItsOwn() {
        let metrics = WorkerMetrics(names: .sample, seriesMax: 4)
        for listener in 0..<2 {
            for (index, violation) in H2Violation.allCases.enumerated() {
                for _ in 0...(index + listener) { metrics.violated(violation, listener: listener) }
            }
        }
        for listener in 0..<2 {
            for (index, violation) in H2Violation.allCases.enumerated() {
                #expect(metrics.value(violation, listener: listener) == UInt64(index + listener + 1))
            }
        }
        var record = ExchangeRecord.sample
        for service in 0..<2 {
            record.service = service
            record.endpoint = 0
            for status in 0..<WorkerMetrics.grpcStatuses {
                record.grpcStatus = Int8(status)
                for _ in 0...(status + service) { metrics.record(record) }
            }
        }
        for service in 0..<2 {
            for status in 0..<WorkerMetrics.grpcStatuses {
                #expect(metrics.value(grpcStatus: status, service: service) == UInt64(status + service + 1))
            }
        }
    }

    @Test func whatIsNoCallHasNoStatusOfGRPC() {
        let metrics = WorkerMetrics(names: .sample, seriesMax: 4)
        metrics.record(.sample)
        for status in 0..<WorkerMetrics.grpcStatuses { #expect(metrics.value(grpcStatus: status, service: 0) == 0) }
    }
}
