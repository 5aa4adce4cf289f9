import Core
import HTTP
import TestSupport
import Testing
import Traffic

@testable import Proxy

@Suite struct FailureRingTests {
    private func detail(_ text: String) -> Buffer {
        let buffer = Buffer(capacity: 64)
        buffer.append(text)
        return buffer
    }

    private func failed(_ status: UInt16) -> ExchangeRecord {
        var record = ExchangeRecord.sample
        record.status = status
        record.reason = .connectRefused
        return record
    }

    @Test func theLastOnesAreKeptOldestFirst() {
        let ring = FailureRing()
        for number in 0..<FailureRing.count * 2 + 5 {
            ring.record(
                failed(UInt16(number)), head: .sample(path: "/\(number)", query: nil), detail: detail("\(number)"),
                wallNanoseconds: UInt64(number))
        }
        let kept = ring.snapshot()
        let expected = Array(FailureRing.count + 5..<FailureRing.count * 2 + 5)
        #expect(kept.map { Int($0.status) } == expected)
        #expect(kept.map(\.target) == expected.map { "/\($0)" })
        #expect(kept.map(\.detail) == expected.map { "\($0)" })
    }

    @Test func aRingThatIsNotFullListsWhatThereIs() {
        let ring = FailureRing()
        #expect(ring.snapshot().isEmpty)
        ring.record(failed(1), head: .sample(), detail: detail(""), wallNanoseconds: 1)
        ring.record(failed(2), head: .sample(), detail: detail(""), wallNanoseconds: 2)
        #expect(ring.snapshot().map(\.status) == [1, 2])
    }

    @Test func longTextsAreCutAndDoNotRunIntoEachOther() {
        let ring = FailureRing()
        let long = String(repeating: "x", count: 5000)
        ring.record(
            failed(1), head: .sample(method: long, path: "/" + long, authority: long), detail: detail(long),
            wallNanoseconds: 1)
        ring.record(failed(2), head: .sample(method: "A"), detail: detail("b"), wallNanoseconds: 2)
        let kept = ring.snapshot()
        #expect(kept[0].method == String(repeating: "x", count: 16))
        #expect(kept[0].target.utf8.count == 512)
        #expect(kept[0].authority.utf8.count == 128)
        #expect(kept[0].detail.utf8.count == 304)
        #expect(kept[1].method == "A")
        #expect(kept[1].detail == "b")
    }

    @Test func aFailureIsWrittenAsOneObject() {
        let ring = FailureRing()
        var record = failed(503)
        let head = RequestHead.sample()
        record.requestID = head.place(.xRequestID, "x-request-id", "7f3a")
        ring.record(
            record, head: head, detail: detail("no one \"listens\""), wallNanoseconds: 1_709_208_000_250_000_000)
        let output = Buffer(capacity: 64)
        var writer = JSONWriter(into: output)
        ring.snapshot()[0].write(to: &writer, names: .sample)
        let bytes = output.readable
        #expect(
            JSONValue(bytes.indices.map { bytes[$0] })
                == .object([
                    "timestamp": "2024-02-29T12:00:00.250Z", "reason": "connect_refused", "status": 503,
                    "method": "GET",
                    "authority": "shop.local:8080", "target": "/api/orders?page=2", "client": "10.1.2.3:40000",
                    "listener": "web", "route": "orders-api", "service": "orders", "endpoint": "backend2",
                    "attempts": 1, "duration_ms": 1.5, "request_id": "7f3a", "detail": "no one \"listens\"",
                ]))
    }

    @Test func keepingAFailureKeepsNoMemoryOnceTheRingIsFull() {
        let ring = FailureRing()
        let head = RequestHead.sample()
        let detail = detail("connection refused")
        let record = failed(503)
        func failures(_ count: Int) {
            for _ in 0..<count { ring.record(record, head: head, detail: detail, wallNanoseconds: 1) }
        }
        failures(FailureRing.count)
        #expect(Heap.isUntouched { failures(1000) })
    }
}
