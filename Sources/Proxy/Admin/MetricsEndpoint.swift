import Core

/// The metrics: Prometheus' text format 0.0.4, or OpenMetrics 1.0 when the scraper's `Accept` asks for it.
enum MetricsEndpoint: AdminEndpoint {
    static let paths = ["/metrics", "/stats/prometheus"]
    static let method = AdminMethod.get
    static let isLoopbackOnly = false

    static func respond(_ request: AdminRequest, _ server: Server) -> AdminResponse {
        server.updateDNSMetrics()
        var text = PrometheusText(
            names: server.names, workers: server.metrics,
            build: [(name: "version", value: Version.current), (name: "swift", value: Version.swift)])
        text.dns = server.dnsMetrics
        text.tls = server.tls.metrics
        text.certificates = server.tls.certificates
        text.accessLog = server.accessLog
        text.process = .current()
        text.isReady = server.unreadiness.isEmpty
        let format = ExpositionFormat(accept: request.accept.utf8Span.span)
        let body = Buffer(capacity: 16 * 1024)
        text.render(format, into: body)
        return AdminResponse(contentType: format.contentType.description, body: body)
    }
}
