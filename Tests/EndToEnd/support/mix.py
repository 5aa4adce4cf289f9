"""One exchange through the proxy with either version of HTTP on each side, told in the same words."""

from dataclasses import dataclass, field

from .client import RawClient
from .h2 import H2Client, H2Server, Stream

VERSIONS = ["1.1", "2"]


@dataclass
class Part:
    """A request or an answer. Names are in lower case; `host` is Host or :authority, whichever the version has."""

    fields: list = field(default_factory=list)
    body: bytes = b""
    trailers: list = None
    status: int = None
    interim: list = field(default_factory=list)
    method: str = None
    path: str = None
    host: str = None

    def all(self, name):
        return [value for key, value in self.fields if key == name]

    def get(self, name):
        values = self.all(name)
        assert len(values) <= 1, f"{name} occurs {len(values)} times: {values}"
        return values[0] if values else None


def _lower(fields):
    return [(name.decode().lower(), value.decode("latin-1")) for name, value in fields]


def _part(message):
    """What a reader of HTTP/1 or of HTTP/2 read."""
    if isinstance(message, Stream):
        assert message.head is not None, f"no head, but RST_STREAM with {message.code}"
        pseudo = {name: value for name, value in message.head if name.startswith(":")}
        return Part(
            [pair for pair in message.head if not pair[0].startswith(":")], bytes(message.body), message.trailers,
            int(pseudo[":status"]) if ":status" in pseudo else None,
            [(int(dict(one)[":status"]), [pair for pair in one if pair[0] != ":status"]) for one in message.interim],
            pseudo.get(":method"), pseudo.get(":path"), pseudo.get(":authority"))
    fields = _lower(message.fields)
    answer = message.start_line.startswith(b"HTTP/")
    return Part(
        [pair for pair in fields if pair[0] != "host"], message.body, _lower(message.trailers) or None,
        message.status if answer else None, [], None if answer else message.method,
        None if answer else message.target, dict(fields).get("host"))


def _lines(fields):
    return "".join(f"{name}: {value}\r\n" for name, value in fields).encode("latin-1")


def _chunked(body, trailers):
    chunk = b"%x\r\n%b\r\n" % (len(body), body) if body else b""
    return chunk + b"0\r\n" + _lines(trailers or []) + b"\r\n"


def origin(version, answer, seen):
    """A script: appends each request to `seen` and gives `answer`, a Part, which is sent as its version can."""

    def http1(peer):
        while (message := peer.head()) is not None:
            if (message.get("expect") or "") == "100-continue":
                peer.send(b"HTTP/1.1 100 Continue\r\n\r\n")
            peer.body(message)
            seen.append(_part(message))
            for status, fields in answer.interim:
                peer.send(b"HTTP/1.1 %d Interim\r\n%b\r\n" % (status, _lines(fields)))
            chunked = answer.trailers is not None
            length = [("Transfer-Encoding", "chunked")] if chunked else [("Content-Length", str(len(answer.body)))]
            peer.send(b"HTTP/1.1 %d OK\r\n%b\r\n" % (answer.status, _lines(answer.fields + length))
                      + (_chunked(answer.body, answer.trailers) if chunked else answer.body))

    def http2(peer):
        server = H2Server(peer)
        while (stream := server.head()) is not None:
            if (stream.get("expect") or "") == "100-continue":
                server.headers(stream.id, [(":status", "100")])
            server.wait(lambda stream=stream: stream.done, "the request's end")
            seen.append(_part(stream))
            for status, fields in answer.interim:
                server.headers(stream.id, [(":status", str(status)), *fields])
            server.respond(stream, answer.body, *answer.fields, status=answer.status, trailers=answer.trailers)

    return http1 if version == "1.1" else http2


def ask(port, version, method="GET", path="/", fields=(), body=None, trailers=None, host="test.local", waits=False):
    """Sends one request on a connection of its own; the answer. With `waits` the body follows 100 (Continue) only."""
    fields = [*fields, *([("expect", "100-continue")] if waits else [])]
    if trailers is None and body is not None:
        fields.append(("content-length", str(len(body))))
    if version == "2":
        with H2Client(port) as client:
            stream = client.open(method, path, *fields, ends=body is None, host=host)
            if waits:
                client.wait(lambda: stream.interim, "100 (Continue)")
            if body is not None:
                client.data(stream.id, body, ends=trailers is None)
                if trailers is not None:
                    client.headers(stream.id, trailers, ends=True)
            return _part(client.finish(stream))
    with RawClient(port) as client:
        if trailers is not None:
            fields.append(("Transfer-Encoding", "chunked"))
        client.send(f"{method} {path} HTTP/1.1\r\nHost: {host}\r\n".encode() + _lines(fields) + b"\r\n")
        interim = []
        if waits:
            interim.append(client.interim())
        if body is not None:
            client.send(body if trailers is None else _chunked(body, trailers))
        while (message := client.reader.response(method)).status < 200:
            interim.append(message)
        part = _part(message)
        part.interim = [(one.status, _lower(one.fields)) for one in interim]
        return part
