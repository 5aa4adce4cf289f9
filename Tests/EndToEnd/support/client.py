"""A client that sends exactly the bytes it is told to."""

import socket

from .waiting import DEADLINE
from .wire import Reader, reset


class RawClient:
    """One connection. Every read has a deadline, so a hanging proxy fails a test instead of stopping the suite."""

    def __init__(self, target, deadline=DEADLINE):
        if isinstance(target, int):
            target = ("127.0.0.1", target)
        if isinstance(target, tuple):
            self.sock = socket.create_connection(target, timeout=deadline)
            self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        else:
            self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            self.sock.settimeout(deadline)
            self.sock.connect(str(target))
        self.reader = Reader(self.sock)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def send(self, data):
        self.sock.sendall(data)

    def get(self, path="/", *lines, host="test.local"):
        return self.request("GET", path, *lines, host=host)

    def request(self, method, path, *lines, host="test.local", body=b""):
        """Sends a request and reads its final response."""
        head = [f"{method} {path} HTTP/1.1", f"Host: {host}", *lines]
        if body:
            head.append(f"Content-Length: {len(body)}")
        self.send("\r\n".join(head + ["", ""]).encode("latin-1") + body)
        return self.response(method)

    def response(self, method="GET"):
        while (message := self.reader.response(method)).status < 200:
            pass
        return message

    def interim(self):
        """The next response, whatever its status."""
        return self.reader.response()

    def read_to_end(self):
        """Everything until the peer closes; a reset counts as an end too."""
        try:
            while self.reader.fill():
                pass
        except ConnectionResetError:
            pass
        data, self.reader.buffer = self.reader.buffer, b""
        return data

    def half_close(self):
        self.sock.shutdown(socket.SHUT_WR)

    def is_closed_by_peer(self):
        """Waits for the peer's close; fails at the deadline or on further bytes."""
        rest = self.read_to_end()
        assert rest == b"", f"expected a close, got {rest[:200]!r}"
        return True

    def reset(self):
        reset(self.sock)

    def close(self):
        self.sock.close()
