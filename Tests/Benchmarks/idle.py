"""Idle connections, to weigh what each costs a proxy."""

from __future__ import annotations

import http.client
import ssl

from client import Client, client
from load import Load


class IdleConnections:
    """Kept-alive connections that made one request each and then fall silent."""

    def __init__(self, kind: Load, port: int) -> None:
        self._kind = kind
        self._port = port
        self._clients: list[Client] = []

    def __enter__(self) -> IdleConnections:
        return self

    def __exit__(self, *_: object) -> None:
        for each in self._clients:
            each.close()

    def open(self, count: int) -> None:
        """Opens so many more. Throws `ConnectionError` or another `OSError` when an answer is not whole."""
        for _ in range(count):
            each = client(self._kind, self._port)
            self._clients.append(each)
            try:
                status, body = each.get(self._kind.path, "bench.local")
            except http.client.HTTPException as error:
                raise ConnectionError(f"{type(error).__name__}: {error}") from error
            if status != 200 or len(body) != self._kind.body_bytes:
                raise ConnectionError(f"status {status}, {len(body)} bytes of body")

    def closed_by_peer(self) -> int:
        """How many the other side has closed meanwhile."""
        return sum(_is_closed(each) for each in self._clients)


def _is_closed(each: Client) -> bool:
    """What else may have come, session tickets or frames of HTTP/2, is read and passed over."""
    if each.connection is None:
        return True
    each.connection.setblocking(False)
    try:
        while each.connection.recv(65536):
            pass
        return True
    except (BlockingIOError, ssl.SSLWantReadError):
        return False
    except OSError:
        return True
