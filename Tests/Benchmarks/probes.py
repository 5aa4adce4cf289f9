"""Figures that no load generator counts: each probe takes the stand and a peer and returns one reading.

They run once per peer, after the rounds. What keeps one from a figure is a `ProbeError` with the reason.
"""

from __future__ import annotations

import http.client
import shutil
import signal
import statistics
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from idle import IdleConnections
from load import Load, Outcome
from measure import pss_bytes
from peers import PLAIN, Peer
from process import StartError, pin_and_bind_to_parent
from stand import Stand

Probe = Callable[[Stand, Peer, "Effort"], "Reading"]


@dataclass(frozen=True)
class Reading:
    value: float
    detail: str = ""
    """What the number is made of, for a note under the table."""


@dataclass(frozen=True)
class Effort:
    """How long and how often: the full size or the smoke size."""

    rounds: int
    seconds: int
    warm_up_seconds: int
    idle_connections: int
    starts: int


class ProbeError(Exception):
    """Why there is no figure."""


class NotApplicable(ProbeError):
    """The machine lacks what the probe needs: no figure, but nothing is wrong with the peer either."""


def pss_after_load(stand: Stand, peer: Peer, effort: Effort) -> Reading:
    """Megabytes of the instance that served all loads, right after one more second of small requests."""
    running = stand.running(peer)
    _loaded(stand, peer, Load("small"), 1)
    return Reading(pss_bytes(running.pids) / 1e6)


def idle_connection_bytes(kind: Load, variant: str = PLAIN) -> Probe:
    """A probe for what an idle connection of this kind costs in this variant."""
    return lambda stand, peer, effort: _idle_connection_bytes(stand, peer, effort, kind, variant)


def _idle_connection_bytes(stand: Stand, peer: Peer, effort: Effort, kind: Load, variant: str) -> Reading:
    """Bytes of PSS that each connection costs that made one request and fell silent.

    A fresh instance, so that memory left over from a load hides nothing; its first hundred connections pay for what is
    set up once and are not counted.
    """
    with stand.fresh(peer, variant) as running, IdleConnections(kind, running.ports.listen) as connections:
        try:
            connections.open(100)
            before = _settled_pss(running.pids)
            connections.open(effort.idle_connections)
            after = _settled_pss(running.pids)
        except (OSError, ConnectionError) as error:
            raise ProbeError(str(error)) from error
        if closed := connections.closed_by_peer():
            raise ProbeError(f"{closed} idle connections closed")
    return Reading((after - before) / effort.idle_connections)


def system_calls_per_request(stand: Stand, peer: Peer, effort: Effort) -> Reading:
    """System calls of all threads per kept-alive request, under `strace -c`.

    The opening of the connections cancels out: the figure is what a longer run costs more than a shorter one, divided
    by the requests it answers more. strace makes every call slow, so the proxy is always behind and finds many
    connections ready at each turn: it is the figure of a busy proxy.
    """
    if not shutil.which("strace"):
        raise NotApplicable("strace is not installed")
    _loaded(stand, peer, Load("small"), 1)
    shorter, requests_of_shorter = _traced(stand, peer, 1)
    longer, requests_of_longer = _traced(stand, peer, 4)
    requests = requests_of_longer - requests_of_shorter
    if requests <= 0:
        raise NotApplicable("the machine is too busy: the longer run answered no more than the shorter one")
    # Calls of the opening alone can be fewer in the longer run, when the pool was warm: nothing costs less than 0.
    shares = {name: max(count - shorter.get(name, 0), 0) / requests for name, count in longer.items()}
    detail = ", ".join(f"{name} {share:.2f}" for name, share in shares.items() if share >= 0.01)
    return Reading(sum(shares.values()), detail)


def start_to_ready_ms(stand: Stand, peer: Peer, effort: Effort) -> Reading:
    """Milliseconds from before the fork to the first 200 of `/readyz` on the admin port: the median of some starts."""
    return Reading(statistics.median(_start_ms(stand, peer) for _ in range(effort.starts)))


def _loaded(stand: Stand, peer: Peer, what: Load, seconds: int) -> Outcome:
    outcome = stand.measure(stand.running(peer), what, seconds).outcome
    if outcome.errors:
        raise ProbeError(describe_errors(outcome.errors))
    return outcome


def describe_errors(errors: dict[str, int]) -> str:
    return ", ".join(f"{count} × {kind}" for kind, count in errors.items())


def _settled_pss(pids: list[int]) -> int:
    # Lets the last answers' buffers go back; the figure is of silence.
    time.sleep(0.3)
    return pss_bytes(pids)


def _traced(stand: Stand, peer: Peer, seconds: int) -> tuple[dict[str, int], int]:
    """The system calls of one run by name, and the requests it answered."""
    running = stand.running(peer)
    summary = stand.stage.new_folder("strace") / "summary"
    # On the load generator's core, so that the tracer does not compete with the traced.
    tracer = subprocess.Popen(
        ["strace", "-c", "-f", "-qq", "-o", str(summary), "-p", str(running.process.pid)],
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
        preexec_fn=lambda: pin_and_bind_to_parent(stand.stage.cores.load))
    try:
        _wait_for_tracer(running.process.pid, tracer)
        outcome = _loaded(stand, peer, Load("small"), seconds)
    finally:
        tracer.send_signal(signal.SIGINT)
        try:
            tracer.wait(timeout=5)
        except subprocess.TimeoutExpired:
            tracer.kill()
            tracer.wait()
    return _calls(summary), outcome.requests


def _wait_for_tracer(pid: int, tracer: subprocess.Popen[str]) -> None:
    """Until every thread is attached."""
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline and tracer.poll() is None:
        threads = [status.read_text() for status in Path(f"/proc/{pid}/task").glob("*/status")]
        if all(f"TracerPid:\t{tracer.pid}\n" in status for status in threads):
            return
        time.sleep(0.01)
    if tracer.poll() is None:
        raise NotApplicable("strace does not attach")
    said = tracer.stderr.read().strip() if tracer.stderr else ""
    raise NotApplicable(f"strace: {said}")


def _calls(summary: Path) -> dict[str, int]:
    """By name, the most frequent first. The table's fourth column is `calls`; the fifth, `errors`, may be empty."""
    lines = [line.split() for line in summary.read_text().splitlines()]
    calls = {line[-1]: int(line[3]) for line in lines if len(line) in (5, 6) and line[3].isdigit()}
    calls.pop("total", None)
    if not calls:
        raise ProbeError("strace saw no call")
    return dict(sorted(calls.items(), key=lambda each: -each[1]))


def _start_ms(stand: Stand, peer: Peer) -> float:
    ports = stand.new_ports(peer)
    folder = stand.stage.new_folder(f"{peer.name}-start")
    command = peer.command(folder, ports, PLAIN)
    begin = time.perf_counter()
    process = stand.stage.start(peer.name, command, stand.stage.cores.proxy, folder)
    try:
        while not _is_ready(ports.admin):
            if not process.is_running or time.perf_counter() - begin > 10:
                raise StartError(f"does not get ready: {process.last_words()}")
            # Short against the milliseconds measured, and long enough to leave the core to others.
            time.sleep(0.0002)
        return (time.perf_counter() - begin) * 1000
    finally:
        stand.stage.stop(process)


def _is_ready(port: int) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=1)
    try:
        connection.request("GET", "/readyz")
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
