"""Load: what a load generator is told to ask, and what it says came of it."""

from __future__ import annotations

from dataclasses import dataclass, field

SMALL_BYTES = 127
"""Bytes of the backend's answer to every path but the large ones."""


@dataclass(frozen=True)
class Load:
    """One kind of traffic. The paths are the backend's: `/10k` and `/1m` answer that much, all others 127 bytes."""

    key: str
    path: str = "/"
    body_bytes: int = SMALL_BYTES
    connections: int = 64
    closes: bool = False
    """A new connection for each request, over TLS with a full handshake."""
    routes: int | None = None
    """Spread the requests over this many of the routes that the configuration variant `routes-N` defines."""
    streams: int | None = None
    """HTTP/2 with this many requests under way on each connection; HTTP/1.1 where there is none."""
    tls: bool = False
    """TLS 1.3; `openssl.cnf` has the cipher and the group."""


@dataclass(frozen=True)
class Outcome:
    """What a load generator counted in one run. Any error makes every figure of the run invalid."""

    requests: int
    seconds: float
    p50_us: int | None = None
    p99_us: int | None = None
    """Latencies, where the generator measures them: wrk does."""
    errors: dict[str, int] = field(default_factory=dict)


def outcome(load: Load, requests: int, seconds: float, body_bytes: int, errors: dict[str, int],
            p50_us: int | None = None, p99_us: int | None = None) -> Outcome:
    """The outcome of a run that ended, which fails also without any error when answers or bytes are missing.

    Generators believe any Content-Length: bodies that are too short would make a proxy look cheap.
    """
    errors = {kind: count for kind, count in errors.items() if count}
    missing = requests * load.body_bytes - body_bytes
    if requests == 0:
        errors["no answer"] = 1
    elif missing > 0:
        errors["bytes missing"] = missing
    return Outcome(requests, seconds, p50_us, p99_us, errors)


def failure(words: str) -> Outcome:
    """The outcome of a run that came to nothing."""
    return Outcome(0, 0, errors={words: 1})
