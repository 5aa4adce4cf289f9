"""Runs load: chooses the load generator that a load needs, and starts it on its core."""

from __future__ import annotations

import shutil

import h2load
import handshakes
import wrk
from generator_process import GeneratorError
from load import Load, Outcome, failure
from process import Cores

PROGRAMS = ("wrk", "h2load", "openssl")
"""What must be installed: the generators, and the program that makes the certificate."""


def missing() -> list[str]:
    return [program for program in PROGRAMS if not shutil.which(program)]


def run(load: Load, port: int, seconds: int, cores: Cores) -> Outcome:
    """Runs the load for whole seconds, with one thread's worth of work, on the load generator's core."""
    try:
        if load.streams is not None:
            return h2load.run(load, port, seconds, cores)
        if load.tls and load.closes:
            return handshakes.run(load, port, seconds, cores)
        return wrk.run(load, port, seconds, cores)
    except GeneratorError as error:
        return failure(str(error))
