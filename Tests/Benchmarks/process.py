"""Programs under measurement: started on a core, found again by their tree, stopped without fail."""

from __future__ import annotations

import ctypes
import os
import shutil
import signal
import socket
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

_PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None, use_errno=True)


@dataclass(frozen=True)
class Cores:
    """Which core the proxies run on, and which the load generator and the backend share. Empty sets pin nothing."""

    proxy: frozenset[int]
    load: frozenset[int]

    @staticmethod
    def of_this_machine() -> Cores:
        """The first two cores this process may use; unpinned when there is only one."""
        cores = sorted(os.sched_getaffinity(0))
        if len(cores) < 2:
            return Cores(frozenset(), frozenset())
        return Cores(frozenset(cores[:1]), frozenset(cores[1:2]))

    @property
    def are_pinned(self) -> bool:
        return bool(self.proxy)


def pin_and_bind_to_parent(cores: frozenset[int]) -> None:
    """Runs in the child before its program: pins it, and has the kernel end it should the harness be killed."""
    _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if cores:
        os.sched_setaffinity(0, cores)


class StartError(Exception):
    """A program did not come up; the text holds what it printed last."""


class Process:
    """One started program. Its output goes to a file, so that it never waits for a reader."""

    def __init__(self, name: str, command: list[str], cores: frozenset[int], log: Path) -> None:
        self.name = name
        self._log = log
        with log.open("wb") as output:
            self._popen = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT, cwd=log.parent,
                start_new_session=True, preexec_fn=lambda: pin_and_bind_to_parent(cores))
        self.pid = self._popen.pid

    @property
    def is_running(self) -> bool:
        return self._popen.poll() is None

    def last_words(self) -> str:
        """Its exit status, if it has one, and the last lines it printed, on one line."""
        status = self._popen.poll()
        printed = " / ".join(self._log.read_text(errors="replace").splitlines()[-8:])
        return ": ".join(([] if status is None else [f"exit status {status}"]) + ([printed[-400:]] if printed else []))

    def stop(self) -> None:
        """SIGTERM, once more for those that drain on the first, then SIGKILL to all that are left of its group."""
        for _ in range(2):
            if not self.is_running:
                break
            self._popen.terminate()
            try:
                self._popen.wait(timeout=2)
            except subprocess.TimeoutExpired:
                pass
        try:
            os.killpg(self.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        self._popen.wait()


class Stage:
    """Owns everything a run leaves behind: processes, their folder, the ports handed out. Leaving it ends them all."""

    # Below the kernel's range for outgoing connections, so that none of the load's own connections sits on a port that
    # a program is started on later.
    _PORTS = range(20_000, 32_000)

    def __init__(self, cores: Cores) -> None:
        self.cores = cores
        self.folder = Path(tempfile.mkdtemp(prefix="bench-"))
        self._processes: list[Process] = []
        self._next_port = self._PORTS.start + os.getpid() % 8_000

    def __enter__(self) -> Stage:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        for process in reversed(self._processes):
            process.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def free_port(self) -> int:
        """A loopback port that nobody listens on and that this stage has not handed out before."""
        while self._next_port in self._PORTS:
            port = self._next_port
            self._next_port += 1
            with socket.socket() as probe:
                try:
                    probe.bind(("127.0.0.1", port))
                except OSError:
                    continue
                return port
        raise StartError("no free port left")

    def new_folder(self, name: str) -> Path:
        return Path(tempfile.mkdtemp(prefix=f"{name}-", dir=self.folder))

    def start(self, name: str, command: list[str], cores: frozenset[int], folder: Path) -> Process:
        process = Process(name, command, cores, folder / "output")
        self._processes.append(process)
        return process

    def stop(self, process: Process) -> None:
        process.stop()
        self._processes.remove(process)
