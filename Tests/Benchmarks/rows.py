"""The rows of the table. A new one is an entry in `ROWS`: a load and which of its figures to show, or a probe.

What each may cost is measured against the best peer of the same run, because machines differ and drift; memory, system
calls and start are absolute.
"""

from __future__ import annotations

from dataclasses import dataclass

import probes
from load import Load
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
    variant: str = "plain"
    """Which configuration of ours; peers have only `plain`."""
    ours_only: bool = False
    target: Target | None = None


_SMALL = Load("small")
_CPU = "CPU µs/request"

ROWS = [
    Row("small", "HTTP/1.1 keep-alive, 127 B, 64 connections", _CPU, _SMALL, target=Target(0.88, BEST_PEER)),
    Row("10k", "the same with a body of 10 KiB", _CPU, Load("10k", "/10k", 10 << 10), target=Target(0.88, BEST_PEER)),
    Row("1m", "body of 1 MiB, 16 connections", _CPU, Load("1m", "/1m", 1 << 20, connections=16),
        target=Target(0.75, BEST_PEER)),
    Row("connect", "new connection per request", _CPU, Load("connect", headers=("Connection: close",)),
        target=Target(0.95, BEST_PEER)),
    Row("p50", "latency over one connection, p50", "µs", Load("single", connections=1), "p50_us",
        target=Target(1, BEST_PEER)),
    Row("p99", "latency over 64 connections, p99", "µs", _SMALL, "p99_us", target=Target(1, BEST_PEER)),
    Row("routes-10", "10 routes, requests spread over all", _CPU, Load("routes-10", routes=10),
        variant="routes-10", ours_only=True),
    Row("routes-10000", "10,000 routes, requests spread over all", _CPU, Load("routes-10000", routes=10_000),
        variant="routes-10000", ours_only=True, target=Target(1.1, "routes-10")),
    Row("log", "127 B with the access log on (JSON to /dev/null)", _CPU, _SMALL, variant="access-log", ours_only=True),
    Row("pss", "memory after the load, PSS", "MB", probe=probes.pss_after_load, target=Target(12)),
    Row("idle", "memory per idle kept-alive connection, PSS", "bytes", probe=probes.idle_connection_bytes,
        target=Target(1024)),
    Row("syscalls", "system calls, keep-alive, 127 B, 64 connections", "per request",
        probe=probes.system_calls_per_request, ours_only=True, target=Target(4.3)),
    Row("start", "start to ready", "ms", probe=probes.start_to_ready_ms, ours_only=True, target=Target(50)),
]
