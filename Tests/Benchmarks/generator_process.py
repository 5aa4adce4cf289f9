"""A load generator as a child process: pinned, bounded in time, its TLS offer the same for all."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from process import Cores, pin_and_bind_to_parent

_OFFER = Path(__file__).with_name("openssl.cnf")


class GeneratorError(Exception):
    """A load generator did not do its work; the text says which and what it printed last."""


def printed(command: list[str], seconds: int, cores: Cores) -> subprocess.CompletedProcess[str]:
    """What the generator printed in a run of that many seconds. Throws `GeneratorError` when it does not end."""
    try:
        return subprocess.run(
            command, capture_output=True, text=True, timeout=seconds + 20,
            env={**os.environ, "OPENSSL_CONF": str(_OFFER)}, preexec_fn=lambda: pin_and_bind_to_parent(cores.load))
    except subprocess.TimeoutExpired as error:
        raise GeneratorError(f"{Path(command[0]).name} never ended") from error


def last_words(ended: subprocess.CompletedProcess[str]) -> str:
    return (ended.stderr or ended.stdout).strip()[-120:]
