"""Floods of HTTP/2 frames, heads that are too large, and requests that would be two once they are HTTP/1."""

import struct

import pytest

from support.frames import GET, REQUEST, WAIT, data, head, post, reads_and_answers
from support.h2 import (
    CANCEL, CONTINUATION, END_HEADERS, END_STREAM, ENHANCE_YOUR_CALM, HEADERS, INTERNAL_ERROR, PADDED, PRIORITY,
    PROTOCOL_ERROR, Closed, H2Client, Stream, frame, literal, literals, ping, reset, settings, window_update,
)
from support.mix import ask
from support.sidecar import proxy_to
from support.upstream import answers_or_leaves, response
from support.waiting import wait_for

H2_VIOLATIONS = "sidecar_http2_violations_total"


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
    client.sock.settimeout(3)
    try:
        client.read_to_end()
    except (ConnectionError, TimeoutError):
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
    "H2.TE_with_a_tab": post(more=literal("transfer-encoding", "\tchunked")) + data(
        b"0\r\n\r\n" + SMUGGLED, 1, END_STREAM),
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
