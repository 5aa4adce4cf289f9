"""HTTP/2 with every byte in the test's hand: frames are made and read here, only HPACK is a library's.

A connection does by itself what a peer must (acknowledge SETTINGS and PINGs, credit windows), unless told otherwise.
It holds the other side to RFC 9113: a frame that is too large or out of order fails the test."""

import socket
import struct
import time
from dataclasses import dataclass, field

import hpack

from .waiting import DEADLINE

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"

DATA, HEADERS, PRIORITY, RST_STREAM, SETTINGS, PUSH_PROMISE, PING, GOAWAY, WINDOW_UPDATE, CONTINUATION = range(10)
END_STREAM, ACK, END_HEADERS, PADDED, PRIORITIZED = 0x1, 0x1, 0x4, 0x8, 0x20

HEADER_TABLE_SIZE, ENABLE_PUSH, MAX_CONCURRENT_STREAMS, INITIAL_WINDOW_SIZE, MAX_FRAME_SIZE = 1, 2, 3, 4, 5
MAX_HEADER_LIST_SIZE, ENABLE_CONNECT_PROTOCOL = 6, 8

(NO_ERROR, PROTOCOL_ERROR, INTERNAL_ERROR, FLOW_CONTROL_ERROR, SETTINGS_TIMEOUT, STREAM_CLOSED, FRAME_SIZE_ERROR,
 REFUSED_STREAM, CANCEL, COMPRESSION_ERROR, CONNECT_ERROR, ENHANCE_YOUR_CALM, INADEQUATE_SECURITY,
 HTTP_1_1_REQUIRED) = range(14)

WINDOW = 65_535
LARGEST_WINDOW = 2**31 - 1


def frame(kind, payload=b"", flags=0, stream=0, length=None):
    """A frame's bytes; `length` may lie."""
    size = len(payload) if length is None else length
    return size.to_bytes(3, "big") + struct.pack(">BBI", kind, flags, stream) + payload


def settings(*pairs):
    return frame(SETTINGS, b"".join(struct.pack(">HI", key, value) for key, value in pairs))


def window_update(stream, increment):
    return frame(WINDOW_UPDATE, struct.pack(">I", increment), 0, stream)


def reset(stream, code):
    return frame(RST_STREAM, struct.pack(">I", code), 0, stream)


def ping(data=b"storytim"):
    return frame(PING, data)


def goaway(last, code, debug=b""):
    return frame(GOAWAY, struct.pack(">II", last, code) + debug)


def literal(name, value):
    """One field, neither indexed nor Huffman coded: no encoder stands between a test and what it wants to say."""
    return b"\0" + _string(name) + _string(value)


def literals(*fields):
    return b"".join(literal(name, value) for name, value in fields)


def _string(text):
    data = text if isinstance(text, bytes) else text.encode("latin-1")
    if len(data) < 127:
        return bytes([len(data)]) + data
    rest, out = len(data) - 127, bytearray([127])
    while rest >= 128:
        out.append(rest % 128 | 128)
        rest //= 128
    return bytes(out) + bytes([rest]) + data


@dataclass
class Frame:
    kind: int
    flags: int
    stream: int
    payload: bytes

    @property
    def code(self):
        """The error code of RST_STREAM and GOAWAY."""
        return struct.unpack(">I", self.payload[:4] if self.kind == RST_STREAM else self.payload[4:8])[0]

    @property
    def last_stream(self):
        return struct.unpack(">I", self.payload[:4])[0]

    @property
    def debug(self):
        return self.payload[8:].decode("latin-1")


@dataclass
class Stream:
    """What the peer sent on one stream: a head, informational ones before it, a body, trailers, or a reset."""

    id: int
    interim: list = field(default_factory=list)
    head: list = None
    body: bytearray = field(default_factory=bytearray)
    trailers: list = None
    ended: bool = False
    code: int = None

    @property
    def done(self):
        return self.ended or self.code is not None

    def all(self, name):
        return [value for key, value in self.head if key == name]

    def get(self, name):
        """The only value of this name, or None; fails when there are several."""
        values = self.all(name)
        assert len(values) <= 1, f"{name} occurs {len(values)} times: {values}"
        return values[0] if values else None

    @property
    def status(self):
        return int(self.get(":status"))

    @property
    def reason(self):
        return self.get("x-sidecar-reason")

    @property
    def method(self):
        return self.get(":method")

    @property
    def path(self):
        return self.get(":path")


class Closed(AssertionError):
    """The connection ended while a test waited for something."""


class H2Connection:
    """One end of a connection. `credits` says whose windows received payload is given back to: all, `"connection"` for
    that of the connection only, or none."""

    def __init__(self, sock, is_client, credits=True):
        self.sock = sock
        self.is_client = is_client
        self.credits = credits
        self.acknowledges = True
        self.answers_pings = True
        self.buffer = b""
        self.streams = {}
        self.encoder, self.decoder = hpack.Encoder(), hpack.Decoder()
        self.peer = {INITIAL_WINDOW_SIZE: WINDOW, MAX_FRAME_SIZE: 16384}
        self.peer_settings = None
        self.window = WINDOW
        self.windows = {}
        self.goaway = None
        self.ended = False
        self.pongs = []
        self.pings = []
        self._block = None
        self._next = 1

    # Writing.

    def send(self, *frames):
        self.sock.sendall(b"".join(frames))

    def next_stream(self):
        self._next += 2
        return self._next - 2

    def headers(self, stream, fields, ends=False, flags=0):
        block = self.encoder.encode([(name.encode("latin-1"), value.encode("latin-1")) for name, value in fields])
        self.send(frame(HEADERS, block, END_HEADERS | flags | (END_STREAM if ends else 0), stream))

    def data(self, stream, data, ends=False):
        """Sends all of it, as the peer's windows allow; gives up when the peer resets the stream."""
        at = 0
        while at < len(data) or (ends and not data):
            known = self.streams.get(stream)
            if known is not None and known.code is not None:
                return
            room = min(self.window, self.send_window(stream), self.peer[MAX_FRAME_SIZE], len(data) - at)
            if room <= 0 and data:
                self.read()
                continue
            last = ends and at + room == len(data)
            self.send(frame(DATA, data[at:at + room], END_STREAM if last else 0, stream))
            self.window -= room
            self.windows[stream] = self.send_window(stream) - room
            at += room
            if not data:
                return

    def send_window(self, stream):
        return self.windows.get(stream, self.peer[INITIAL_WINDOW_SIZE])

    # Reading.

    def _fill(self):
        try:
            data = self.sock.recv(262_144)
        except ConnectionResetError:
            data = b""
        self.buffer += data
        if not data:
            self.ended = True
        return bool(data)

    def read(self):
        """The next frame, after what it means was done; None at the connection's end."""
        while len(self.buffer) < 9 or len(self.buffer) < 9 + int.from_bytes(self.buffer[:3], "big"):
            if not self._fill():
                return None
        size = int.from_bytes(self.buffer[:3], "big")
        kind, flags, stream = struct.unpack(">BBI", self.buffer[3:9])
        got = Frame(kind, flags, stream & LARGEST_WINDOW, self.buffer[9:9 + size])
        self.buffer = self.buffer[9 + size:]
        assert size <= 16384, f"a frame of {size} bytes, though nobody allowed more than 16384"
        assert self._block is None or kind == CONTINUATION, f"frame {kind} within a header block"
        self._handle(got)
        return got

    def _handle(self, got):
        if got.kind == SETTINGS and not got.flags & ACK:
            pairs = [struct.unpack(">HI", got.payload[i:i + 6]) for i in range(0, len(got.payload), 6)]
            if INITIAL_WINDOW_SIZE in dict(pairs):
                delta = dict(pairs)[INITIAL_WINDOW_SIZE] - self.peer[INITIAL_WINDOW_SIZE]
                self.windows = {stream: window + delta for stream, window in self.windows.items()}
            self.peer.update(pairs)
            self.peer_settings = {**(self.peer_settings or {}), **dict(pairs)}
            if HEADER_TABLE_SIZE in dict(pairs):
                self.encoder.header_table_size = min(4096, self.peer[HEADER_TABLE_SIZE])
            if self.acknowledges:
                self._answer(frame(SETTINGS, b"", ACK))
        elif got.kind == PING:
            if got.flags & ACK:
                self.pongs.append(got.payload)
            else:
                self.pings.append(got.payload)
                if self.answers_pings:
                    self._answer(frame(PING, got.payload, ACK))
        elif got.kind == WINDOW_UPDATE:
            increment = struct.unpack(">I", got.payload)[0]
            assert increment > 0, "WINDOW_UPDATE of 0"
            if got.stream == 0:
                self.window += increment
            else:
                self.windows[got.stream] = self.send_window(got.stream) + increment
        elif got.kind == GOAWAY:
            self.goaway = got
        elif got.kind == RST_STREAM:
            self._stream(got.stream).code = got.code
        elif got.kind == DATA:
            self._data(got)
        elif got.kind in (HEADERS, CONTINUATION):
            self._headers(got)
        assert got.kind != PUSH_PROMISE, "nobody asked for PUSH_PROMISE"

    def _answer(self, data):
        """What a peer must be told; one that has gone needs it no more, and its last words are still to be read."""
        try:
            self.send(data)
        except (BrokenPipeError, ConnectionResetError):
            pass

    def _stream(self, number):
        if number not in self.streams:
            assert number % 2 == 1, f"stream {number} is not a client's"
            self.streams[number] = Stream(number)
        return self.streams[number]

    def _payload(self, got):
        data = got.payload
        if got.flags & PADDED:
            data = data[1:len(data) - data[0]]
        if got.kind == HEADERS and got.flags & PRIORITIZED:
            data = data[5:]
        return data

    def _data(self, got):
        stream = self._stream(got.stream)
        assert stream.head is not None and not stream.ended, f"DATA on stream {got.stream} out of order"
        stream.body += self._payload(got)
        stream.ended = bool(got.flags & END_STREAM)
        if self.credits and got.payload:
            self.credit(got.stream, len(got.payload), with_stream=self.credits is True and not stream.ended)

    def credit(self, stream, count, with_stream=True):
        self._answer(window_update(0, count) + (window_update(stream, count) if with_stream else b""))

    def _headers(self, got):
        if got.kind == HEADERS:
            self._block = (got.stream, bool(got.flags & END_STREAM), b"")
        assert self._block and self._block[0] == got.stream, "CONTINUATION of another block"
        number, ends, block = self._block
        block += self._payload(got)
        self._block = (number, ends, block)
        if not got.flags & END_HEADERS:
            return
        self._block = None
        fields = self.decoder.decode(block, raw=True)
        fields = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in fields]
        for name, value in fields:
            assert name == name.lower(), f"{name} is not in lower case"
            assert name not in ("connection", "transfer-encoding", "keep-alive", "upgrade", "proxy-connection"), name
        stream = self._stream(number)
        assert not stream.ended, f"HEADERS on stream {number} that ended"
        if stream.head is not None:
            assert ends, "trailers must end the stream"
            assert not [name for name, _ in fields if name.startswith(":")], f"pseudo fields in trailers: {fields}"
            stream.trailers = fields
        elif self.is_client and 100 <= int(dict(fields)[":status"]) < 200:
            assert not ends
            stream.interim.append(fields)
        else:
            stream.head = fields
        stream.ended = ends

    def wait(self, condition, what="something of the peer"):
        """Reads frames until the condition holds; its value."""
        end = time.monotonic() + DEADLINE
        while not (value := condition()):
            assert time.monotonic() < end, f"waited for {what}; {self._state()}"
            if self.read() is None:
                if value := condition():
                    return value
                raise Closed(f"the connection ended while waiting for {what}; {self._state()}")
        return value

    def _state(self):
        return f"streams {self.streams}, GOAWAY {self.goaway and (self.goaway.code, self.goaway.debug)}"

    def read_to_end(self):
        """Handles everything until the peer closes."""
        while self.read() is not None:
            pass

    def close(self):
        self.sock.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


class H2Client(H2Connection):
    """A client: over TCP with prior knowledge, or on a socket that is given, TLS done."""

    def __init__(self, target, own=(), preface=True, deadline=DEADLINE, **options):
        if isinstance(target, int):
            target = socket.create_connection(("127.0.0.1", target), timeout=deadline)
            target.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        super().__init__(target, is_client=True, **options)
        if preface:
            self.send(PREFACE, settings((ENABLE_PUSH, 0), *own))

    def ready(self):
        """Waits for the server's SETTINGS."""
        self.wait(lambda: self.peer_settings is not None, "SETTINGS")
        return self

    @staticmethod
    def fields(method="GET", path="/", *more, host="test.local", scheme="http"):
        return [(":method", method), (":scheme", scheme), (":authority", host), (":path", path), *more]

    def open(self, method="GET", path="/", *more, ends=True, **options):
        """Starts a request; the stream that its answer will be on."""
        number = self.next_stream()
        self.streams[number] = Stream(number)
        self.headers(number, self.fields(method, path, *more, **options), ends)
        return self.streams[number]

    def finish(self, stream):
        """The stream when all of the answer, or a reset, is there."""
        self.wait(lambda: stream.done, f"the end of stream {stream.id}")
        return stream

    def request(self, method="GET", path="/", *more, body=None, **options):
        stream = self.open(method, path, *more, ends=body is None, **options)
        if body is not None:
            self.data(stream.id, body, ends=True)
        return self.finish(stream)

    def get(self, path="/", *more, **options):
        return self.request("GET", path, *more, **options)


class H2Server(H2Connection):
    """A server on a connection of a `ScriptedUpstream`: `script(peer)` makes one of it."""

    def __init__(self, peer, own=(), answers_preface=True, **options):
        super().__init__(peer.sock, is_client=False, **options)
        while len(self.buffer) < len(PREFACE):
            if not self._fill():
                return
        assert self.buffer.startswith(PREFACE), f"no preface: {self.buffer[:40]!r}"
        self.buffer = self.buffer[len(PREFACE):]
        self.upstream = peer.upstream
        if answers_preface:
            self.send(settings(*own))
        self._taken = set()

    def request(self):
        """The next stream whose request is complete, in the order of completion; None at the connection's end."""
        return self._take(lambda stream: stream.ended)

    def head(self):
        """The next stream whose request head is there."""
        return self._take(lambda stream: stream.head is not None)

    def _take(self, is_ready):
        while True:
            for number in list(self.streams):
                if number not in self._taken and is_ready(self.streams[number]):
                    self._taken.add(number)
                    self.upstream.record(self.streams[number])
                    return self.streams[number]
            if self.ended or self.read() is None:
                return None

    def respond(self, stream, body=b"ok\n", *fields, status=200, trailers=None):
        """A whole answer."""
        head = [(":status", str(status)), *fields]
        if isinstance(body, str):
            body = body.encode()
        self.headers(stream.id, head, ends=not body and trailers is None)
        if body:
            self.data(stream.id, body, ends=trailers is None)
        if trailers is not None:
            self.headers(stream.id, trailers, ends=True)


def h2_answers(body=b"ok\n", *fields, own=(), **options):
    """A script that answers every request of every connection."""

    def script(peer):
        server = H2Server(peer, own)
        while (stream := server.request()) is not None:
            server.respond(stream, body, *fields, **options)

    return script


def h2_script(handler, own=(), **options):
    """A script that gives every complete request to `handler(server, stream)`."""

    def script(peer):
        server = H2Server(peer, own, **options)
        while (stream := server.request()) is not None:
            handler(server, stream)

    return script
