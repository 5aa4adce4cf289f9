"""Load: what wrk is told to ask, and what it says came of it."""

from __future__ import annotations

import http.client
import json
import shutil
import socket
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

from process import Cores, pin_and_bind_to_parent

SMALL_BYTES = 127
"""Bytes of the backend's answer to every path but the large ones."""

_SCRIPT = Path(__file__).with_name("wrk.lua")


def is_installed() -> bool:
    return shutil.which("wrk") is not None


@dataclass(frozen=True)
class Load:
    """One kind of traffic. The paths are the backend's: `/10k` and `/1m` answer that much, all others 127 bytes."""

    key: str
    path: str = "/"
    body_bytes: int = SMALL_BYTES
    connections: int = 64
    headers: tuple[str, ...] = ()
    routes: int | None = None
    """Spread the requests over this many of the routes that the configuration variant `routes-N` defines."""


@dataclass(frozen=True)
class Outcome:
    """What wrk counted in one run. Any error makes every figure of the run invalid."""

    requests: int
    seconds: float
    p50_us: int
    p99_us: int
    errors: dict[str, int] = field(default_factory=dict)


def run(load: Load, port: int, seconds: int, cores: Cores) -> Outcome:
    """Runs wrk for whole seconds, with one thread, on the load generator's core."""
    headers = [word for header in load.headers for word in ("-H", header)]
    command = ["wrk", "--threads", "1", "--connections", str(load.connections), "--duration", f"{seconds}s",
               "--timeout", "10s", "--script", str(_SCRIPT), *headers, f"http://127.0.0.1:{port}{load.path}",
               "--", *([] if load.routes is None else [str(load.routes)])]
    try:
        printed = subprocess.run(
            command, capture_output=True, text=True, timeout=seconds + 20,
            preexec_fn=lambda: pin_and_bind_to_parent(cores.load))
    except subprocess.TimeoutExpired:
        return Outcome(0, 0, 0, 0, {"wrk never ended": 1})
    for line in printed.stdout.splitlines():
        if line.startswith("FIGURES "):
            return _outcome(load, json.loads(line.removeprefix("FIGURES ")))
    return Outcome(0, 0, 0, 0, {"wrk failed: " + (printed.stderr or printed.stdout).strip()[-120:]: 1})


def _outcome(load: Load, figures: dict) -> Outcome:
    errors = {kind: count for kind, count in figures["errors"].items() if count}
    if figures["requests"] == 0:
        errors["no answer"] = 1
    # wrk believes any Content-Length: bodies that are too short would make a proxy look cheap.
    elif figures["bytes"] < figures["requests"] * load.body_bytes:
        errors["bytes missing"] = figures["requests"] * load.body_bytes - figures["bytes"]
    return Outcome(figures["requests"], figures["duration_us"] / 1e6, figures["p50_us"], figures["p99_us"], errors)


def check(load: Load, port: int) -> str | None:
    """Asks once, with a client that checks everything: nil when the answer is whole, else what is wrong with it."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    path, headers = load.path, {}
    if load.routes is not None:
        last = load.routes - 1
        path, headers = f"/api/v{last}/item", {"Host": f"shop{last % 100}.bench.local"}
    try:
        connection.request("GET", path, headers=headers)
        answer = connection.getresponse()
        body = answer.read()
    except (OSError, http.client.HTTPException) as error:
        return f"{type(error).__name__}: {error}"
    finally:
        connection.close()
    if answer.status != 200:
        return f"status {answer.status}: {body[:80]!r}"
    if len(body) != load.body_bytes:
        return f"{len(body)} bytes of body, {load.body_bytes} expected"
    return None


class IdleConnections:
    """Kept-alive connections that made one request each and then fall silent."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._sockets: list[socket.socket] = []

    def __enter__(self) -> IdleConnections:
        return self

    def __exit__(self, *_: object) -> None:
        for each in self._sockets:
            each.close()

    def open(self, count: int) -> None:
        for _ in range(count):
            each = socket.create_connection(("127.0.0.1", self._port), timeout=5)
            self._sockets.append(each)
            each.sendall(b"GET / HTTP/1.1\r\nHost: bench.local\r\n\r\n")
            answer = b""
            while b"\r\n\r\n" not in answer or len(answer) < answer.index(b"\r\n\r\n") + 4 + SMALL_BYTES:
                piece = each.recv(65536)
                if not piece:
                    raise ConnectionError("closed before the answer was whole")
                answer += piece
            if not answer.startswith(b"HTTP/1.1 200 "):
                raise ConnectionError(f"answered {answer[:40]!r}")

    def closed_by_peer(self) -> int:
        """How many the other side has closed meanwhile."""
        closed = 0
        for each in self._sockets:
            each.setblocking(False)
            try:
                closed += each.recv(1) == b""
            except BlockingIOError:
                pass
            except ConnectionError:
                closed += 1
        return closed
