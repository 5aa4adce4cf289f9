"""What RFC 9113 forbids, frame by frame: towards the proxy as a server, and towards it as a client; floods; and requests
that would be two once they are HTTP/1."""

import struct

import pytest

from support.h2 import (
    ACK, CANCEL, COMPRESSION_ERROR, CONTINUATION, DATA, ENABLE_PUSH, END_HEADERS, END_STREAM, ENHANCE_YOUR_CALM,
    FLOW_CONTROL_ERROR, FRAME_SIZE_ERROR, GOAWAY, HEADERS, INITIAL_WINDOW_SIZE, INTERNAL_ERROR, LARGEST_WINDOW,
    MAX_CONCURRENT_STREAMS, MAX_FRAME_SIZE, NO_ERROR, PADDED, PING, PREFACE, PRIORITIZED, PRIORITY, PROTOCOL_ERROR,
    PUSH_PROMISE, REFUSED_STREAM, RST_STREAM, SETTINGS, STREAM_CLOSED, WINDOW_UPDATE, Closed, H2Client, H2Server, Stream,
    frame, goaway, literal, literals, ping, reset, settings, window_update,
)
from support.mix import ask
from support.sidecar import proxy_to
from support.upstream import answers_or_leaves, response, whatever
from support.waiting import wait_for
from support.wire import Truncated

H2_VIOLATIONS = "sidecar_http2_violations_total"

REQUEST = [(":method", "GET"), (":scheme", "http"), (":authority", "test.local"), (":path", "/")]
GET = literals(*REQUEST)
POST = literals((":method", "POST"), *REQUEST[1:])


def head(block=GET, stream=1, flags=END_HEADERS | END_STREAM):
    return frame(HEADERS, block, flags, stream)


def post(stream=1, more=b""):
    return head(POST + more, stream, END_HEADERS)


def data(payload=b"x", stream=1, flags=0):
    return frame(DATA, payload, flags, stream)


@pytest.fixture(scope="module")
def origin(shared_upstream):
    """An HTTP/1.1 endpoint that reads each body and answers; `/wait` it never answers."""

    def script(peer):
        try:
            while (message := peer.head()) is not None:
                if message.target == "/wait":
                    return peer.wait_closed()
                peer.body(message)
                peer.send(response())
        except Truncated:
            pass

    return shared_upstream(script)


@pytest.fixture(scope="module")
def proxy(shared_run, origin):
    """One proxy bears all rows of the tables below, one after the other."""
    return shared_run(proxy_to(origin, listener={"http2": {"streams_max": 10}}))


@pytest.fixture
def client(proxy):
    with H2Client(proxy.port()) as one:
        yield one
    # Whatever the client did: the proxy lives, and serves others.
    with H2Client(proxy.port()) as other:
        assert other.get().status == 200


WAIT = literals(*REQUEST[:3], (":path", "/wait"))

# Connection errors: what is sent, the code of GOAWAY, and the section that demands it.
CONNECTION_ERRORS = {
    "4.1 a frame longer than SETTINGS_MAX_FRAME_SIZE": (
        frame(DATA, b"x" * 16_385, 0, 1), {FRAME_SIZE_ERROR, PROTOCOL_ERROR}),
    "4.2 HEADERS longer than SETTINGS_MAX_FRAME_SIZE": (
        frame(HEADERS, b"x" * 16_385, END_HEADERS, 1), {FRAME_SIZE_ERROR}),
    "4.2 a length that only lies": (frame(SETTINGS, b"", 0, 0, length=2**24 - 1), {FRAME_SIZE_ERROR}),
    "4.3 a block that HPACK cannot decode": (head(b"\xff\xff\xff\xff\xff\xff"), {COMPRESSION_ERROR}),
    "4.3 an index of no entry": (head(b"\xfe"), {COMPRESSION_ERROR}),
    "4.3 index zero": (head(b"\x80"), {COMPRESSION_ERROR}),
    "4.3 a string beyond the block": (head(b"\x00\x7f"), {COMPRESSION_ERROR}),
    "4.3 a table size above what was announced": (head(b"\x3f\xff\xff\x7f" + GET), {COMPRESSION_ERROR}),
    "4.3 a table size within a block": (head(GET + b"\x20"), {COMPRESSION_ERROR}),
    "4.3 Huffman padding that is too long": (head(b"\x00\x81\xff" + b"\x01x"), {COMPRESSION_ERROR}),
    "4.3 Huffman's end of string": (head(b"\x00\x84\xff\xff\xff\xff" + b"\x01x"), {COMPRESSION_ERROR}),
    "4.3 trailers that HPACK cannot decode": (
        post() + frame(HEADERS, b"\xfe", END_HEADERS | END_STREAM, 1), {COMPRESSION_ERROR}),
    "5.1 DATA on an idle stream": (data(stream=1), {PROTOCOL_ERROR, STREAM_CLOSED}),
    "5.1 RST_STREAM on an idle stream": (reset(1, CANCEL), {PROTOCOL_ERROR}),
    "5.1 WINDOW_UPDATE on an idle stream": (window_update(1, 1), {PROTOCOL_ERROR}),
    "5.1 CONTINUATION on an idle stream": (frame(CONTINUATION, GET, END_HEADERS, 1), {PROTOCOL_ERROR}),
    "5.1 DATA on a server's idle stream": (data(stream=2), {PROTOCOL_ERROR}),
    "5.1.1 a stream with an even number": (head(stream=2), {PROTOCOL_ERROR}),
    "5.1.1 a stream below one that was": (head(stream=5) + head(stream=3), {PROTOCOL_ERROR, STREAM_CLOSED}),
    "6.1 DATA on stream 0": (data(stream=0), {PROTOCOL_ERROR}),
    "6.1 DATA with more padding than payload": (post() + data(b"\x05abc", 1, PADDED), {PROTOCOL_ERROR}),
    "6.1 DATA with padding of its whole length": (post() + data(b"\x01", 1, PADDED), {PROTOCOL_ERROR}),
    "6.1 padded DATA without the pad length": (post() + data(b"", 1, PADDED), {FRAME_SIZE_ERROR, PROTOCOL_ERROR}),
    "6.2 HEADERS on stream 0": (head(stream=0), {PROTOCOL_ERROR}),
    "6.2 HEADERS with more padding than payload": (
        frame(HEADERS, b"\xff" + GET, END_HEADERS | PADDED, 1), {PROTOCOL_ERROR}),
    "6.2 HEADERS with a priority that is cut": (
        frame(HEADERS, b"\0\0\0", END_HEADERS | PRIORITIZED, 1), {FRAME_SIZE_ERROR, PROTOCOL_ERROR}),
    "6.2 another frame within a header block": (
        head(flags=END_STREAM) + ping(), {PROTOCOL_ERROR}),
    "6.2 HEADERS of another stream within a header block": (
        head(flags=END_STREAM) + head(stream=3), {PROTOCOL_ERROR}),
    "6.2 an unknown frame within a header block": (
        head(flags=END_STREAM) + frame(0x42, b"", 0, 1), {PROTOCOL_ERROR}),
    "6.3 PRIORITY on stream 0": (frame(PRIORITY, b"\0\0\0\1\0", 0, 0), {PROTOCOL_ERROR}),
    "6.4 RST_STREAM on stream 0": (reset(0, CANCEL), {PROTOCOL_ERROR}),
    "6.4 RST_STREAM of three bytes": (
        post() + frame(RST_STREAM, b"\0\0\0", 0, 1), {FRAME_SIZE_ERROR}),
    "6.5 SETTINGS on a stream": (frame(SETTINGS, b"", 0, 1), {PROTOCOL_ERROR}),
    "6.5 SETTINGS of five bytes": (frame(SETTINGS, b"\0\1\0\0\0"), {FRAME_SIZE_ERROR}),
    "6.5 an acknowledgement with payload": (frame(SETTINGS, b"\0\1\0\0\0\0", ACK), {FRAME_SIZE_ERROR}),
    "6.5.2 ENABLE_PUSH of 2": (settings((ENABLE_PUSH, 2)), {PROTOCOL_ERROR}),
    "6.5.2 INITIAL_WINDOW_SIZE above 2^31-1": (settings((INITIAL_WINDOW_SIZE, 2**31)), {FLOW_CONTROL_ERROR}),
    "6.5.2 MAX_FRAME_SIZE below 2^14": (settings((MAX_FRAME_SIZE, 16_383)), {PROTOCOL_ERROR}),
    "6.5.2 MAX_FRAME_SIZE above 2^24-1": (settings((MAX_FRAME_SIZE, 2**24)), {PROTOCOL_ERROR}),
    "RFC 8441 3 ENABLE_CONNECT_PROTOCOL of 2": (settings((8, 2)), {PROTOCOL_ERROR}),
    "6.6 PUSH_PROMISE by a client": (
        post() + frame(PUSH_PROMISE, struct.pack(">I", 2) + GET, END_HEADERS, 1), {PROTOCOL_ERROR}),
    "6.7 PING on a stream": (frame(PING, b"12345678", 0, 1), {PROTOCOL_ERROR}),
    "6.7 PING of seven bytes": (frame(PING, b"1234567"), {FRAME_SIZE_ERROR}),
    "6.7 PING of nine bytes": (frame(PING, b"123456789"), {FRAME_SIZE_ERROR}),
    "6.8 GOAWAY on a stream": (frame(GOAWAY, b"\0" * 8, 0, 1), {PROTOCOL_ERROR}),
    "6.8 GOAWAY of seven bytes": (frame(GOAWAY, b"\0" * 7), {FRAME_SIZE_ERROR}),
    "6.9 WINDOW_UPDATE of 0 for the connection": (window_update(0, 0), {PROTOCOL_ERROR}),
    "6.9 WINDOW_UPDATE of three bytes": (frame(WINDOW_UPDATE, b"\0\0\1"), {FRAME_SIZE_ERROR}),
    "6.9.1 a connection's window above 2^31-1": (
        window_update(0, LARGEST_WINDOW), {FLOW_CONTROL_ERROR}),
    "6.9.2 a stream's window above 2^31-1 by SETTINGS": (
        head(WAIT) + window_update(1, LARGEST_WINDOW - 65_535) + settings((INITIAL_WINDOW_SIZE, 65_536)),
        {FLOW_CONTROL_ERROR}),
    "6.10 CONTINUATION without HEADERS": (
        head() + frame(CONTINUATION, b"", END_HEADERS, 1), {PROTOCOL_ERROR, STREAM_CLOSED}),
    "6.10 CONTINUATION on stream 0": (
        head(flags=END_STREAM) + frame(CONTINUATION, b"", END_HEADERS, 0), {PROTOCOL_ERROR}),
    "6.10 CONTINUATION of another stream": (
        head(flags=END_STREAM) + frame(CONTINUATION, b"", END_HEADERS, 3), {PROTOCOL_ERROR}),
    "6.10 CONTINUATION after END_HEADERS": (
        post() + frame(CONTINUATION, literal("x", "y"), END_HEADERS, 1), {PROTOCOL_ERROR}),
}


@pytest.mark.parametrize("what", CONNECTION_ERRORS)
def test_a_connection_error_ends_the_connection_with_its_code(client, what):
    frames, codes = CONNECTION_ERRORS[what]
    client.ready()
    client.send(frames)
    client.read_to_end()
    assert client.goaway is not None, "closed without GOAWAY"
    assert client.goaway.code in codes, (client.goaway.code, client.goaway.debug)
    assert client.goaway.debug.replace("_", "").isalpha() and client.goaway.debug.islower(), client.goaway.debug


PREFACES = {
    "3.4 a preface of another version": PREFACE.replace(b"2.0", b"3.0") + settings(),
    "3.4 a preface that is cut": PREFACE[:-2] + b"xx" + settings(),
    "3.4 a preface without SETTINGS": PREFACE + ping(),
    "3.4 an acknowledgement instead of SETTINGS": PREFACE + frame(SETTINGS, b"", ACK),
    "3.4 a request instead of SETTINGS": PREFACE + head(),
}


@pytest.mark.parametrize("what", PREFACES)
def test_a_connection_preface_that_is_none_gets_no_request_through(proxy, origin, what):
    before = len(origin.requests)
    with H2Client(proxy.port(), preface=False) as client:
        client.send(PREFACES[what])
        # An answer in HTTP/1.1 (to what is no preface at all), a GOAWAY, or just the end: but an end.
        data = b""
        try:
            while chunk := client.sock.recv(65536):
                data += chunk
        except ConnectionResetError:
            pass
    assert b" 200 " not in data
    assert len(origin.requests) == before


# Stream errors: the stream ends with one of the codes, or with a status of 4xx where the proxy can say so; the
# connection goes on.
STREAM_ERRORS = {
    "5.1.2 more streams than announced": (
        b"".join(head(WAIT, stream) for stream in range(1, 23, 2)), {REFUSED_STREAM, PROTOCOL_ERROR}, 21),
    "5.1 DATA after END_STREAM": (head(WAIT) + data(), {STREAM_CLOSED}, 1),
    "5.1 HEADERS after END_STREAM": (head(WAIT) + head(), {STREAM_CLOSED}, 1),
    "6.9 WINDOW_UPDATE of 0 for a stream": (head(WAIT) + window_update(1, 0), {PROTOCOL_ERROR}, 1),
    "6.9.1 a stream's window above 2^31-1": (
        head(WAIT) + window_update(1, LARGEST_WINDOW), {FLOW_CONTROL_ERROR}, 1),
    "8.1 trailers that do not end the stream": (
        post() + frame(HEADERS, literal("x", "y"), END_HEADERS, 1), {PROTOCOL_ERROR}, 1),
    "8.1.1 DATA beyond content-length": (
        post(more=literal("content-length", "1")) + data(b"xy", 1, END_STREAM), {PROTOCOL_ERROR}, 1),
    "8.1.1 DATA short of content-length": (
        post(more=literal("content-length", "2")) + data(b"x", 1, END_STREAM), {PROTOCOL_ERROR}, 1),
    "8.1.1 content-length without DATA": (
        head(POST + literal("content-length", "2")), {PROTOCOL_ERROR}, 1),
    "8.1.1 trailers short of content-length": (
        post(more=literal("content-length", "2")) + head(literal("x", "y")), {PROTOCOL_ERROR}, 1),
}

# Malformed requests, RFC 9113 §8: a block each.
MALFORMED = {
    "8.2.1 a name in upper case": GET + literal("X-Upper", "1"),
    "8.2.1 a name with a space": GET + literal("x y", "1"),
    "8.2.1 a name with a colon": GET + literal("x:y", "1"),
    "8.2.1 a name with NUL": GET + literal("x\0", "1"),
    "8.2.1 a name with CR LF": GET + literal("x\r\ny", "1"),
    "8.2.1 a name above ASCII": GET + literal("x\xe9", "1"),
    "8.2.1 an empty name": GET + literal("", "1"),
    "8.2.1 a value with NUL": GET + literal("x", "a\0b"),
    "8.2.1 a value with CR": GET + literal("x", "a\rb"),
    "8.2.1 a value with LF": GET + literal("x", "a\nb"),
    "8.2.1 a value that begins with a space": GET + literal("x", " a"),
    "8.2.1 a value that ends with a tab": GET + literal("x", "a\t"),
    "8.2.2 Connection": GET + literal("connection", "close"),
    "8.2.2 Keep-Alive": GET + literal("keep-alive", "timeout=5"),
    "8.2.2 Proxy-Connection": GET + literal("proxy-connection", "close"),
    "8.2.2 Transfer-Encoding": GET + literal("transfer-encoding", "chunked"),
    "8.2.2 Upgrade": GET + literal("upgrade", "websocket"),
    "8.2.2 TE of more than trailers": GET + literal("te", "trailers, gzip"),
    "8.3 an unknown pseudo field": GET + literal(":unknown", "1"),
    "8.3 a pseudo field of responses": GET + literal(":status", "200"),
    "8.3 a pseudo field after a field": literals(*REQUEST[:3], ("x", "y"), REQUEST[3]),
    "8.3.1 :method twice": literals(REQUEST[0], *REQUEST),
    "8.3.1 :path twice": literals(*REQUEST, (":path", "/other")),
    "8.3.1 :authority twice": literals(*REQUEST, (":authority", "other.local")),
    "8.3.1 no :method": literals(*REQUEST[1:]),
    "8.3.1 no :scheme": literals(REQUEST[0], *REQUEST[2:]),
    "8.3.1 no :path": literals(*REQUEST[:3]),
    "8.3.1 an empty :path": literals(*REQUEST[:3], (":path", "")),
    "8.3.1 a :path without its slash": literals(*REQUEST[:3], (":path", "x")),
    "8.3.1 a :path with a space": literals(*REQUEST[:3], (":path", "/a b")),
    "8.3.1 an empty :method": literals((":method", ""), *REQUEST[1:]),
    "8.3.1 a :method with a space": literals((":method", "GET /x"), *REQUEST[1:]),
    "8.3.1 an :authority with userinfo": literals(*REQUEST[:2], (":authority", "me@test.local"), REQUEST[3]),
    "8.3.1 Host that differs from :authority": GET + literal("host", "other.local"),
    "8.3.1 neither :authority nor Host": literals(*REQUEST[:2], REQUEST[3]),
    "8.3.1 an asterisk for GET": literals(*REQUEST[:3], (":path", "*")),
    "8.5 CONNECT with :path": literals((":method", "CONNECT"), *REQUEST[1:]),
    "8.5 CONNECT without :authority": literals((":method", "CONNECT")),
    "8.1.1 content-length that is no number": POST + literal("content-length", "1x"),
    "8.1.1 a signed content-length": POST + literal("content-length", "+1"),
    "8.1.1 two content-lengths": POST + literals(("content-length", "0"), ("content-length", "1")),
    "8.1.1 a list of content-lengths": POST + literal("content-length", "0, 0, 1"),
    "RFC 8441 4 :protocol without CONNECT": GET + literal(":protocol", "websocket"),
    "RFC 8441 4 :protocol without :path": literals(
        (":method", "CONNECT"), *REQUEST[1:3], (":protocol", "websocket")),
}

# What comes in a request's trailers, RFC 9113 §8.1.
MALFORMED_TRAILERS = {
    "8.1 a pseudo field in trailers": literal(":path", "/"),
    "8.1 :status in trailers": literal(":status", "200"),
    "8.2.1 a trailer in upper case": literal("X", "1"),
    "8.2.1 a trailer with CR LF": literal("x", "a\r\nb: c"),
    "8.2.2 Connection in trailers": literal("connection", "close"),
    "8.2.2 Transfer-Encoding in trailers": literal("transfer-encoding", "chunked"),
}


def stream_error(client, frames, codes, number):
    """The stream fails as told, and its neighbour on the same connection is served."""
    client.ready()
    for stream in range(1, number + 1, 2):
        client.streams[stream] = Stream(stream)
    client.send(frames)
    failed = client.streams[number]
    client.wait(lambda: failed.done or client.goaway, f"the end of stream {number}")
    if client.goaway and client.goaway.code in codes and STREAM_CLOSED in codes:
        # RFC 9113 §5.1 permits a connection error where STREAM_CLOSED is due.
        return
    assert client.goaway is None, (client.goaway.code, client.goaway.debug)
    if failed.code is None:
        assert 400 <= failed.status < 500, failed
    else:
        assert failed.code in codes, failed
    for stream in range(1, number, 2):
        client.send(reset(stream, CANCEL))
    client._next = number + 2
    assert client.get().status == 200


@pytest.mark.parametrize("what", STREAM_ERRORS)
def test_a_stream_error_ends_the_stream_alone(client, what):
    stream_error(client, *STREAM_ERRORS[what])


@pytest.mark.parametrize("what", MALFORMED)
def test_a_malformed_request_is_refused_and_reaches_no_endpoint(client, origin, what):
    before = len(origin.requests)
    stream_error(client, head(MALFORMED[what]), {PROTOCOL_ERROR}, 1)
    assert len(origin.requests) == before + 1, "only the neighbour's request"


@pytest.mark.parametrize("what", MALFORMED_TRAILERS)
def test_malformed_trailers_never_end_a_request(client, what):
    frames = post() + data() + frame(HEADERS, MALFORMED_TRAILERS[what], END_HEADERS | END_STREAM, 1)
    stream_error(client, frames, {PROTOCOL_ERROR}, 1)


@pytest.mark.parametrize("how", ["HEADERS", "PRIORITY"])
def test_a_request_can_depend_on_itself_without_harm(client, how):
    """RFC 9113 §5.3.2: priorities are dead, whatever they say."""
    client.ready()
    self_dependent = struct.pack(">IB", 1, 15)
    if how == "HEADERS":
        client.send(frame(HEADERS, self_dependent + GET, END_HEADERS | END_STREAM | PRIORITIZED, 1))
    else:
        client.send(head() + frame(PRIORITY, self_dependent, 0, 1))
    client.streams[1] = stream = Stream(1)
    client._next = 3
    client.wait(lambda: stream.done, "an answer or a reset")
    assert client.get().status == 200


# What is odd but allowed.
ALLOWED = {
    "4.1 an unknown frame": frame(0xbe, b"whatever", 0xff, 0),
    "4.1 an unknown frame on a stream that is not": frame(0xbe, b"whatever", 0xff, 99),
    "4.1 unknown flags": frame(PING, b"12345678", 0xfe),
    "5.1.1 a number far ahead": head(stream=1_000_001),
    "5.1 PRIORITY on an idle stream": frame(PRIORITY, struct.pack(">IB", 0, 1), 0, 77),
    "6.5 an empty SETTINGS": settings(),
    "6.5.2 an unknown setting": settings((0x1234, 42)),
    "6.5.2 the same setting twice": settings((INITIAL_WINDOW_SIZE, 1), (INITIAL_WINDOW_SIZE, 70_000)),
    "6.7 a pong that nobody asked for": frame(PING, b"12345678", ACK),
    "6.9 a window close to its limit": window_update(0, LARGEST_WINDOW - 65_535),
    "4.3 a table size of 0 and back": head(b"\x20\x3f\xe1\x1f" + GET),
    "6.2 HEADERS with padding and priority": frame(
        HEADERS, b"\x04" + struct.pack(">IB", 0, 7) + GET + b"\0\0\0\0",
        END_HEADERS | END_STREAM | PADDED | PRIORITIZED, 1),
    "6.10 a head in five pieces": head(GET[:3], flags=END_STREAM) + frame(CONTINUATION, GET[3:9], 0, 1) + frame(
        CONTINUATION, b"", 0, 1) + frame(CONTINUATION, GET[9:20], 0, 1) + frame(CONTINUATION, GET[20:], END_HEADERS, 1),
    "6.1 DATA with padding": post() + data(b"\x03abc\0\0\0", 1, PADDED | END_STREAM),
    "6.1 DATA that is all padding": post() + data(b"\x03\0\0\0", 1, PADDED) + data(b"", 1, END_STREAM),
    "8.3.1 OPTIONS for the server": head(literals((":method", "OPTIONS"), *REQUEST[1:3], (":path", "*"))),
    "8.2.2 TE: trailers": head(GET + literal("te", "trailers")),
    "8.1 trailers of a request": post() + data() + head(literal("x-sum", "1")),
}


@pytest.mark.parametrize("what", ALLOWED)
def test_what_is_allowed_is_no_error(client, what):
    client.ready()
    frames = ALLOWED[what]
    number = 1_000_001 if "far ahead" in what else 1
    is_request = any(sign in what for sign in ("head", "HEADERS", "DATA", "OPTIONS", "TE", "trailers", "table size"))
    client.streams[number] = stream = Stream(number)
    client.send(frames)
    if is_request:
        assert client.finish(stream).status == 200
    client._next = number + 2
    assert client.get().status == 200
    assert client.goaway is None


# Floods.


def repeated(one, count=20_000):
    return lambda client: [one] * count


def rapid_resets(client):
    """CVE-2023-44487: open and reset, over and over."""
    for number in range(1, 4001, 2):
        yield head(WAIT, number)
        yield reset(number, CANCEL)


def made_resets(client):
    """CVE-2025-8671: make the server reset the streams."""
    for number in range(1, 4001, 2):
        yield head(WAIT, number)
        yield window_update(number, 0)


def continuations(client):
    """CVE-2024-27316: a head that never ends."""
    yield head(flags=END_STREAM)
    for _ in range(20_000):
        yield frame(CONTINUATION, literal("x", "y" * 50), 0, 1)


def empty_continuations(client):
    yield head(flags=END_STREAM)
    for _ in range(20_000):
        yield frame(CONTINUATION, b"", 0, 1)


def empty_data(client):
    yield post()
    for _ in range(20_000):
        yield data(b"")


def padding_only(client):
    yield post()
    for _ in range(20_000):
        yield data(b"\0", 1, PADDED)


def stream_window_updates(client):
    yield head(WAIT)
    for _ in range(60_000):
        yield window_update(1, 1)


def empty_heads(client):
    """CVE-2019-9516: names without a letter."""
    for number in range(1, 4001, 2):
        yield head(literals(*[("", "")] * 100), number)


FLOODS = {
    "rapid_reset": (rapid_resets, "rapid_reset"),
    "rapid_reset_by_the_server": (made_resets, "rapid_reset"),
    "continuation": (continuations, "continuation_flood|header_block_too_large"),
    "empty_continuation": (empty_continuations, "continuation_flood"),
    "settings": (repeated(settings()), "settings_flood"),
    "settings_of_many": (repeated(settings(*[(0x99, 1)] * 500), 2000), "settings_flood"),
    "ping": (repeated(ping()), "ping_flood"),
    "empty_data": (empty_data, "empty_frame_flood"),
    "padding_only": (padding_only, "empty_frame_flood"),
    "window_update": (repeated(window_update(0, 1), 60_000), "window_update_flood"),
    "window_update_of_a_stream": (stream_window_updates, "window_update_flood"),
    "priority": (repeated(frame(PRIORITY, struct.pack(">IB", 0, 1), 0, 1)), "priority_flood"),
    "malformed_heads": (empty_heads, "rapid_reset"),
}


def pour(client, frames):
    """Sends until the proxy has had enough; what it says is read meanwhile, so that GOAWAY is not lost in a reset."""
    batch = b""
    try:
        for one in frames:
            batch += one
            if len(batch) > 8_192:
                client.send(batch)
                batch = b""
                drain(client)
                if client.goaway or client.ended:
                    break
        client.send(batch)
    except (ConnectionError, Closed):
        pass
    try:
        client.read_to_end()
    except ConnectionError:
        pass


def drain(client):
    """Handles what is there without waiting for more."""
    client.sock.settimeout(0.001)
    try:
        while client.read() is not None:
            pass
    except (TimeoutError, BlockingIOError):
        pass
    finally:
        client.sock.settimeout(10)


@pytest.mark.parametrize("what", FLOODS)
def test_a_flood_is_ended_with_enhance_your_calm_and_costs_no_memory(proxy, client, what):
    frames, word = FLOODS[what]
    before, counted = proxy.pss(), proxy.metrics()
    client.ready()
    pour(client, frames(client))
    assert client.goaway is not None, "the flood was let in to its end, or cut without a word"
    assert client.goaway.code == ENHANCE_YOUR_CALM, (client.goaway.code, client.goaway.debug)
    assert client.goaway.debug in word.split("|")
    assert proxy.pss() - before < 2 << 20
    label = {"violation": client.goaway.debug}
    proxy.wait_metric(H2_VIOLATIONS, counted.sum(H2_VIOLATIONS, **label) + 1, **label)


def test_a_peer_that_reads_no_acknowledgements_does_not_fill_the_memory(proxy):
    """CVE-2019-9515 and the like: each frame asks for an answer that nobody takes."""
    before = proxy.pss()
    with H2Client(proxy.port()) as client:
        client.sock.settimeout(0.3)
        try:
            for _ in range(2000):
                client.send(ping() * 400)
        except (OSError, TimeoutError):
            pass
        assert proxy.pss() - before < 2 << 20
    with H2Client(proxy.port()) as other:
        assert other.get().status == 200


def test_a_head_larger_than_the_limit_is_431_or_an_end(client):
    client.ready()
    block = GET + literals(*[("x-%d" % number, "y" * 4000) for number in range(40)])
    pieces = [block[at:at + 16_000] for at in range(0, len(block), 16_000)]
    client.streams[1] = stream = Stream(1)
    client.send(frame(HEADERS, pieces[0], END_STREAM, 1), *[
        frame(CONTINUATION, piece, END_HEADERS if piece is pieces[-1] else 0, 1) for piece in pieces[1:]])
    client.wait(lambda: stream.done or client.goaway, "an answer")
    if client.goaway is None and stream.head:
        assert stream.status == 431
    elif client.goaway is None:
        assert stream.code in (PROTOCOL_ERROR, ENHANCE_YOUR_CALM, INTERNAL_ERROR, CANCEL)


def test_a_bomb_of_indexed_fields_is_stopped_by_the_size_of_what_it_means(client):
    """A table entry of 4000 bytes, said 4000 times in as many bytes."""
    client.ready()
    bomb = b"\x40" + literal("x", "y" * 3900)[1:] + b"\xbe" * 12_000
    client.streams[1] = stream = Stream(1)
    client.send(head(GET + bomb))
    client.wait(lambda: stream.done or client.goaway, "an answer")
    if stream.head:
        assert stream.status == 431


# Smuggling: what is one request in HTTP/2 is one request in HTTP/1, or none.

SMUGGLED = b"GET /smuggled HTTP/1.1\r\nHost: evil\r\n\r\n"
DOWNGRADES = {
    "H2.CL": post(more=literal("content-length", "0")) + data(SMUGGLED, 1, END_STREAM),
    "H2.CL_short": post(more=literal("content-length", "5")) + data(b"hello" + SMUGGLED, 1, END_STREAM),
    "H2.TE": post(more=literal("transfer-encoding", "chunked")) + data(b"0\r\n\r\n" + SMUGGLED, 1, END_STREAM),
    "H2.TE_with_a_tab": post(more=literal("transfer-encoding", "\tchunked")) + data(b"0\r\n\r\n" + SMUGGLED, 1, END_STREAM),
    "TE_in_a_value": post(more=literal("x", "y\r\nTransfer-Encoding: chunked")) + data(
        b"0\r\n\r\n" + SMUGGLED, 1, END_STREAM),
    "TE_in_a_name": post(more=literal("x: y\r\ntransfer-encoding", "chunked")) + data(
        b"0\r\n\r\n" + SMUGGLED, 1, END_STREAM),
    "request_in_a_value": head(GET + literal("x", "y\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: evil")),
    "request_by_bare_LF": head(GET + literal("x", "y\n\nGET /smuggled HTTP/1.1\nHost: evil")),
    "request_in_a_name": head(GET + literal("x: y\r\n\r\nGET /smuggled HTTP/1.1\r\nz", "1")),
    "request_in_:path": head(literals(*REQUEST[:3], (":path", "/ HTTP/1.1\r\nHost: a\r\n\r\nGET /smuggled HTTP/1.1"))),
    "request_in_:method": head(literals((":method", "GET /smuggled HTTP/1.1\r\nx: y\r\n\r\nGET"), *REQUEST[1:])),
    "request_in_:authority": head(literals(
        *REQUEST[:2], (":authority", "a\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: b"), REQUEST[3])),
    "request_in_:scheme": head(literals(
        REQUEST[0], (":scheme", "http://a/smuggled HTTP/1.1\r\nx: y"), *REQUEST[2:])),
    "request_in_a_cookie": head(GET + literals(("cookie", "a=1\r\n\r\nGET /smuggled HTTP/1.1"), ("cookie", "b=2"))),
    "two_hosts": head(GET + literals(("host", "test.local"), ("host", "evil"))),
    "request_in_trailers": post() + data() + head(literal("x", "y\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: evil")),
    "chunk_in_trailers": post() + data() + head(literal("x", "y\r\n\r\n0\r\n\r\nGET /smuggled HTTP/1.1")),
    "upgrade": head(GET + literals(("upgrade", "h2c"), ("http2-settings", "AAMAAABkAAQAAP__"))),
}


@pytest.mark.parametrize("what", DOWNGRADES)
def test_no_request_is_smuggled_by_the_step_down_to_http1(run, upstream, what):
    # Answers what comes, so that a smuggled request would be seen as one.
    server = upstream(answers_or_leaves(response()))
    proxy = run(proxy_to(server))
    with H2Client(proxy.port()).ready() as client:
        client.streams[1] = stream = Stream(1)
        client.send(DOWNGRADES[what])
        client.wait(lambda: stream.done or client.goaway, "the end of the stream")
        assert stream.head is None or 400 <= stream.status < 500, stream
    assert ask(proxy.port(), "2").status == 200
    wait_for(lambda: server.requests, "the request after it")
    assert b"smuggled" not in server.received
    assert b"evil" not in server.received
    assert b"chunked" not in server.received.lower() or what.endswith("_in_trailers")
    assert [request.target for request in server.requests if request.method == "GET"] == ["/"]


# The proxy as a client of an endpoint that errs.

OK = b"\x88"


def response_head(block=OK, stream=1, flags=END_HEADERS):
    return frame(HEADERS, block, flags, stream)


# What an endpoint sends after the request, and the code that it hears: of GOAWAY for errors of the connection, of
# RST_STREAM for errors of the stream.
ENDPOINT_ERRORS = {
    "4.1 noise": (b"HTTP/1.1 400 Bad Request\r\n\r\n", "goaway", {FRAME_SIZE_ERROR, PROTOCOL_ERROR}),
    "4.2 a frame that is too long": (frame(DATA, b"x" * 16_385, 0, 1), "goaway", {FRAME_SIZE_ERROR, PROTOCOL_ERROR}),
    "4.3 a head that HPACK cannot decode": (response_head(b"\xfe"), "goaway", {COMPRESSION_ERROR}),
    "5.1 HEADERS on an idle stream": (response_head(stream=99), "goaway", {PROTOCOL_ERROR}),
    "5.1 DATA on an idle stream": (frame(DATA, b"x", 0, 99), "goaway", {PROTOCOL_ERROR, STREAM_CLOSED}),
    "5.1.1 HEADERS on a server's stream": (response_head(stream=2), "goaway", {PROTOCOL_ERROR}),
    "6.5 SETTINGS on a stream": (frame(SETTINGS, b"", 0, 1), "goaway", {PROTOCOL_ERROR}),
    "6.5.2 ENABLE_PUSH of 1 by a server": (settings((ENABLE_PUSH, 1)), "goaway", {PROTOCOL_ERROR}),
    "6.6 PUSH_PROMISE though push is off": (
        frame(PUSH_PROMISE, struct.pack(">I", 2) + GET, END_HEADERS, 1), "goaway", {PROTOCOL_ERROR}),
    "6.7 PING of seven bytes": (frame(PING, b"1234567"), "goaway", {FRAME_SIZE_ERROR}),
    "6.9 WINDOW_UPDATE of 0": (window_update(0, 0), "goaway", {PROTOCOL_ERROR}),
    "6.9.1 a window above 2^31-1": (window_update(0, LARGEST_WINDOW), "goaway", {FLOW_CONTROL_ERROR}),
    "6.10 CONTINUATION alone": (frame(CONTINUATION, OK, END_HEADERS, 1), "goaway", {PROTOCOL_ERROR}),
    "6.10 a head interrupted": (response_head(flags=0) + ping(), "goaway", {PROTOCOL_ERROR}),
    "8.1 DATA before HEADERS": (frame(DATA, b"x", 0, 1), "either", {PROTOCOL_ERROR}),
    "8.1 a head that is only interim and ends": (
        response_head(literal(":status", "103"), flags=END_HEADERS | END_STREAM), "reset", {PROTOCOL_ERROR}),
    "8.1.1 101, which HTTP/2 has not": (response_head(literal(":status", "101")), "reset", {PROTOCOL_ERROR}),
    "8.2.1 a name in upper case": (response_head(OK + literal("X", "1")), "reset", {PROTOCOL_ERROR}),
    "8.2.1 CR LF in a value": (response_head(OK + literal("x", "a\r\nb: c")), "reset", {PROTOCOL_ERROR}),
    "8.2.2 Connection": (response_head(OK + literal("connection", "close")), "reset", {PROTOCOL_ERROR}),
    "8.2.2 Transfer-Encoding": (
        response_head(OK + literal("transfer-encoding", "chunked")), "reset", {PROTOCOL_ERROR}),
    "8.3.2 no :status": (response_head(literal("x", "1")), "reset", {PROTOCOL_ERROR}),
    "8.3.2 :status twice": (response_head(OK + OK), "reset", {PROTOCOL_ERROR}),
    "8.3.2 :status of letters": (response_head(literal(":status", "2xx")), "reset", {PROTOCOL_ERROR}),
    "8.3.2 :status of two digits": (response_head(literal(":status", "20")), "reset", {PROTOCOL_ERROR}),
    "8.3.2 a pseudo field of requests": (response_head(OK + literal(":path", "/")), "reset", {PROTOCOL_ERROR}),
    "8.3 a pseudo field after a field": (
        response_head(literal("x", "1") + OK), "reset", {PROTOCOL_ERROR}),
    "8.1.1 two content-lengths": (
        response_head(OK + literals(("content-length", "1"), ("content-length", "2"))), "reset", {PROTOCOL_ERROR}),
}


def erring(frames, seen, own=()):
    """A script: the first connection errs and keeps what it hears of it, the others answer."""

    def script(peer):
        server = H2Server(peer, own)
        first = server.request()
        if peer.number > 0:
            while first is not None:
                server.respond(first)
                first = server.request()
            return
        server.send(frames)
        while not first.done or first.code is None:
            if server.read() is None:
                break
        seen.append((first.code, server.goaway and server.goaway.code))

    return script


@pytest.mark.parametrize("what", ENDPOINT_ERRORS)
def test_an_endpoint_that_errs_is_told_and_the_client_gets_502(run, upstream, what):
    frames, how, codes = ENDPOINT_ERRORS[what]
    seen = []
    proxy = run(proxy_to(upstream(erring(frames, seen)), service={"protocol": "http2"}))
    answer = ask(proxy.port(), "2", "POST", body=b"x")
    assert (answer.status, answer.get("x-sidecar-reason")) == (502, "upstream_protocol_error")
    wait_for(lambda: seen, "the endpoint's own end")
    reset_code, goaway_code = seen[0]
    if how == "goaway" or (how == "either" and goaway_code is not None):
        assert goaway_code in codes
    else:
        assert reset_code in codes
    if what.startswith("8.") and how == "reset":
        return
    assert ask(proxy.port(), "2", "POST", body=b"x").status == 200, "a fresh connection"


ENDPOINT_LATE_ERRORS = {
    "8.1.1 DATA beyond content-length": (
        response_head(OK + literal("content-length", "1")) + frame(DATA, b"xy", END_STREAM, 1)),
    "8.1.1 DATA short of content-length": (
        response_head(OK + literal("content-length", "3")) + frame(DATA, b"xy", END_STREAM, 1)),
    "8.1 trailers that do not end the stream": (
        response_head() + frame(DATA, b"xy", 0, 1) + response_head(literal("x", "y"))),
    "8.1 a pseudo field in trailers": (
        response_head() + frame(DATA, b"xy", 0, 1) + response_head(OK, flags=END_HEADERS | END_STREAM)),
    "8.2.1 CR LF in trailers": (
        response_head() + frame(DATA, b"xy", 0, 1)
        + response_head(literal("x", "a\r\nb: c"), flags=END_HEADERS | END_STREAM)),
    "6.9.1 more DATA than the window": (
        response_head() + b"".join(frame(DATA, b"x" * 16_384, 0, 1) for _ in range(2000))),
}


@pytest.mark.parametrize("what", ENDPOINT_LATE_ERRORS)
@pytest.mark.parametrize("version", ["1.1", "2"])
def test_a_response_that_goes_wrong_never_ends_cleanly(run, upstream, version, what):
    seen = []
    proxy = run(proxy_to(upstream(erring(ENDPOINT_LATE_ERRORS[what], seen)), service={"protocol": "http2"}))
    if version == "2":
        with H2Client(proxy.port()) as client:
            stream = client.get("/cut")
            if not stream.ended:
                assert stream.code not in (None, NO_ERROR)
            else:
                assert stream.status == 502
    else:
        with proxy.client() as client:
            client.send(b"GET /cut HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
            text = client.read_to_end()
        complete = text.endswith(b"0\r\n\r\n") or (b"content-length: 1\r\n" in text.lower() and text.endswith(b"x"))
        assert not complete or b" 502 " in text.split(b"\r\n")[0], text[:300]
    assert proxy.log_line(url__path="/cut")["sidecar.reason"] in ("upstream_protocol_error", "upstream_reset")


def test_an_endpoint_that_floods_is_left(run, upstream):
    seen = []
    proxy = run(proxy_to(upstream(erring(ping() * 20_000, seen)), service={"protocol": "http2"}))
    before = proxy.pss()
    assert ask(proxy.port(), "2", "POST", body=b"x").status == 502
    assert proxy.pss() - before < 2 << 20
    assert ask(proxy.port(), "2").status == 200


def test_an_endpoint_that_allows_no_stream_is_overloaded_not_a_hang(run, upstream):
    def script(peer):
        H2Server(peer, [(MAX_CONCURRENT_STREAMS, 0)]).read_to_end()

    proxy = run(proxy_to(upstream(script), service={"protocol": "http2", "timeouts": {"response": "500ms"}}))
    answer = ask(proxy.port(), "2")
    assert answer.status in (502, 503, 504)
    assert answer.get("x-sidecar-reason")


def test_an_http1_server_behind_protocol_http2_is_upstream_protocol_error(run, upstream):
    server = upstream(whatever(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n"))
    answer = ask(run(proxy_to(server, service={"protocol": "http2"})).port(), "2")
    assert (answer.status, answer.get("x-sidecar-reason")) == (502, "upstream_protocol_error")


def test_goaway_of_an_endpoint_with_an_error_fails_its_streams(run, upstream):
    def script(peer):
        server = H2Server(peer)
        stream = server.request()
        server.send(goaway(stream.id, INTERNAL_ERROR, b"out of order"))

    answer = ask(run(proxy_to(upstream(script), service={"protocol": "http2"})).port(), "2", "POST", body=b"x")
    assert answer.status == 502
    assert answer.get("x-sidecar-reason") in ("upstream_closed", "upstream_reset")
