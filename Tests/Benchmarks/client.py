"""A client that checks what it gets, for single requests: to look at one answer, and to open idle connections."""

from __future__ import annotations

import http.client
import socket
import ssl
from typing import Protocol

from h2client import H2Client
from load import Load

_TIMEOUT_SECONDS = 5


class Client(Protocol):
    """One connection, opened by its first request. What goes wrong is an `OSError` or an `HTTPException`."""

    @property
    def connection(self) -> socket.socket | None:
        """Nil when none is open."""

    def get(self, path: str, host: str) -> tuple[int, bytes]:
        """Status and body of the answer."""

    def close(self) -> None: ...


def client(load: Load, port: int) -> Client:
    """One that speaks what the load speaks."""
    if load.streams is None:
        return _H1Client(port, tls_context() if load.tls else None)
    connection = socket.create_connection(("127.0.0.1", port), timeout=_TIMEOUT_SECONDS)
    if not load.tls:
        return H2Client(connection, "http")
    context = tls_context()
    context.set_alpn_protocols(["h2"])
    encrypted = context.wrap_socket(connection)
    if encrypted.selected_alpn_protocol() != "h2":
        encrypted.close()
        raise ConnectionError("h2 is not what ALPN selected")
    return H2Client(encrypted, "https")


def check(load: Load, port: int) -> str | None:
    """Asks once: nil when the answer is whole, else what is wrong with it."""
    path, host = load.path, f"127.0.0.1:{port}"
    if load.routes is not None:
        last = load.routes - 1
        path, host = f"/api/v{last}/item", f"shop{last % 100}.bench.local"
    try:
        asking = client(load, port)
        try:
            status, body = asking.get(path, host)
        finally:
            asking.close()
    except (OSError, http.client.HTTPException) as error:
        return f"{type(error).__name__}: {error}"
    if status != 200:
        return f"status {status}: {body[:80]!r}"
    if len(body) != load.body_bytes:
        return f"{len(body)} bytes of body, {load.body_bytes} expected"
    return None


def tls_context() -> ssl.SSLContext:
    """TLS 1.3 at least; the certificate is the bench's own, and nobody's identity is at stake."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    return context


class _H1Client:
    def __init__(self, port: int, context: ssl.SSLContext | None) -> None:
        self._http = (
            http.client.HTTPSConnection("127.0.0.1", port, timeout=_TIMEOUT_SECONDS, context=context)
            if context else http.client.HTTPConnection("127.0.0.1", port, timeout=_TIMEOUT_SECONDS))

    @property
    def connection(self) -> socket.socket | None:
        return self._http.sock

    def get(self, path: str, host: str) -> tuple[int, bytes]:
        self._http.request("GET", path, headers={"Host": host})
        answer = self._http.getresponse()
        return answer.status, answer.read()

    def close(self) -> None:
        self._http.close()
