import Core
import HTTP

/// What one worker counts.
///
/// Written by its worker alone, with plain loads and stores; read by the admin thread at any time, which may find one
/// number of a record counted and the next not yet. Nothing here allocates after `init`. Labels are indices of the
/// `MetricsNames` it was made for; names come in only when the text is rendered.
package final class WorkerMetrics: Sendable {
    private let listenerCount: Int
    private let serviceCount: Int
    /// Where each service's endpoints begin; one more entry for the end.
    private let endpointStarts: [Int]

    private let listenerCells: AtomicCells
    private let serviceCells: AtomicCells
    private let endpointCells: AtomicCells
    private let workerCells: AtomicCells
    /// `sidecar_http2_violations_total`, for each listener and violation.
    private let violationCells: AtomicCells
    /// `sidecar_grpc_requests_total`, for each service and status.
    private let grpcCells: AtomicCells

    /// `sidecar_requests_total`.
    let requests: SeriesTable
    private let requestCells: AtomicCells
    /// `sidecar_request_duration_seconds`, a histogram per listener and service.
    let durations: SeriesTable
    private let durationCells: AtomicCells
    /// `sidecar_upstream_request_duration_seconds`, a histogram per service.
    let upstreamDurations: AtomicCells
    private let octaves = LatencyBuckets.octaves()

    /// `seriesMax` is `metrics.series_max`.
    package init(names: MetricsNames, seriesMax: Int) {
        listenerCount = names.listeners.count
        serviceCount = names.services.count
        var starts = [0]
        for service in names.services { starts.append(starts[starts.count - 1] + service.endpoints.count) }
        endpointStarts = starts
        listenerCells = AtomicCells(count: listenerCount * ListenerMetric.count)
        serviceCells = AtomicCells(count: serviceCount * ServiceMetric.count)
        endpointCells = AtomicCells(count: starts[starts.count - 1] * EndpointMetric.count)
        workerCells = AtomicCells(count: WorkerMetric.count)
        violationCells = AtomicCells(count: listenerCount * H2Violation.allCases.count)
        grpcCells = AtomicCells(count: serviceCount * Self.grpcStatuses)
        requests = SeriesTable(seriesMax: seriesMax, width: 1)
        durations = SeriesTable(
            seriesMax: min(seriesMax, listenerCount * (serviceCount + 1)), width: LatencyBuckets.cells)
        // Held here as well, so that a record reaches them without a reference count in passing.
        requestCells = requests.cells
        durationCells = durations.cells
        upstreamDurations = AtomicCells(count: serviceCount * LatencyBuckets.cells)
    }

    // MARK: Events of an exchange

    /// A request's head began to be handled; `record` ends it.
    @inline(__always)
    package func requestStarted(listener: Int) { add(.requestsActive, listener: listener) }

    /// An attempt was given up and another is being made; the endpoint is that of the attempt given up.
    package func retried(service: Int, endpoint: Int) {
        add(.retries, service: service)
        add(.requests, service: service, endpoint: endpoint)
    }

    /// An exchange that `requestStarted` announced has ended.
    package func record(_ record: borrowing ExchangeRecord) {
        if let key = RequestSeries.key(record) {
            let series = requests.series(key)
            requestCells.add(series, 1)
            if series == 0 { add(.requestsOverflowed) }
        } else {
            requestCells.add(0, 1)
            add(.requestsOverflowed)
        }
        let duration = durations.series(DurationSeries.key(record))
        observe(record.duration, at: duration * LatencyBuckets.cells, of: durationCells)

        subtract(.requestsActive, listener: record.listener)
        add(.receivedBytes, listener: record.listener, record.receivedBytes)
        add(.sentBytes, listener: record.listener, record.sentBytes)

        guard record.service >= 0 else { return }
        if record.grpcStatus >= 0 { grpcCells.add(record.service &* Self.grpcStatuses &+ Int(record.grpcStatus), 1) }
        guard record.attempts > 0 else { return }
        observe(record.upstreamDuration, at: record.service * LatencyBuckets.cells, of: upstreamDurations)
        add(.sentBytes, service: record.service, record.upstreamSentBytes)
        add(.receivedBytes, service: record.service, record.upstreamReceivedBytes)
        if record.endpoint >= 0 { add(.requests, service: record.service, endpoint: record.endpoint) }
    }

    /// A client ended its HTTP/2 connection by breaking its rules.
    func violated(_ violation: H2Violation, listener: Int) {
        violationCells.add(listener * H2Violation.allCases.count + Int(violation.rawValue), 1)
    }

    @inline(__always)
    private func observe(_ nanoseconds: UInt64, at cell: Int, of cells: AtomicCells) {
        cells.add(cell + LatencyBuckets.bucket(of: nanoseconds, in: octaves), 1)
        cells.add(cell + LatencyBuckets.sumCell, nanoseconds)
    }

    // MARK: Counting

    @inline(__always)
    package func add(_ metric: ListenerMetric, listener: Int, _ amount: UInt64 = 1) {
        listenerCells.add(listener &* ListenerMetric.count &+ metric.rawValue, amount)
    }

    @inline(__always)
    package func subtract(_ metric: ListenerMetric, listener: Int, _ amount: UInt64 = 1) {
        listenerCells.subtract(listener &* ListenerMetric.count &+ metric.rawValue, amount)
    }

    @inline(__always)
    package func add(_ metric: ServiceMetric, service: Int, _ amount: UInt64 = 1) {
        serviceCells.add(service &* ServiceMetric.count &+ metric.rawValue, amount)
    }

    @inline(__always)
    package func add(_ metric: EndpointMetric, service: Int, endpoint: Int, _ amount: UInt64 = 1) {
        endpointCells.add(cell(metric, service, endpoint), amount)
    }

    @inline(__always)
    package func subtract(_ metric: EndpointMetric, service: Int, endpoint: Int, _ amount: UInt64 = 1) {
        endpointCells.subtract(cell(metric, service, endpoint), amount)
    }

    @inline(__always)
    package func add(_ metric: WorkerMetric, _ amount: UInt64 = 1) { workerCells.add(metric.rawValue, amount) }

    // MARK: Reading, on any thread

    /// Statuses of gRPC, 0 to 16.
    static let grpcStatuses = 17

    func value(_ violation: H2Violation, listener: Int) -> UInt64 {
        violationCells.load(listener * H2Violation.allCases.count + Int(violation.rawValue))
    }

    func value(grpcStatus: Int, service: Int) -> UInt64 {
        grpcCells.load(service * Self.grpcStatuses + grpcStatus)
    }

    package func value(_ metric: ListenerMetric, listener: Int) -> UInt64 {
        listenerCells.load(listener * ListenerMetric.count + metric.rawValue)
    }

    package func value(_ metric: ServiceMetric, service: Int) -> UInt64 {
        serviceCells.load(service * ServiceMetric.count + metric.rawValue)
    }

    package func value(_ metric: EndpointMetric, service: Int, endpoint: Int) -> UInt64 {
        endpointCells.load(cell(metric, service, endpoint))
    }

    package func value(_ metric: WorkerMetric) -> UInt64 { workerCells.load(metric.rawValue) }

    @inline(__always)
    private func cell(_ metric: EndpointMetric, _ service: Int, _ endpoint: Int) -> Int {
        let number = endpointStarts[service] &+ endpoint
        precondition(endpoint >= 0 && number < endpointStarts[service &+ 1], "no such endpoint")
        return number &* EndpointMetric.count &+ metric.rawValue
    }
}
