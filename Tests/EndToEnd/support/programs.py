"""Clients and servers that others wrote: curl, nghttp, h2load, nghttpd."""

import os
import shutil
import signal
import socket
import subprocess

from .ports import free_port
from .waiting import wait_for


def _find(name):
    found = shutil.which(name) or shutil.which(name, path="/usr/sbin:/usr/bin")
    assert found, f"{name} is missing: run `make setup`"
    return found


def run_program(name, *arguments, stdin=None, timeout=30, status=0):
    """A program's output as bytes; fails when it ends with another status."""
    done = subprocess.run(
        [_find(name), *map(str, arguments)], input=stdin, capture_output=True, timeout=timeout, check=False)
    assert done.returncode == status, f"{name} ended with {done.returncode}: {(done.stdout + done.stderr).decode()}"
    return done.stdout


def curl(*arguments, **options):
    """`-q` keeps the user's own settings out."""
    return run_program("curl", "-q", "-sS", "--max-time", "20", "--noproxy", "*", *arguments, **options)


class Nghttpd:
    """nghttp2's server for the files of a directory."""

    def __init__(self, root, *options, certificate=None):
        self.port = free_port()
        self.address = f"127.0.0.1:{self.port}"
        tls = [certificate.key, certificate.certificate] if certificate else []
        self.process = subprocess.Popen(
            [_find("nghttpd"), "-a", "127.0.0.1", "-d", str(root), *([] if tls else ["--no-tls"]), *options,
             str(self.port), *map(str, tls)],
            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        wait_for(self._accepts, "nghttpd to accept connections")

    def _accepts(self):
        assert self.process.poll() is None, self.process.stderr.read().decode()
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def close(self):
        if self.process.poll() is None:
            os.kill(self.process.pid, signal.SIGTERM)
        self.process.stderr.close()
        self.process.wait(10)
