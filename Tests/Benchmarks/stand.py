"""The test stand: the backend, and one running instance of each peer and variant that a row asks for."""

from __future__ import annotations

import contextlib
import socket
import time
from collections.abc import Iterator
from dataclasses import dataclass

import certificate
import generator
from load import Load, Outcome
from measure import cpu_ns, process_tree, waited_ns
from peers import H2_UPSTREAM, PLAIN, TLS, Backend, Peer, Ports
from process import Process, Stage, StartError

_START_SECONDS_MAX = 15


@dataclass(frozen=True)
class Running:
    """A started peer, answering."""

    peer: Peer
    process: Process
    ports: Ports

    @property
    def pids(self) -> list[int]:
        return process_tree(self.process.pid)


@dataclass(frozen=True)
class Measurement:
    """One run of a load through one peer."""

    outcome: Outcome
    cpu_us: float
    """CPU time of the peer's processes, in microseconds per request."""
    waited: float
    """How long its threads waited for their core, as a share of the CPU time they used."""


class Stand:
    """Starts what is asked for, once, and hands it out again; all of it ends with the stage."""

    def __init__(self, stage: Stage, backend: Backend) -> None:
        self.stage = stage
        self._backend = backend
        self._running: dict[tuple[str, str], Running] = {}
        self._certificate = stage.new_folder("certificate")
        certificate.make(self._certificate)
        self.running(backend)

    def running(self, peer: Peer, variant: str = PLAIN) -> Running:
        """The instance shared by all rows; started at the first call."""
        key = peer.name, variant
        if key not in self._running:
            self._running[key] = self._start(peer, self.new_ports(peer, variant), variant)
        return self._running[key]

    @contextlib.contextmanager
    def fresh(self, peer: Peer, variant: str = PLAIN) -> Iterator[Running]:
        """An instance that has served nobody yet, for one probe."""
        running = self._start(peer, self.new_ports(peer, variant), variant)
        try:
            yield running
        finally:
            self.stage.stop(running.process)

    def end_variants(self) -> None:
        """Ends all instances but the plain ones: pages that they share would count half for those that are judged."""
        for key, running in list(self._running.items()):
            if key[1] != PLAIN:
                self.stage.stop(running.process)
                del self._running[key]

    def new_ports(self, peer: Peer, variant: str = PLAIN) -> Ports:
        """Free ones to listen on, and the backend's that speaks what the variant forwards."""
        if not peer.is_proxy:
            return Ports(listen=self.stage.free_port(), admin=0, backend=0)
        backend = self.running(self._backend, H2_UPSTREAM if variant == H2_UPSTREAM else PLAIN)
        return Ports(self.stage.free_port(), self.stage.free_port(), backend.ports.listen)

    def measure(self, running: Running, what: Load, seconds: int) -> Measurement:
        pids = running.pids
        cpu_before, waited_before = cpu_ns(pids), waited_ns(pids)
        outcome = generator.run(what, running.ports.listen, seconds, self.stage.cores)
        if not running.process.is_running:
            outcome.errors["death: " + running.process.last_words()] = 1
            return Measurement(outcome, 0, 0)
        cpu, waited = cpu_ns(pids) - cpu_before, waited_ns(pids) - waited_before
        return Measurement(outcome, cpu / 1000 / max(outcome.requests, 1), waited / max(cpu, 1))

    def _start(self, peer: Peer, ports: Ports, variant: str) -> Running:
        folder = self.stage.new_folder(f"{peer.name}-{variant}")
        if variant == TLS:
            certificate.copy(self._certificate, folder)
        cores = self.stage.cores.proxy if peer.is_proxy else self.stage.cores.load
        process = self.stage.start(peer.name, peer.command(folder, ports, variant), cores, folder)
        deadline = time.monotonic() + _START_SECONDS_MAX
        while not _accepts(ports.listen):
            if not process.is_running or time.monotonic() > deadline:
                words = process.last_words()
                self.stage.stop(process)
                raise StartError(f"does not start as {variant}: {words}")
            time.sleep(0.01)
        return Running(peer, process, ports)


def _accepts(port: int) -> bool:
    """Whether it answers, and in which protocol, every load checks for itself."""
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
        return True
    except OSError:
        return False
