package import Core
import HTTP
import Traffic

/// Renders everything that is counted, over all workers, for one scrape.
///
/// Used by the admin thread while workers go on counting; allocates as it likes.
package struct PrometheusText {
    /// The label value of what did not fit under `metrics.series_max`.
    private static let overflow = "_other"

    package var names: MetricsNames
    package var workers: [WorkerMetrics]
    package var dns: DNSMetrics?
    package var tls: TLSMetrics?
    package var certificates: [CertificateExpiry] = []
    package var accessLog: AccessLogWriter?
    package var process = ProcessFigures()
    package var isReady = false
    /// Labels of `sidecar_build_info`, `version` first.
    package var build: [(name: StaticString, value: String)]

    package init(names: MetricsNames, workers: [WorkerMetrics], build: [(name: StaticString, value: String)]) {
        self.names = names
        self.workers = workers
        self.build = build
    }

    package func render(_ format: ExpositionFormat, into output: Buffer) {
        var writer = ExpositionWriter(into: output, format: format)
        renderRequests(&writer)
        renderDurations(&writer)
        renderUpstreamDurations(&writer)
        renderCatalogues(&writer)
        renderCertificates(&writer)
        renderViolations(&writer)
        renderGRPC(&writer)
        renderServer(&writer)
        renderProcess(&writer)
        writer.finish()
    }

    // MARK: Tables

    private func renderRequests(_ writer: inout ExpositionWriter) {
        writer.family(
            "sidecar_requests", .counter,
            "Requests, by the response's status code and, where the proxy itself decided, its reason.")
        var sums: [UInt64: UInt64] = [:]
        for worker in workers {
            worker.requests.forEach { key, cell in sums[key, default: 0] &+= worker.requests.cells.load(cell) }
        }
        for (key, value) in sums.sorted(by: { $0.key < $1.key }) where value > 0 {
            writer.sample(requestLabels(key), value)
        }
    }

    private func requestLabels(_ key: UInt64) -> [UInt8] {
        let series = RequestSeries(key: key)
        let isOverflow = key == 0
        func value(_ text: String) -> String { isOverflow ? Self.overflow : text }
        return LabelText()
            .label("listener", value(names.listener(series.listener)))
            .label("route", value(names.route(series.route)))
            .label("service", value(names.service(series.service)))
            .label("method", value(series.method.name.description))
            .label("code", value(String(series.status)))
            .label("reason", value(series.reason.word.description))
            .bytes
    }

    private func renderDurations(_ writer: inout ExpositionWriter) {
        writer.family(
            "sidecar_request_duration_seconds", .histogram,
            "From a request's first byte until the last of its response was written.", unit: .seconds)
        var sums: [UInt64: [UInt64]] = [:]
        for worker in workers {
            worker.durations.forEach { key, cell in
                add(worker.durations.cells, cell, to: &sums[key, default: Self.noCells])
            }
        }
        for (key, cells) in sums.sorted(by: { $0.key < $1.key }) where cells.contains(where: { $0 > 0 }) {
            let pair = DurationSeries(key: key)
            writer.histogram(
                LabelText()
                    .label("listener", key == 0 ? Self.overflow : names.listener(pair.listener))
                    .label("service", key == 0 ? Self.overflow : names.service(pair.service))
                    .bytes, cells)
        }
    }

    private func renderUpstreamDurations(_ writer: inout ExpositionWriter) {
        writer.family(
            "sidecar_upstream_request_duration_seconds", .histogram,
            "From a request's first attempt at an endpoint until its response ended.", unit: .seconds)
        for (index, service) in names.services.enumerated() {
            var cells = Self.noCells
            for worker in workers {
                add(worker.upstreamDurations, index * LatencyBuckets.cells, to: &cells)
            }
            writer.histogram(LabelText().label("service", service.name).bytes, cells)
        }
    }

    private static let noCells = [UInt64](repeating: 0, count: LatencyBuckets.cells)

    private func add(_ cells: AtomicCells, _ start: Int, to sums: inout [UInt64]) {
        for index in 0..<LatencyBuckets.cells { sums[index] &+= cells.load(start + index) }
    }

    // MARK: Catalogues

    private func renderCatalogues(_ writer: inout ExpositionWriter) {
        render(
            ListenerMetric.self, names.listeners.map { LabelText().label("listener", $0) }, &writer
        ) { metric, listener in sum { $0.value(metric, listener: listener) } }
        render(
            ServiceMetric.self, names.services.map { LabelText().label("service", $0.name) }, &writer
        ) { metric, service in sum { $0.value(metric, service: service) } }

        var endpoints: [(service: Int, endpoint: Int)] = []
        var labels: [LabelText] = []
        for (index, service) in names.services.enumerated() {
            for (endpoint, name) in service.endpoints.enumerated() {
                endpoints.append((index, endpoint))
                labels.append(LabelText().label("service", service.name).label("endpoint", name))
            }
        }
        render(EndpointMetric.self, labels, &writer) { metric, row in
            sum { $0.value(metric, service: endpoints[row].service, endpoint: endpoints[row].endpoint) }
        }
        render(WorkerMetric.self, [LabelText()], &writer) { metric, _ in sum { $0.value(metric) } }
        if let dns { render(DNSMetric.self, [LabelText()], &writer) { metric, _ in dns.value(metric) } }
        if let tls { render(TLSMetric.self, [LabelText()], &writer) { metric, _ in tls.value(metric) } }
        if let accessLog {
            render(AccessLogMetric.self, [LabelText()], &writer) { metric, _ in accessLog.value(metric) }
        }
    }

    private func sum(_ value: (WorkerMetrics) -> UInt64) -> UInt64 { workers.reduce(0) { $0 &+ value($1) } }

    /// One family for each run of a catalogue's entries of one name, one sample for each entry and row.
    private func render<Metric: MetricCatalogue>(
        _ catalogue: Metric.Type, _ rows: [LabelText], _ writer: inout ExpositionWriter,
        value: (_ metric: Metric, _ row: Int) -> UInt64
    ) {
        var family = ""
        for metric in catalogue.allCases {
            let definition = metric.definition
            if definition.name.description != family {
                family = definition.name.description
                writer.family(
                    definition.name, definition.kind == .counter ? .counter : .gauge, definition.help,
                    unit: definition.unit)
            }
            for (row, labels) in rows.enumerated() {
                let labels = definition.label.map { labels.label($0.name, $0.value.description) } ?? labels
                switch definition.kind {
                case .counter: writer.sample(labels.bytes, value(metric, row))
                case .gauge: writer.sample(labels.bytes, gauge: value(metric, row))
                }
            }
        }
    }

    private func renderCertificates(_ writer: inout ExpositionWriter) {
        writer.family(
            "sidecar_tls_certificate_expiry_timestamp_seconds", .gauge,
            "When a certificate in use expires, since the Unix epoch.", unit: .seconds)
        var written = Set<[UInt8]>()
        for certificate in certificates {
            let labels = LabelText().label(certificate.kind, certificate.name).label("path", certificate.path).bytes
            // A file named twice is one series.
            guard written.insert(labels).inserted else { continue }
            writer.sample(labels, UInt64(max(0, certificate.notAfter)))
        }
    }

    private func renderViolations(_ writer: inout ExpositionWriter) {
        writer.family(
            "sidecar_http2_violations", .counter,
            "Connections of clients that ended because the client broke the rules of HTTP/2, by rule.")
        for (listener, name) in names.listeners.enumerated() {
            for violation in H2Violation.allCases {
                let count = sum { $0.value(violation, listener: listener) }
                guard count > 0 else { continue }
                let labels = LabelText().label("listener", name).label("violation", violation.word.description)
                writer.sample(labels.bytes, count)
            }
        }
    }

    private func renderGRPC(_ writer: inout ExpositionWriter) {
        writer.family("sidecar_grpc_requests", .counter, "gRPC calls, by the status they ended with.")
        for (index, service) in names.services.enumerated() {
            for status in 0..<WorkerMetrics.grpcStatuses {
                let count = sum { $0.value(grpcStatus: status, service: index) }
                guard count > 0 else { continue }
                let labels = LabelText().label("service", service.name).label("grpc_status", "\(status)")
                writer.sample(labels.bytes, count)
            }
        }
    }

    // MARK: The process

    private func renderServer(_ writer: inout ExpositionWriter) {
        writer.family("sidecar_build_info", .gauge, "What is running: always 1, the labels tell.")
        writer.sample(build.reduce(LabelText()) { $0.label($1.name, $1.value) }.bytes, 1)
        writer.family("sidecar_workers", .gauge, "Worker threads.")
        writer.sample([], UInt64(workers.count))
        writer.family("sidecar_ready", .gauge, "1 when ready for traffic, 0 before that and while draining.")
        writer.sample([], isReady ? 1 : 0)
    }

    private func renderProcess(_ writer: inout ExpositionWriter) {
        if let value = process.cpuNanoseconds {
            writer.family("process_cpu_seconds", .counter, "User and system CPU time spent.", unit: .seconds)
            writer.sample([], secondsOf: value)
        }
        if let value = process.startNanoseconds {
            writer.family("process_start_time_seconds", .gauge, "Start time since the Unix epoch.", unit: .seconds)
            writer.sample([], secondsOf: value)
        }
        func gauge(
            _ name: StaticString, _ help: StaticString, _ value: UInt64?, unit: MetricDefinition.Unit? = nil
        ) {
            guard let value else { return }
            writer.family(name, .gauge, help, unit: unit)
            writer.sample([], value)
        }
        gauge("process_resident_memory_bytes", "Resident memory.", process.residentBytes, unit: .bytes)
        gauge("process_virtual_memory_bytes", "Virtual memory.", process.virtualBytes, unit: .bytes)
        gauge("process_open_fds", "File descriptors open.", process.openDescriptors)
        gauge("process_max_fds", "File descriptors allowed.", process.descriptorsMax)
        gauge("process_threads", "Threads.", process.threads)
    }
}

extension MetricsNames {
    /// The name of an index, empty for -1.
    fileprivate func listener(_ index: Int) -> String { listeners.indices.contains(index) ? listeners[index] : "" }
    fileprivate func route(_ index: Int) -> String { routes.indices.contains(index) ? routes[index] : "" }
    fileprivate func service(_ index: Int) -> String { services.indices.contains(index) ? services[index].name : "" }
}
