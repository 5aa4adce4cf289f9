// Every counter and gauge that is a plain number per listener, service, endpoint or worker. A new one is a case and its
// line here; the text that is scraped, and the room for it, follow.

/// Kept per listener.
package enum ListenerMetric: Int, MetricCatalogue {
    case connections, connectionsActive, connectionsRefused, http2Connections
    case tlsHandshakes, tlsResumed, tlsFailed, requestsActive, receivedBytes, sentBytes

    package var definition: MetricDefinition {
        func handshakes(_ result: StaticString) -> MetricDefinition {
            .counter(
                "sidecar_tls_handshakes", "TLS handshakes with clients, by how they ended.",
                label: MetricDefinition.Label(name: "result", value: result))
        }
        return switch self {
        case .connections: .counter("sidecar_downstream_connections", "Connections accepted from clients.")
        case .connectionsActive: .gauge("sidecar_downstream_connections_active", "Connections of clients now open.")
        case .connectionsRefused:
            .counter("sidecar_downstream_connections_refused", "Connections refused because the proxy was overloaded.")
        case .http2Connections:
            .counter("sidecar_downstream_http2_connections", "Connections of clients that spoke HTTP/2.")
        case .tlsHandshakes: handshakes("full")
        case .tlsResumed: handshakes("resumed")
        case .tlsFailed: handshakes("failed")
        case .requestsActive: .gauge("sidecar_requests_active", "Requests now in progress.")
        case .receivedBytes: .counter("sidecar_downstream_received_bytes", "Bytes read from clients.", unit: .bytes)
        case .sentBytes: .counter("sidecar_downstream_sent_bytes", "Bytes written to clients.", unit: .bytes)
        }
    }
}

/// Kept per service.
package enum ServiceMetric: Int, MetricCatalogue {
    case retries, tlsHandshakes, tlsResumed, tlsFailed, sentBytes, receivedBytes

    package var definition: MetricDefinition {
        func handshakes(_ result: StaticString) -> MetricDefinition {
            .counter(
                "sidecar_upstream_tls_handshakes", "TLS handshakes with endpoints, by how they ended.",
                label: MetricDefinition.Label(name: "result", value: result))
        }
        return switch self {
        case .tlsHandshakes: handshakes("full")
        case .tlsResumed: handshakes("resumed")
        case .tlsFailed: handshakes("failed")
        case .retries: .counter("sidecar_upstream_retries", "Attempts given up and made again.")
        case .sentBytes: .counter("sidecar_upstream_sent_bytes", "Bytes written to endpoints.", unit: .bytes)
        case .receivedBytes: .counter("sidecar_upstream_received_bytes", "Bytes read from endpoints.", unit: .bytes)
        }
    }
}

/// Kept per endpoint of a service.
package enum EndpointMetric: Int, MetricCatalogue {
    case requests, connections, connectionsActive, connectionsIdle, connectFailures, poolHits
    case closedIdle, closedUsedUp, closedByPeer, closedUnusable, closedFailed

    package var definition: MetricDefinition {
        func closed(_ cause: StaticString) -> MetricDefinition {
            .counter(
                "sidecar_upstream_connections_closed", "Connections to endpoints that were closed, by cause.",
                label: MetricDefinition.Label(name: "cause", value: cause))
        }
        return switch self {
        case .requests: .counter("sidecar_upstream_requests", "Requests given to endpoints, retries included.")
        case .connections: .counter("sidecar_upstream_connections", "Connections established to endpoints.")
        case .connectionsActive: .gauge("sidecar_upstream_connections_active", "Connections that carry a request.")
        case .connectionsIdle: .gauge("sidecar_upstream_connections_idle", "Connections parked for reuse.")
        case .connectFailures: .counter("sidecar_upstream_connect_failures", "Connections that could not be made.")
        case .poolHits: .counter("sidecar_upstream_pool_hits", "Requests that found a parked connection.")
        case .closedIdle: closed("idle")
        case .closedUsedUp: closed("used_up")
        case .closedByPeer: closed("peer")
        case .closedUnusable: closed("unusable")
        case .closedFailed: closed("failed")
        }
    }
}

/// Kept per worker, without a label.
package enum WorkerMetric: Int, MetricCatalogue {
    case requestsOverflowed, accessLogLines, accessLogDroppedLines

    package var definition: MetricDefinition {
        switch self {
        case .requestsOverflowed:
            .counter("sidecar_requests_overflowed", "Requests counted as _other, past metrics.series_max.")
        case .accessLogLines: .counter("sidecar_access_log_lines", "Lines given to the access log.")
        case .accessLogDroppedLines:
            .counter("sidecar_access_log_dropped_lines", "Lines dropped because the log's reader was too slow.")
        }
    }
}

/// Kept by the main thread, which resolves names.
package enum DNSMetric: Int, MetricCatalogue {
    case queries, failures

    package var definition: MetricDefinition {
        switch self {
        case .queries: .counter("sidecar_dns_queries", "Names asked of DNS servers.")
        case .failures: .counter("sidecar_dns_failures", "Names that no DNS server could resolve.")
        }
    }
}

/// Kept by the main thread, which keeps TLS up to date.
package enum TLSMetric: Int, MetricCatalogue {
    case reloadsSucceeded, reloadsFailed, ticketRotations

    package var definition: MetricDefinition {
        func reloads(_ result: StaticString) -> MetricDefinition {
            .counter(
                "sidecar_tls_reloads", "Changed TLS files read anew, by whether they can be used.",
                label: MetricDefinition.Label(name: "result", value: result))
        }
        return switch self {
        case .reloadsSucceeded: reloads("succeeded")
        case .reloadsFailed: reloads("failed")
        case .ticketRotations: .counter("sidecar_tls_ticket_rotations", "New keys for the tickets of TLS sessions.")
        }
    }
}

/// Kept by the thread that writes the access log.
package enum AccessLogMetric: Int, MetricCatalogue {
    case writtenBytes, writeErrors, lostLines

    package var definition: MetricDefinition {
        switch self {
        case .writtenBytes: .counter("sidecar_access_log_written_bytes", "Bytes written to the log.", unit: .bytes)
        case .writeErrors: .counter("sidecar_access_log_write_errors", "Writes and openings of the log that failed.")
        case .lostLines: .counter("sidecar_access_log_lost_lines", "Lines lost because a write failed.")
        }
    }
}
