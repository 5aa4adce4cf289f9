"""HTTP/1 messages read strictly off a socket: whatever is not well-formed fails the test that received it."""

import socket
from dataclasses import dataclass, field


class Malformed(AssertionError):
    """The peer sent bytes that are not an HTTP/1 message."""


class Truncated(Exception):
    """The connection ended inside a message. `message` holds what came."""

    def __init__(self, message, text):
        super().__init__(text)
        self.message = message


@dataclass
class Message:
    """One request or response, with its bytes as they were received."""

    start_line: bytes
    fields: list
    raw_head: bytes
    body: bytes = b""
    trailers: list = field(default_factory=list)
    raw_body: bytes = b""

    def all(self, name):
        return [value.decode("latin-1") for key, value in self.fields if key.decode().lower() == name.lower()]

    def get(self, name):
        """The only value of this name, or None; fails when there are several."""
        values = self.all(name)
        assert len(values) <= 1, f"{name} occurs {len(values)} times: {values}"
        return values[0] if values else None

    @property
    def status(self):
        return int(self.start_line.split(b" ")[1])

    @property
    def method(self):
        return self.start_line.split(b" ")[0].decode()

    @property
    def target(self):
        return self.start_line.split(b" ")[1].decode("latin-1")

    @property
    def reason(self):
        """The proxy's own reason word, or None when the response is an endpoint's."""
        return self.get("x-sidecar-reason")


class Reader:
    """Reads messages from one connected socket; what follows a message stays for the next."""

    def __init__(self, sock):
        self.sock = sock
        self.buffer = b""
        self.received = b""

    def fill(self):
        """Reads once; false at the end of the stream."""
        data = self.sock.recv(65536)
        self.buffer += data
        self.received += data
        return bool(data)

    def _until(self, mark, message=None):
        while mark not in self.buffer:
            if len(self.buffer) > 1 << 20:
                raise Malformed(f"no {mark!r} within 1 MiB")
            if not self.fill():
                raise Truncated(message, f"the stream ended within {self.buffer[:200]!r}")
        found, self.buffer = self.buffer.split(mark, 1)
        return found + mark

    def _exactly(self, count, message):
        parts, have = [], 0
        while have < count:
            if not self.buffer and not self.fill():
                message.body += b"".join(parts)
                raise Truncated(message, f"the stream ended after {len(message.body)} bytes of body")
            part, self.buffer = self.buffer[:count - have], self.buffer[count - have:]
            parts.append(part)
            have += len(part)
        return b"".join(parts)

    @staticmethod
    def _fields(lines):
        fields = []
        for line in lines:
            name, colon, value = line.partition(b":")
            if not colon or not name or name != name.strip():
                raise Malformed(f"not a field: {line!r}")
            fields.append((name, value.strip(b" \t")))
        return fields

    def head(self):
        """The next head, or None when the stream ended cleanly before it."""
        if not self.buffer and not self.fill():
            return None
        raw = self._until(b"\r\n\r\n")
        lines = raw[:-4].split(b"\r\n")
        if lines[0].count(b" ") < 2 or b"HTTP/1." not in lines[0]:
            raise Malformed(f"not a start line: {lines[0]!r}")
        return Message(lines[0], self._fields(lines[1:]), raw)

    def body(self, message, until_close=False):
        """Reads the body that the head announces into the message."""
        codings = [value.lower() for value in message.all("transfer-encoding")]
        lengths = message.all("content-length")
        if codings and lengths:
            raise Malformed("both Content-Length and Transfer-Encoding")
        if codings == ["chunked"]:
            self._chunks(message)
        elif codings:
            raise Malformed(f"Transfer-Encoding {codings}")
        elif lengths:
            if len(lengths) > 1:
                raise Malformed(f"Content-Length {lengths}")
            message.body = self._exactly(int(lengths[0]), message)
            message.raw_body = message.body
        elif until_close:
            while self.fill():
                pass
            message.body, self.buffer = self.buffer, b""
            message.raw_body = message.body
        return message

    def _chunks(self, message):
        parts = []
        while True:
            line = self._until(b"\r\n", message)
            message.raw_body += line
            size = int(line.split(b";")[0].strip(), 16)
            if size == 0:
                break
            data = self._exactly(size, message)
            end = self._exactly(2, message)
            if end != b"\r\n":
                raise Malformed(f"chunk of {size} bytes ends with {end!r}")
            parts.append(data)
            message.body += data
            message.raw_body += data + end
        lines = []
        while (line := self._until(b"\r\n", message)) != b"\r\n":
            message.raw_body += line
            lines.append(line[:-2])
        message.raw_body += b"\r\n"
        message.trailers = self._fields(lines)

    def request(self):
        message = self.head()
        return None if message is None else self.body(message)

    def response(self, method="GET"):
        """The next response, interim ones included; fails when the connection ended instead."""
        message = self.head()
        if message is None:
            raise Truncated(None, "the connection was closed instead of a response")
        if method == "HEAD" or message.status < 200 or message.status in (204, 304):
            return message
        return self.body(message, until_close=True)


def reset(sock):
    """Ends a connection with RST instead of FIN."""
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    sock.close()
