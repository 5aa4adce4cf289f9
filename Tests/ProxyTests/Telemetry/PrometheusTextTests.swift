import Core
import Glibc
import HTTP
import Testing
import Traffic

@testable import Proxy

@Suite struct PrometheusTextTests {
    private func worker(_ requests: Int, names: MetricsNames = .sample, seriesMax: Int = 100) -> WorkerMetrics {
        let metrics = WorkerMetrics(names: names, seriesMax: seriesMax)
        for index in 0..<requests {
            var record = ExchangeRecord.sample
            record.duration = UInt64(index + 1) * 400_000
            metrics.requestStarted(listener: 0)
            metrics.record(record)
        }
        return metrics
    }

    private func render(
        _ format: ExpositionFormat, _ workers: [WorkerMetrics], names: MetricsNames = .sample,
        process: ProcessFigures = .current()
    ) -> String {
        var text = PrometheusText(
            names: names, workers: workers, build: [("version", "1.2.3"), ("swift", "6.3")])
        text.dns = DNSMetrics()
        text.process = process
        text.isReady = true
        let output = Buffer(capacity: 64)
        text.render(format, into: output)
        return output.readable.text
    }

    private func samples(_ text: String, _ prefix: String) -> [Substring] {
        text.split(separator: "\n").filter { $0.hasPrefix(prefix) }
    }

    @Test func workersAreSummed() {
        let text = render(.prometheus, [worker(3), worker(4), worker(0)])
        #expect(
            samples(text, "sidecar_requests_total{") == [
                """
                sidecar_requests_total{listener="web",route="orders-api",service="orders",method="GET",code="200",\
                reason=""} 7
                """
            ])
        #expect(
            samples(text, "sidecar_downstream_sent_bytes_total{") == [
                "sidecar_downstream_sent_bytes_total{listener=\"web\"} 2800",
                "sidecar_downstream_sent_bytes_total{listener=\"orders-local\"} 0",
            ])
        #expect(
            samples(text, "sidecar_upstream_requests_total{") == [
                "sidecar_upstream_requests_total{service=\"orders\",endpoint=\"backend1\"} 0",
                "sidecar_upstream_requests_total{service=\"orders\",endpoint=\"backend2\"} 7",
                "sidecar_upstream_requests_total{service=\"db\",endpoint=\"10.0.0.20:3306\"} 0",
            ])
        #expect(samples(text, "sidecar_workers") == ["sidecar_workers 3"])
    }

    @Test func aHistogramIsCumulativeAndEndsWithItsSumAndCount() {
        // 0.4, 0.8, 1.2, 1.6 ms on one worker, 0.4 on the other.
        let text = render(.prometheus, [worker(4), worker(1)])
        let lines = samples(text, "sidecar_request_duration_seconds_")
        #expect(lines.count == LatencyBuckets.count + 2)
        let labels = "listener=\"web\",service=\"orders\""
        #expect(lines[0] == "sidecar_request_duration_seconds_bucket{\(labels),le=\"0.0001\"} 0")
        #expect(lines[2] == "sidecar_request_duration_seconds_bucket{\(labels),le=\"0.0005\"} 2")
        #expect(lines[3] == "sidecar_request_duration_seconds_bucket{\(labels),le=\"0.001\"} 3")
        #expect(lines[4] == "sidecar_request_duration_seconds_bucket{\(labels),le=\"0.0025\"} 5")
        #expect(lines[12] == "sidecar_request_duration_seconds_bucket{\(labels),le=\"1\"} 5")
        #expect(lines[18] == "sidecar_request_duration_seconds_bucket{\(labels),le=\"+Inf\"} 5")
        #expect(lines[19] == "sidecar_request_duration_seconds_sum{\(labels)} 0.0044")
        #expect(lines[20] == "sidecar_request_duration_seconds_count{\(labels)} 5")
    }

    @Test func requestsPastTheLimitStandUnderOther() {
        let metrics = WorkerMetrics(names: .sample, seriesMax: 1)
        for status in UInt16(200)..<205 {
            var record = ExchangeRecord.sample
            record.status = status
            metrics.record(record)
        }
        let text = render(.prometheus, [metrics])
        #expect(
            samples(text, "sidecar_requests_total{").first == """
                sidecar_requests_total{listener="_other",route="_other",service="_other",method="_other",\
                code="_other",reason="_other"} 4
                """)
        #expect(samples(text, "sidecar_requests_overflowed_total") == ["sidecar_requests_overflowed_total 4"])
    }

    @Test func closedConnectionsAreOneFamilyByCause() {
        let metrics = worker(0)
        metrics.add(.closedByPeer, service: 0, endpoint: 1, 3)
        let text = render(.openMetrics, [metrics])
        #expect(samples(text, "# TYPE sidecar_upstream_connections_closed ").count == 1)
        #expect(
            text.contains(
                """
                sidecar_upstream_connections_closed_total{service="orders",endpoint="backend2",cause="peer"} 3

                """))
    }

    @Test func openMetricsNamesFamiliesWithoutTotalTellsUnitsAndEnds() {
        let text = render(.openMetrics, [worker(1)])
        #expect(text.contains("# TYPE sidecar_requests counter\n"))
        #expect(text.contains("\nsidecar_requests_total{"))
        #expect(text.contains("# UNIT sidecar_downstream_sent_bytes bytes\n"))
        #expect(text.contains(",le=\"1.0\"} "))
        #expect(!text.contains("le=\"1\""))
        #expect(text.hasSuffix("\n# EOF\n"))
    }

    @Test func thePlainFormatNamesFamiliesWithTotalAndHasNeitherUnitNorEnd() {
        let text = render(.prometheus, [worker(1)])
        #expect(text.contains("# TYPE sidecar_requests_total counter\n"))
        #expect(!text.contains("# UNIT"))
        #expect(!text.contains("EOF"))
    }

    @Test func labelValuesAreEscaped() {
        let names = MetricsNames(
            listeners: ["a\\b\"c\nd é"], routes: ["orders-api"], services: MetricsNames.sample.services)
        let text = render(.prometheus, [worker(1, names: names)], names: names)
        #expect(text.contains("{listener=\"a\\\\b\\\"c\\nd é\",route="))
        #expect(text.split(separator: "\n").allSatisfy { $0.hasPrefix("#") || $0.last?.isNumber == true })
    }

    @Test func everySampleStandsInItsFamilyAndNoSeriesTwice() throws {
        for format in [ExpositionFormat.prometheus, .openMetrics] {
            let text = render(format, [worker(5), worker(2)])
            var families: Set<Substring> = []
            var series: Set<Substring> = []
            var family: Substring = ""
            for line in text.split(separator: "\n") where line != "# EOF" {
                if line.hasPrefix("# HELP ") {
                    family = line.split(separator: " ")[2]
                    #expect(families.insert(family).inserted)
                } else if line.hasPrefix("# ") {
                    #expect(line.split(separator: " ")[2] == family)
                } else {
                    let space = try #require(line.lastIndex(of: " "))
                    #expect(series.insert(line[..<space]).inserted)
                    #expect(line.hasPrefix(family))
                    #expect(Double(line[line.index(after: space)...]) != nil)
                }
            }
        }
    }

    @Test(
        arguments: [
            ("", .prometheus), ("*/*", .prometheus), ("text/plain", .prometheus),
            ("application/openmetrics-text", .openMetrics),
            ("application/openmetrics-text; version=1.0.0; charset=utf-8", .openMetrics),
            ("Application/OpenMetrics-Text;q=0", .prometheus),
            ("application/openmetrics-text;version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5", .prometheus),
            (
                """
                application/openmetrics-text;version=1.0.0;q=0.75,application/openmetrics-text;version=0.0.1;q=0.75,\
                text/plain;version=0.0.4;q=0.5,*/*;q=0.1
                """, .openMetrics
            ),
            ("text/plain, application/openmetrics-text;q=0.9", .prometheus),
            ("text/plain;q=0.3, application/openmetrics-text;q=0.30", .openMetrics),
            (",;,=;q=;q=1.1.1", .prometheus),
        ] as [(String, ExpositionFormat)])
    func theAcceptFieldChoosesTheFormat(_ accept: String, _ format: ExpositionFormat) {
        #expect(ExpositionFormat(accept: Array(accept.utf8).span) == format)
    }

    @Test func figuresThatCannotBeReadAreLeftOut() {
        let text = render(.prometheus, [], process: ProcessFigures())
        #expect(!text.contains("process_"))
        #expect(text.contains("sidecar_build_info{version=\"1.2.3\",swift=\"6.3\"} 1\n"))
        #expect(text.contains("sidecar_ready 1\n"))
    }

    @Test func violationsAndStatusesOfGRPCThatHappenedAreShown() {
        let metrics = WorkerMetrics(names: .sample, seriesMax: 4)
        let other = WorkerMetrics(names: .sample, seriesMax: 4)
        for metrics in [metrics, other] { metrics.violated(.rapidReset, listener: 1) }
        metrics.violated(.compression, listener: 0)
        var record = ExchangeRecord.sample
        record.grpcStatus = 14
        metrics.record(record)
        other.record(record)
        let text = render(.prometheus, [metrics, other])
        #expect(
            samples(text, "sidecar_http2_violations_total{") == [
                "sidecar_http2_violations_total{listener=\"web\",violation=\"compression\"} 1",
                "sidecar_http2_violations_total{listener=\"orders-local\",violation=\"rapid_reset\"} 2",
            ])
        #expect(
            samples(text, "sidecar_grpc_requests_total{") == [
                "sidecar_grpc_requests_total{service=\"orders\",grpc_status=\"14\"} 2"
            ])
    }
}
