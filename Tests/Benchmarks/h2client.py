"""As much HTTP/2 as one request takes (RFC 9113): a stream, fields without compression, bodies within one window."""

from __future__ import annotations

import socket

_PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
_DATA, _HEADERS, _RESET, _SETTINGS, _PING, _GOAWAY = 0, 1, 3, 4, 6, 7
_END_STREAM = _ACK = 1
_END_HEADERS, _PADDED = 4, 8

# HPACK's static table, RFC 7541, appendix A.
_METHOD_GET, _SCHEME_OF, _AUTHORITY, _PATH = b"\x82", {"http": b"\x86", "https": b"\x87"}, 1, 4
_STATUS_OF = {0x88: 200, 0x89: 204, 0x8A: 206, 0x8B: 304, 0x8C: 400, 0x8D: 404, 0x8E: 500}


class H2Client:
    """One connection and its first stream. Whatever is not a plain answer is a `ConnectionError`."""

    def __init__(self, connection: socket.socket, scheme: str) -> None:
        self.connection = connection
        self._scheme = scheme
        self._received = b""

    def close(self) -> None:
        self.connection.close()

    def get(self, path: str, host: str) -> tuple[int, bytes]:
        """Status and body of the answer to the connection's only request."""
        fields = _METHOD_GET + _SCHEME_OF[self._scheme] + _literal(_PATH, path) + _literal(_AUTHORITY, host)
        self.connection.sendall(_PREFACE + _frame(_SETTINGS) + _frame(_HEADERS, _END_HEADERS | _END_STREAM, 1, fields))
        status, body = None, b""
        while True:
            kind, flags, stream, payload = self._next_frame()
            if kind == _SETTINGS and not flags & _ACK:
                self.connection.sendall(_frame(_SETTINGS, _ACK))
            elif kind == _PING and not flags & _ACK:
                self.connection.sendall(_frame(_PING, _ACK, 0, payload))
            elif kind in (_RESET, _GOAWAY):
                raise ConnectionError(f"{'RST_STREAM' if kind == _RESET else 'GOAWAY'} {payload.hex()}")
            elif kind in (_HEADERS, _DATA) and stream == 1:
                if flags & _PADDED:
                    raise ConnectionError("padding")
                if kind == _DATA:
                    body += payload
                elif status is None:
                    status = _status(payload)
                if flags & _END_STREAM:
                    return status or 0, body

    def _next_frame(self) -> tuple[int, int, int, bytes]:
        """Type, flags, stream and payload."""
        head = self._take(9)
        if head.startswith(b"HTTP/1"):
            raise ConnectionError(f"answered {(head + self._received).splitlines()[0]!r}")
        return head[3], head[4], int.from_bytes(head[5:9], "big"), self._take(int.from_bytes(head[:3], "big"))

    def _take(self, count: int) -> bytes:
        while len(self._received) < count:
            piece = self.connection.recv(65536)
            if not piece:
                raise ConnectionError("closed before the answer was whole")
            self._received += piece
        taken, self._received = self._received[:count], self._received[count:]
        return taken


def _frame(kind: int, flags: int = 0, stream: int = 0, payload: bytes = b"") -> bytes:
    return len(payload).to_bytes(3, "big") + bytes([kind, flags]) + stream.to_bytes(4, "big") + payload


def _literal(name: int, value: str) -> bytes:
    """A field that no table keeps, RFC 7541 §6.2.2, its length in seven bits."""
    return bytes([name, len(value)]) + value.encode("ascii")


def _status(block: bytes) -> int:
    """Of a response's header block, whose first field it is; updates of the table's size (001xxxxx) may go before."""
    while block and block[0] >> 5 == 1:
        block = block[1:]
    if not block or block[0] not in _STATUS_OF:
        raise ConnectionError(f"a status that has no index of its own: {block[:8].hex()}")
    return _STATUS_OF[block[0]]
