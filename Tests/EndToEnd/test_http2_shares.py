"""What the streams of one connection share: its room, its limits, and how it is counted."""

import hashlib
import itertools
import socket

import pytest

from support import names
from support.h2 import (
    END_HEADERS, END_STREAM, HEADERS, MAX_CONCURRENT_STREAMS, NO_ERROR, REFUSED_STREAM, H2Client, H2Server, frame,
    goaway, h2_answers, literals, reset,
)
from support.http2 import h2_client, to
from support.ports import free_port
from support.sidecar import gateway
from support.upstream import response
from support.waiting import DEADLINE, wait_for


def narrow(proxy):
    """A client for whom the kernel keeps next to nothing."""
    sock = socket.socket()
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    sock.settimeout(DEADLINE)
    sock.connect(("127.0.0.1", proxy.port()))
    return H2Client(sock)


# The client's connection.


def test_who_reads_no_answer_gets_no_further_one(run):
    proxy = run(gateway([{"name": "away", "location": "/", "redirect": {"scheme": "https"}}]))
    with narrow(proxy) as client:
        client.ready()
        before = proxy.pss()
        # The answers are heads as long as the requests, which no window holds back.
        path = "/" + "x" * 4000
        head = literals((":method", "HEAD"), (":scheme", "http"), (":authority", "test.local"), (":path", path))
        requests = (frame(HEADERS, head, END_STREAM | END_HEADERS, number) for number in itertools.count(1, 2))
        client.sock.settimeout(0.5)
        sent = 0
        rest = b""
        try:
            while sent < 64 << 20:
                rest = rest or next(requests)
                count = client.sock.send(rest)
                rest, sent = rest[count:], sent + count
        except TimeoutError:
            pass
        assert sent < 32 << 20, "requests were read as if their answers were"
        assert proxy.pss() - before < 4 << 20
        # Once it reads, it is served on.
        client.sock.settimeout(DEADLINE)
        asked = int.from_bytes(next(requests)[5:9], "big") // 2
        client.wait(lambda: len(client.streams) >= asked - 1, "all answers")
        client.send(rest)
        assert all(stream.status == 302 for stream in client.streams.values() if stream.head)


def test_early_hints_that_found_no_room_come_when_there_is(run, upstream):
    hint = b"HTTP/1.1 103 Early Hints\r\nlink: </" + b"x" * 4000 + b">\r\n\r\n"

    def script(peer):
        while peer.request() is not None:
            for _ in range(1000):
                peer.send(hint)
            peer.send(response(b"done"))

    proxy = run(to("1.1", upstream(script)))
    with narrow(proxy) as client:
        stream = client.open()
        wait_for(lambda: proxy.metrics().sum(names.REQUESTS_ACTIVE) == 1, "the request")
        client.finish(stream)
        assert len(stream.interim) == 1000
        assert stream.body == b"done"


# Connections to endpoints.


@pytest.mark.parametrize("http2", [{}, {"connection_window": "64KiB"}])
def test_clients_that_do_not_read_hold_up_no_other_client(run, nginx, http2):
    proxy = run(to("2", f"127.0.0.1:{nginx.http2_port}", service={"http2": http2}))
    with h2_client(proxy, credits="connection") as slow, h2_client(proxy) as other:
        for _ in range(60):
            slow.open("GET", "/10m")
        slow.sock.settimeout(0.5)
        with pytest.raises(TimeoutError):
            # Until the client's windows, the proxy's, and behind them the endpoint's are full.
            slow.read_to_end()
        for _ in range(5):
            assert hashlib.sha256(other.get("/1m").body).hexdigest() == nginx.sha256["1m"]


@pytest.mark.parametrize("end", ["goaway", "requests_max"])
def test_a_connection_that_ends_with_its_last_stream_is_counted_no_more(run, upstream, end):
    def leaves(peer):
        server = H2Server(peer)
        stream = server.request()
        server.send(goaway(stream.id, NO_ERROR))
        server.respond(stream)
        server.read_to_end()

    service = {"pool": {"requests_max": 1}} if end == "requests_max" else {}
    proxy = run(to("2", upstream(leaves if end == "goaway" else h2_answers()), service=service))
    with h2_client(proxy) as client:
        for _ in range(3):
            assert client.get().status == 200
    metrics = proxy.metrics()
    assert (metrics.sum(names.UPSTREAM_ACTIVE), metrics.sum(names.UPSTREAM_IDLE)) == (0, 0)


def test_a_burst_to_an_endpoint_that_takes_few_streams_loses_none(run, upstream):
    def script(peer):
        server = H2Server(peer, [(MAX_CONCURRENT_STREAMS, 4)])
        held, seen = [], set()
        peer.sock.settimeout(0.05)
        while not server.ended:
            try:
                server.read()
                for number in set(server.streams) - seen:
                    seen.add(number)
                    if len(held) < 4:
                        held.append(server.streams[number])
                    else:
                        server.send(reset(number, REFUSED_STREAM))
            except TimeoutError:
                # The burst is over: those that found room are answered, and others may come.
                while held:
                    server.respond(held.pop())

    server = upstream(script)
    proxy = run(to("2", server))
    with h2_client(proxy).ready() as client:
        streams = [client.open() for _ in range(40)]
        assert [client.finish(stream).status for stream in streams] == [200] * 40
    assert server.connections >= 10


def test_a_connection_that_cannot_be_made_is_one_failure_however_many_waited_for_it(run):
    # Connecting to it is refused, at once or not: nobody listens.
    proxy = run(to("2", f"127.0.0.1:{free_port()}"))
    with h2_client(proxy).ready() as client:
        streams = [client.open() for _ in range(20)]
        assert {client.finish(stream).reason for stream in streams} == {"connect_refused"}
    metrics = proxy.metrics()
    made = metrics.sum(names.UPSTREAM_CONNECTIONS)
    assert metrics.sum(names.CONNECT_FAILURES) == made > 0
    assert (metrics.sum(names.UPSTREAM_ACTIVE), metrics.sum(names.UPSTREAM_IDLE)) == (0, 0)
