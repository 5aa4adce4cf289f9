"""What RFC 9113 forbids a server, frame by frame: towards the proxy as a client."""

import struct

import pytest

from support.frames import GET
from support.h2 import (
    COMPRESSION_ERROR, CONTINUATION, DATA, ENABLE_PUSH, END_HEADERS, END_STREAM, FLOW_CONTROL_ERROR,
    FRAME_SIZE_ERROR, HEADERS, INTERNAL_ERROR, LARGEST_WINDOW, MAX_CONCURRENT_STREAMS, NO_ERROR, PING,
    PROTOCOL_ERROR, PUSH_PROMISE, SETTINGS, STREAM_CLOSED, H2Client, H2Server, frame, goaway, literal, literals,
    ping, settings, window_update,
)
from support.mix import ask
from support.sidecar import proxy_to
from support.upstream import whatever
from support.waiting import wait_for

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
