"""What RFC 9113 forbids a client, frame by frame, and what it allows though it is odd."""

import struct

import pytest

from support.frames import GET, POST, REQUEST, WAIT, data, head, post, reads_and_answers
from support.h2 import (
    ACK, CANCEL, COMPRESSION_ERROR, CONTINUATION, DATA, ENABLE_PUSH, END_HEADERS, END_STREAM, FLOW_CONTROL_ERROR,
    FRAME_SIZE_ERROR, GOAWAY, HEADERS, INITIAL_WINDOW_SIZE, LARGEST_WINDOW, MAX_FRAME_SIZE, PADDED, PING, PREFACE,
    PRIORITIZED, PRIORITY, PROTOCOL_ERROR, PUSH_PROMISE, REFUSED_STREAM, RST_STREAM, SETTINGS, STREAM_CLOSED,
    WINDOW_UPDATE, H2Client, Stream, frame, literal, literals, ping, reset, settings, window_update,
)
from support.sidecar import proxy_to


@pytest.fixture(scope="module")
def origin(shared_upstream):
    return shared_upstream(reads_and_answers)


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
def test_a_request_can_depend_on_itself_without_harm(run, origin, how):
    """RFC 9113 §5.3.2: priorities are dead, whatever they say."""
    proxy = run(proxy_to(origin))
    self_dependent = struct.pack(">IB", 1, 15)
    with H2Client(proxy.port()).ready() as client:
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
