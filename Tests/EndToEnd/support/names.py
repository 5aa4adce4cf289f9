"""The names the outside relies on, each in one place: configuration keys are in the tests, these are what comes out."""

REQUESTS = "sidecar_requests_total"
REQUEST_LABELS = {"listener", "route", "service", "method", "code", "reason"}
REQUEST_DURATION = "sidecar_request_duration_seconds"
UPSTREAM_DURATION = "sidecar_upstream_request_duration_seconds"
REQUESTS_ACTIVE = "sidecar_requests_active"
CONNECTIONS = "sidecar_downstream_connections_total"
CONNECTIONS_ACTIVE = "sidecar_downstream_connections_active"
CONNECTIONS_REFUSED = "sidecar_downstream_connections_refused_total"
UPSTREAM_CONNECTIONS = "sidecar_upstream_connections_total"
CONNECT_FAILURES = "sidecar_upstream_connect_failures_total"
UPSTREAM_ACTIVE = "sidecar_upstream_connections_active"
UPSTREAM_IDLE = "sidecar_upstream_connections_idle"
RETRIES = "sidecar_upstream_retries_total"
DNS_QUERIES = "sidecar_dns_queries_total"
LOG_DROPPED = "sidecar_access_log_dropped_lines_total"
BUILD_INFO = "sidecar_build_info"
PROCESS = [
    "process_cpu_seconds_total", "process_resident_memory_bytes", "process_open_fds", "process_start_time_seconds",
]

# Fields of an access-log line: OpenTelemetry's semantic conventions where they have a word.
LOG_METHOD = "http.request.method"
LOG_STATUS = "http.response.status_code"
LOG_PATH = "url.path"
LOG_QUERY = "url.query"
LOG_REASON = "sidecar.reason"
LOG_KIND = "sidecar.kind"
LOG_CLIENT = "client.address"
LOG_AGENT = "user_agent.original"
LOG_REQUEST_BYTES = "http.request.body.size"
LOG_RESPONSE_BYTES = "http.response.body.size"
LOG_REQUEST_ID = "sidecar.request_id"
LOG_SERVICE = "sidecar.service"
LOG_ROUTE = "http.route"
