"""The rows of the table. A new one is an entry in `ROWS`: a load and which of its figures to show, or a probe.

What each may cost is measured against the best peer of the same run, because machines differ and drift; memory, system
calls and start are absolute.
"""

from __future__ import annotations

from dataclasses import dataclass

import probes
from load import Load
from peers import H2, H2_UPSTREAM, PLAIN, TLS
from probes import Probe


@dataclass(frozen=True)
class Target:
    """The most that our figure may be: `limit` times that of `of`, or `limit` itself."""

    limit: float
    of: str | None = None
    """`BEST_PEER`, the key of another row of ours, or none for an absolute limit."""


BEST_PEER = "best peer"


@dataclass(frozen=True)
class Row:
    key: str
    """What `--rows` calls it."""
    title: str
    unit: str
    load: Load | None = None
    """Run through every peer in every round; rows with the same load share its runs."""
    figure: str = "cpu_us"
    """Of the load: `cpu_us`, `p50_us` or `p99_us`."""
    probe: Probe | None = None
    variant: str = PLAIN
    """Which configuration; a proxy that does not support it is left out."""
    ours_only: bool = False
    target: Target | None = None


_SMALL = Load("small")
_STREAMS = Load("streams", connections=8, streams=32)
_CPU = "CPU µs/request"

ROWS = [
    Row("small", "HTTP/1.1 keep-alive, 127 B, 64 connections", _CPU, _SMALL, target=Target(0.88, BEST_PEER)),
    Row("10k", "the same with a body of 10 KiB", _CPU, Load("10k", "/10k", 10 << 10), target=Target(0.88, BEST_PEER)),
    Row("1m", "body of 1 MiB, 16 connections", _CPU, Load("1m", "/1m", 1 << 20, connections=16),
        target=Target(0.75, BEST_PEER)),
    Row("connect", "new connection per request", _CPU, Load("connect", closes=True),
        target=Target(0.95, BEST_PEER)),
    Row("h2-h1", "HTTP/2 to HTTP/1.1, 127 B, 8 connections × 32 streams", _CPU, _STREAMS, variant=H2,
        target=Target(0.9, BEST_PEER)),
    Row("h2-h2", "HTTP/2 to HTTP/2, the same load", _CPU, _STREAMS, variant=H2_UPSTREAM,
        target=Target(0.9, BEST_PEER)),
    Row("https", "HTTPS keep-alive (TLS 1.3, AES-256-GCM), 127 B, 64 connections", _CPU, Load("https", tls=True),
        variant=TLS, target=Target(0.92, BEST_PEER)),
    Row("https-h2", "HTTPS with HTTP/2, 127 B, 8 connections × 32 streams", _CPU,
        Load("https-h2", connections=8, streams=32, tls=True), variant=TLS, target=Target(0.92, BEST_PEER)),
    Row("tls-connect", "new TLS connection per request, full handshake (X25519, ECDSA P-256)", "CPU µs/connection",
        Load("tls-connect", connections=16, closes=True, tls=True), variant=TLS, target=Target(1, BEST_PEER)),
    Row("p50", "latency over one connection, p50", "µs", Load("single", connections=1), "p50_us",
        target=Target(1, BEST_PEER)),
    Row("p99", "latency over 64 connections, p99", "µs", _SMALL, "p99_us", target=Target(1, BEST_PEER)),
    Row("routes-10", "10 routes, requests spread over all", _CPU, Load("routes-10", routes=10),
        variant="routes-10", ours_only=True),
    Row("routes-10000", "10,000 routes, requests spread over all", _CPU, Load("routes-10000", routes=10_000),
        variant="routes-10000", ours_only=True, target=Target(1.1, "routes-10")),
    Row("log", "127 B with the access log on (JSON to /dev/null)", _CPU, _SMALL, variant="access-log", ours_only=True),
    Row("pss", "memory after the load, PSS", "MB", probe=probes.pss_after_load, target=Target(12)),
    Row("idle", "memory per idle kept-alive connection, PSS", "bytes",
        probe=probes.idle_connection_bytes(Load("idle")), target=Target(1024)),
    Row("idle-h2", "memory per idle HTTP/2 connection, PSS", "bytes", variant=H2,
        probe=probes.idle_connection_bytes(Load("idle-h2", streams=1), H2), target=Target(11_264)),
    Row("idle-tls", "memory per idle TLS connection, HTTP/1.1, PSS", "bytes", variant=TLS,
        probe=probes.idle_connection_bytes(Load("idle-tls", tls=True), TLS), target=Target(20_480)),
    Row("syscalls", "system calls, keep-alive, 127 B, 64 connections", "per request",
        probe=probes.system_calls_per_request, ours_only=True, target=Target(4.3)),
    Row("start", "start to ready", "ms", probe=probes.start_to_ready_ms, ours_only=True, target=Target(50)),
]
