"""New TLS connections: one request over each, always with a full handshake. A load generator of our own, since the
others either resume sessions (wrk) or lose their way when the server closes (h2load).

The client's half of a handshake costs more than the server's, and it shares its core with the backend: the proxy is
never saturated. So it is CPU time per connection that compares, and its inverse is the rate that one core could bear.
"""

from __future__ import annotations

import json
import socket
import ssl
import sys
import threading
import time
from collections import Counter

from client import tls_context
from generator_process import GeneratorError, last_words, printed
from load import Load, Outcome, outcome
from process import Cores

_TIMEOUT_SECONDS = 10


def run(load: Load, port: int, seconds: int, cores: Cores) -> Outcome:
    command = [sys.executable, "-B", __file__, str(port), str(seconds), str(load.connections), load.path,
               str(load.body_bytes)]
    ended = printed(command, seconds, cores)
    if ended.returncode:
        raise GeneratorError("handshakes failed: " + last_words(ended))
    figures = json.loads(ended.stdout)
    return outcome(load, figures["requests"], figures["seconds"], figures["bytes"], figures["errors"])


class _Generator:
    """Threads that each open one connection after the other. A thread ends with its first error: the run is void."""

    def __init__(self, port: int, path: str, body_bytes: int) -> None:
        self.requests = 0
        self.bytes = 0
        self.errors: Counter[str] = Counter()
        self._address = "127.0.0.1", port
        self._request = f"GET {path} HTTP/1.1\r\nHost: bench.local\r\nConnection: close\r\n\r\n".encode()
        self._body_bytes = body_bytes
        self._context = tls_context()
        self._mutex = threading.Lock()

    def run(self, seconds: float, connections: int) -> None:
        deadline = time.monotonic() + seconds
        threads = [threading.Thread(target=self._repeat, args=(deadline,)) for _ in range(connections)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def _repeat(self, deadline: float) -> None:
        while time.monotonic() < deadline:
            try:
                body_bytes = self._converse()
            except OSError as error:
                with self._mutex:
                    self.errors[f"{type(error).__name__}: {error}"] += 1
                return
            with self._mutex:
                self.requests += 1
                self.bytes += body_bytes

    def _converse(self) -> int:
        """One connection from its handshake to its end, which the server makes. The bytes of the answer's body."""
        with (socket.create_connection(self._address, timeout=_TIMEOUT_SECONDS) as plain,
              self._context.wrap_socket(plain) as connection):
            if connection.session_reused:
                raise ConnectionError("the session was resumed")
            connection.sendall(self._request)
            answer = b""
            while piece := connection.recv(65536):
                answer += piece
        head, _, body = answer.partition(b"\r\n\r\n")
        if not head.startswith(b"HTTP/1.1 200 "):
            raise ConnectionError(f"answered {head[:40]!r}")
        if len(body) != self._body_bytes:
            raise ConnectionError(f"{len(body)} bytes of body")
        return len(body)


def main() -> None:
    port, seconds, connections, path, body_bytes = sys.argv[1:]
    generator = _Generator(int(port), path, int(body_bytes))
    begin = time.monotonic()
    generator.run(float(seconds), int(connections))
    print(json.dumps({"requests": generator.requests, "seconds": time.monotonic() - begin, "bytes": generator.bytes,
                      "errors": generator.errors}))


if __name__ == "__main__":
    main()
