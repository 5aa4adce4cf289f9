import Config
import Core
import HTTP
import TestSupport
import Testing
import Traffic

@testable import Proxy

@Suite struct AccessLogFormatterTests {
    /// 2024-02-29 12:00:00.250 UTC.
    private let noon: UInt64 = 1_709_208_000_250_000_000

    private func line(
        _ record: borrowing ExchangeRecord, _ head: RequestHead, format: AccessLogConfiguration.Format = .json,
        upstream: String = ""
    ) -> [UInt8] {
        let output = Buffer(capacity: 256)
        AccessLogFormatter(format, names: .sample).append(
            record, head: head, upstreamAddress: Array(upstream.utf8).span, wallNanoseconds: noon, to: output)
        let bytes = output.readable
        return bytes.indices.map { bytes[$0] }
    }

    @Test func aWholeExchangeHasEveryFieldInOrder() {
        let head = RequestHead.sample()
        var record = ExchangeRecord.sample
        record.requestID = head.place(.xRequestID, "x-request-id", "7f3a")
        #expect(
            String(decoding: line(record, head, upstream: "10.0.0.12:8080"), as: UTF8.self) == """
                {"timestamp":"2024-02-29T12:00:00.250Z","http.request.method":"GET","url.path":"/api/orders",\
                "url.query":"page=2","server.address":"shop.local","server.port":8080,\
                "network.protocol.version":"1.1","http.response.status_code":200,"client.address":"10.1.2.3",\
                "client.port":40000,"user_agent.original":"curl/8.5.0","http.request.body.size":0,\
                "http.response.body.size":127,"sidecar.listener":"web","http.route":"orders-api",\
                "sidecar.service":"orders","sidecar.endpoint":"backend2","sidecar.upstream.address":"10.0.0.12:8080",\
                "sidecar.attempts":1,"sidecar.duration_ms":1.500,"sidecar.upstream.head_ms":1.100,\
                "sidecar.upstream.duration_ms":1.200,"sidecar.upstream.reused":true,"sidecar.request_id":"7f3a"}

                """)
    }

    @Test func aHeadThatCouldNotBeReadLeavesItsFieldsOut() throws {
        var record = ExchangeRecord(listener: 1)
        record.status = 400
        record.reason = .badRequest
        record.kind = .spaceBeforeColon
        let head = RequestHead()
        // Where a parser might have stopped: ranges into bytes that never came.
        head.path = ByteRange(start: 4, count: 100)
        let value = try #require(JSONValue(line(record, head)))
        #expect(value["sidecar.reason"] == "bad_request")
        #expect(value["sidecar.kind"] == "space_before_colon")
        #expect(value["http.response.status_code"] == 400)
        #expect(value["sidecar.listener"] == "orders-local")
        for absent in [
            "http.request.method", "url.path", "url.query", "server.address", "client.address", "user_agent.original",
            "sidecar.service", "sidecar.endpoint", "sidecar.upstream.duration_ms", "sidecar.request_id",
        ] {
            #expect(value[absent] == nil)
        }
    }

    @Test func aMethodOfTheirOwnIsNamedAsOpenTelemetryHasIt() throws {
        var record = ExchangeRecord.sample
        record.method = .other
        let value = try #require(JSONValue(line(record, .sample(method: "BREW"))))
        #expect(value["http.request.method"] == "_OTHER")
        #expect(value["http.request.method_original"] == "BREW")
    }

    @Test(
        arguments: [
            ("[2001:db8::1]:8443", "2001:db8::1", 8443), ("[2001:db8::1]", "2001:db8::1", nil),
            ("shop.local", "shop.local", nil),
            ("shop.local:", "shop.local:", nil), ("shop.local:99999", "shop.local", nil), ("12", "12", nil),
            ("10.0.0.1:80", "10.0.0.1", 80),
        ] as [(String, String, Int?)])
    func theAuthorityIsHostAndPort(_ authority: String, _ host: String, _ port: Int?) throws {
        let value = try #require(JSONValue(line(.sample, .sample(authority: authority))))
        #expect(value["server.address"] == .string(host))
        #expect(value["server.port"] == port.map { .number(Double($0)) })
    }

    @Test func whateverBytesAClientSendsTheLineStaysOneLineOfJSON() throws {
        var random = Random(seed: 5)
        for _ in 0..<2000 {
            let bytes = (0..<40).map { _ in UInt8.random(in: 0...255, using: &random) }
            let line = line(.sample, .sample(userAgent: bytes))
            #expect(line.count { $0 == 0x0A } == 1 && line.last == 0x0A)
            let value = try #require(JSONValue(line))
            guard case .string(let text)? = value["user_agent.original"] else {
                Issue.record("no user agent")
                return
            }
            if let valid = String(validating: bytes, as: UTF8.self) { #expect(text == valid) }
        }
        for byte in UInt8.min...UInt8.max {
            let value = try #require(JSONValue(line(.sample, .sample(userAgent: [0x61, byte, 0x62]))))
            let expected = byte < 0x80 ? "a\(Character(Unicode.Scalar(byte)))b" : "a\u{FFFD}b"
            #expect(value["user_agent.original"] == .string(expected))
        }
    }

    @Test func aHugeValueIsCutBetweenCharacters() throws {
        for shift in 0..<4 {
            let agent = [UInt8](repeating: 0x61, count: shift) + (0..<3000).flatMap { _ in Array("\u{1F600}".utf8) }
            let value = try #require(JSONValue(line(.sample, .sample(userAgent: agent))))
            guard case .string(let text)? = value["user_agent.original"] else {
                Issue.record("no user agent")
                return
            }
            #expect(!text.unicodeScalars.contains("\u{FFFD}"))
            #expect((AccessLogFormatter.valueBytesMax - 3...AccessLogFormatter.valueBytesMax).contains(text.utf8.count))
        }
    }

    @Test func theTextFormatIsNginxsCombinedAndThenKeysAndValues() {
        let head = RequestHead.sample(userAgent: Array("a \"b\" \\ \u{1}é".utf8))
        var record = ExchangeRecord.sample
        record.reason = .upstreamReset
        record.flags.insert(.responseCut)
        record.requestID = head.place(.xRequestID, "x-request-id", "7f 3a")
        #expect(
            String(decoding: line(record, head, format: .text, upstream: "10.0.0.12:8080"), as: UTF8.self) == """
                10.1.2.3 - - [29/Feb/2024:12:00:00 +0000] "GET /api/orders?page=2 HTTP/1.1" 200 127 "-" \
                "a \\x22b\\x22 \\x5c \\x01\\xc3\\xa9" listener=web route=orders-api service=orders endpoint=backend2 \
                upstream_address=10.0.0.12:8080 reason=upstream_reset response_cut=true attempts=1 duration_ms=1.500 \
                upstream_duration_ms=1.200 request_id=7f\\x203a

                """)
    }

    @Test func aTextLineWithoutAHeadIsStillALine() {
        var record = ExchangeRecord(listener: 0)
        record.status = 408
        record.reason = .badRequest
        record.kind = .headTimeout
        #expect(
            String(decoding: line(record, RequestHead(), format: .text), as: UTF8.self) == """
                - - - [29/Feb/2024:12:00:00 +0000] "-" 408 0 "-" "-" listener=web reason=bad_request \
                kind=head_timeout attempts=0 duration_ms=0.000

                """)
    }

    @Test(arguments: AccessLogConfiguration.Format.allCases)
    func aWarmFormatterKeepsNoMemory(_ format: AccessLogConfiguration.Format) {
        let formatter = AccessLogFormatter(format, names: .sample)
        let output = Buffer(capacity: 4096)
        let head = RequestHead.sample()
        let record = ExchangeRecord.sample
        let upstream = Array("10.0.0.12:8080".utf8)
        func lines(_ count: UInt64) {
            for index in 0..<count {
                output.clear()
                formatter.append(
                    record, head: head, upstreamAddress: upstream.span, wallNanoseconds: noon + index * 1_000_000,
                    to: output)
            }
        }
        lines(1)
        #expect(Heap.isUntouched { lines(10_000) })
    }
}
