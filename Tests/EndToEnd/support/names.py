"""The names the outside relies on, each in one place: configuration keys are in the tests, these are what comes out."""

REQUESTS = "sidecar_requests_total"
REQUEST_LABELS = {"listener", "route", "service", "method", "code", "reason"}
REQUEST_DURATION = "sidecar_request_duration_seconds"
UPSTREAM_DURATION = "sidecar_upstream_request_duration_seconds"
REQUESTS_ACTIVE = "sidecar_requests_active"
CONNECTIONS_ACTIVE = "sidecar_connections_active"
CONNECTIONS = "sidecar_connections_total"
UPSTREAM_CONNECTIONS_PREFIX = "sidecar_upstream_connections_"
RETRIES = "sidecar_retries_total"
BUILD_INFO = "sidecar_build_info"
PROCESS = ["process_cpu_seconds_total", "process_resident_memory_bytes", "process_open_fds", "process_start_time_seconds"]

# Fields of an access-log line, OpenTelemetry's semantic conventions where they have a word.
LOG_METHOD = "http.request.method"
LOG_STATUS = "http.response.status_code"
LOG_PATH = "url.path"
LOG_REASON = "sidecar.reason"
LOG_CLIENT = "client.address"
