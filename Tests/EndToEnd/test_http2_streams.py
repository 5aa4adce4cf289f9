"""HTTP/2 on both sides: streams that end early, connections that end, windows, and how streams share connections."""

import hashlib
import json
import os
import signal
import threading

import pytest

from support import names
from support.h2 import (
    CANCEL, INITIAL_WINDOW_SIZE, INTERNAL_ERROR, LARGEST_WINDOW, MAX_CONCURRENT_STREAMS, NO_ERROR, REFUSED_STREAM,
    WINDOW, H2Server, goaway, h2_answers, h2_script, ping, reset, settings, window_update,
)
from support.http2 import h2_client, to
from support.mix import VERSIONS, Part, ask, origin
from support.sidecar import EX_OK
from support.upstream import answers, response
from support.waiting import DEADLINE, wait_for
from support.wire import Truncated

# Streams that end early, each way.


def test_a_client_that_resets_a_stream_cancels_it_at_an_http2_endpoint(run, upstream):
    cancelled = []

    def script(peer):
        server = H2Server(peer)
        first = server.head()
        server.wait(lambda: first.code is not None, "RST_STREAM")
        cancelled.append(first.code)
        while (stream := server.request()) is not None:
            server.respond(stream)

    proxy = run(to("2", upstream(script)))
    with h2_client(proxy) as client:
        stream = client.open("GET", "/gone")
        wait_for(lambda: proxy.metrics().sum(names.REQUESTS_ACTIVE) == 1, "the request to be on its way")
        client.send(reset(stream.id, CANCEL))
        assert client.get("/next").status == 200
    assert cancelled == [CANCEL]
    line = proxy.log_line(url__path="/gone")
    assert (line[names.LOG_REASON], line[names.LOG_STATUS]) == ("client_closed", 499)


def test_a_client_that_resets_a_stream_closes_the_connection_of_an_http1_endpoint(run, upstream):
    def script(peer):
        while (request := peer.request()) is not None:
            if request.target == "/gone":
                return peer.wait_closed()
            peer.send(response())

    server = upstream(script)
    proxy = run(to("1.1", server))
    with h2_client(proxy) as client:
        stream = client.open("GET", "/gone")
        wait_for(lambda: server.requests, "the request")
        client.send(reset(stream.id, CANCEL))
        server.wait_no_connections()
        assert client.get("/next").status == 200
    assert proxy.log_line(url__path="/gone")[names.LOG_REASON] == "client_closed"


@pytest.mark.parametrize("code", [CANCEL, INTERNAL_ERROR])
def test_a_stream_reset_by_the_endpoint_before_its_answer_is_upstream_reset(run, upstream, code):
    proxy = run(to("2", upstream(h2_script(lambda server, stream: server.send(reset(stream.id, code))))))
    answer = ask(proxy.port(), "2", "POST", body=b"x")
    assert (answer.status, answer.get("x-sidecar-reason")) == (502, "upstream_reset")
    assert json.loads(answer.body)["reason"] == "upstream_reset"


def test_a_stream_reset_within_the_body_never_ends_cleanly_for_the_client(run, upstream):
    def handler(server, stream):
        server.headers(stream.id, [(":status", "200")])
        server.data(stream.id, b"half")
        server.send(reset(stream.id, INTERNAL_ERROR))

    proxy = run(to("2", upstream(h2_script(handler))))
    with h2_client(proxy) as client:
        stream = client.get("/cut")
        assert (stream.status, stream.ended, stream.code) == (200, False, INTERNAL_ERROR)
        assert client.get("/cut-too").code == INTERNAL_ERROR, "the connection must live on"
    with proxy.client() as client:
        client.send(b"GET /cut-one HTTP/1.1\r\nHost: a\r\n\r\n")
        with pytest.raises((Truncated, ConnectionResetError)):
            client.response()
    assert proxy.log_line(url__path="/cut")[names.LOG_REASON] == "upstream_reset"


def test_an_http1_endpoint_that_closes_within_the_body_resets_the_stream_only(run, upstream):
    def script(peer):
        while (request := peer.request()) is not None:
            if request.target == "/cut":
                return peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf")
            peer.send(response())

    proxy = run(to("1.1", upstream(script)))
    with h2_client(proxy) as client:
        stream = client.get("/cut")
        assert (stream.ended, stream.code) == (False, INTERNAL_ERROR)
        assert client.get("/fine").status == 200


def test_an_answer_before_the_upload_ends_stops_the_upload_without_an_error(run, upstream):
    def script(peer):
        peer.head()
        peer.send(response(b"too much", status="413 Content Too Large"))
        peer.wait_closed()

    proxy = run(to("1.1", upstream(script)))
    with h2_client(proxy) as client:
        stream = client.open("POST", "/", ends=False)
        client.data(stream.id, b"x" * 1000)
        client.wait(lambda: stream.ended, "the answer")
        assert (stream.status, stream.body) == (413, b"too much")
        # RFC 9113 §8.1: the rest of the request may be refused with NO_ERROR.
        assert stream.code in (None, NO_ERROR)


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_refused_stream_is_sent_again(run, upstream, method):
    lock, refused = threading.Lock(), []

    def handler(server, stream):
        with lock:
            if not refused:
                refused.append(stream)
                return server.send(reset(stream.id, REFUSED_STREAM))
        server.respond(stream, bytes(stream.body) or b"none")

    server = upstream(h2_script(handler))
    proxy = run(to("2", server))
    body = None if method == "GET" else b"order"
    answer = ask(proxy.port(), "2", method, "/", body=body)
    assert (answer.status, answer.body) == (200, body or b"none")
    assert len(server.requests) == 2
    proxy.wait_metric(names.RETRIES, 1)


def test_a_stream_above_goaways_last_is_sent_again_and_one_below_is_finished(run, upstream):
    both = threading.Event()

    def script(peer):
        server = H2Server(peer)
        first = server.request()
        if peer.number > 0:
            while first is not None:
                server.respond(first, b"second connection")
                first = server.request()
            return
        server.request()
        both.set()
        server.send(goaway(first.id, NO_ERROR))
        server.respond(first, b"first connection")
        server.read_to_end()

    server = upstream(script)
    proxy = run(to("2", server))
    with h2_client(proxy) as client:
        one = client.open("POST", "/one", ends=False)
        client.data(one.id, b"1", ends=True)
        wait_for(lambda: len(server.requests) == 1, "the first request")
        two = client.open("POST", "/two", ends=False)
        client.data(two.id, b"2", ends=True)
        assert client.finish(one).body == b"first connection"
        assert client.finish(two).body == b"second connection"
    assert both.is_set()
    assert server.connections == 2


def test_an_endpoint_that_says_goaway_while_idle_gets_no_further_request(run, upstream):
    def script(peer):
        server = H2Server(peer)
        server.respond(server.request(), b"%d" % peer.number)
        server.send(goaway(1, NO_ERROR))
        # What crosses with it is above its last stream, never answered here, and must go elsewhere.
        server.read_to_end()

    proxy = run(to("2", upstream(script)))
    assert [ask(proxy.port(), "1.1", "POST", body=b"x").body for _ in range(3)] == [b"0", b"1", b"2"]


def test_sigterm_lets_streams_finish_and_takes_no_more(run, upstream):
    go_on = threading.Event()

    def script(peer):
        peer.request()
        peer.wait(go_on)
        peer.send(response(b"finished"))

    server = upstream(script)
    proxy = run(to("1.1", server, drain_timeout="8s"))
    with h2_client(proxy) as client:
        stream = client.open("GET", "/")
        wait_for(lambda: server.requests, "the request")
        proxy.signal(signal.SIGTERM)
        client.wait(lambda: client.goaway, "GOAWAY")
        assert client.goaway.code == NO_ERROR
        assert not stream.done
        go_on.set()
        assert client.finish(stream).body == b"finished"
        client.read_to_end()
        assert client.goaway.last_stream == stream.id or client.goaway.last_stream == LARGEST_WINDOW
    assert proxy.wait_exit() == EX_OK


# Ages and pings.


def test_a_client_that_answers_no_ping_is_let_go(run, upstream):
    proxy = run(to("1.1", upstream(), listener={"http2": {"ping_interval": "1s", "ping_timeout": "200ms"}}))
    with h2_client(proxy) as lively, h2_client(proxy) as dead:
        dead.answers_pings = False
        lively.wait(lambda: len(lively.pings) >= 2, "two pings")
        dead.read_to_end()
        assert len(dead.pings) == 1
        assert lively.get().status == 200


def test_an_endpoint_that_answers_no_ping_loses_its_streams(run, upstream):
    def script(peer):
        server = H2Server(peer)
        server.answers_pings = peer.number > 0
        while (stream := server.request()) is not None:
            if peer.number > 0:
                server.respond(stream, b"alive")

    server = upstream(script)
    proxy = run(to("2", server, service={"http2": {"ping_interval": "1s", "ping_timeout": "200ms"}}))
    lost = ask(proxy.port(), "2", "POST", body=b"x")
    assert lost.status in (502, 504)
    assert lost.get("x-sidecar-reason")
    assert ask(proxy.port(), "2", "POST", body=b"x").body == b"alive"


def test_a_connection_of_its_maximum_age_finishes_its_streams_and_ends(run, upstream):
    go_on = threading.Event()

    def script(peer):
        peer.request()
        peer.wait(go_on)
        peer.send(response(b"finished"))

    server = upstream(script)
    proxy = run(to("1.1", server, listener={"http2": {"age_max": "300ms"}}))
    with h2_client(proxy) as client:
        stream = client.open()
        client.wait(lambda: client.goaway, "GOAWAY by age")
        assert client.goaway.code == NO_ERROR
        go_on.set()
        assert client.finish(stream).body == b"finished"
        client.read_to_end()


# Windows.


def test_a_stream_that_is_not_read_does_not_hold_up_its_neighbours(run, nginx):
    proxy = run(to("1.1", nginx))
    with h2_client(proxy, credits="connection") as client:
        slow = client.open("GET", "/10m")
        client.wait(lambda: len(slow.body) == WINDOW, "a full window of the slow stream")
        for _ in range(20):
            neighbour = client.get("/10k")
            assert hashlib.sha256(neighbour.body).hexdigest() == nginx.sha256["10k"]
        assert len(slow.body) == WINDOW
        client.credits = True
        client.send(window_update(slow.id, 20_000_000))
        client.finish(slow)
        assert hashlib.sha256(slow.body).hexdigest() == nginx.sha256["10m"]


@pytest.mark.parametrize("version", VERSIONS)
def test_responses_that_nobody_reads_cost_a_bounded_memory(run, nginx, version):
    endpoint = nginx.address if version == "1.1" else f"127.0.0.1:{nginx.http2_port}"
    proxy = run(to(version, endpoint))
    with h2_client(proxy, credits="connection") as client:
        assert client.get("/10k").status == 200
        before = proxy.pss()
        streams = [client.open("GET", "/10m") for _ in range(20)]
        client.wait(lambda: all(len(stream.body) == WINDOW for stream in streams), "all windows to be full")
        # 200 MiB wait on the other side. A stream may hold a window's worth, and no more.
        assert proxy.pss() - before < 20 * 2 * 65_536 + (2 << 20)


def fill(client, stream, chunk=b"x" * 16_384):
    """Sends until the windows stay shut: nothing opens them for a while. How much went."""
    sent = 0
    client.sock.settimeout(0.5)
    try:
        while sent < 64 << 20:
            client.data(stream.id, chunk)
            sent += len(chunk)
    except TimeoutError:
        pass
    client.sock.settimeout(DEADLINE)
    return sent


@pytest.mark.parametrize("version", VERSIONS)
def test_an_upload_to_a_server_that_does_not_read_costs_no_memory(run, upstream, version):
    done = threading.Event()

    def script(peer):
        if version == "1.1":
            while (message := peer.head()) is not None:
                if message.target == "/stuck":
                    return peer.wait(done)
                peer.body(message)
                peer.send(response())
        server = H2Server(peer)
        while (stream := server.head()) is not None:
            if stream.path == "/stuck":
                server.credits = False
            else:
                server.wait(lambda stream=stream: stream.done)
                server.respond(stream)

    proxy = run(to(version, upstream(script)))
    with h2_client(proxy) as client:
        for _ in range(3):
            assert client.request("POST", "/read", body=b"x" * 300_000).status == 200
        before = proxy.pss()
        stream = client.open("POST", "/stuck", ends=False)
        sent = fill(client, stream)
        # What the kernel's socket buffers hold is not the proxy's.
        assert sent < 32 << 20, "64 MiB went somewhere"
        assert proxy.pss() - before < 1 << 20
        done.set()


def test_a_large_upload_streams_to_a_slow_reader_whole(run, upstream):
    seen = []
    proxy = run(to("2", upstream(origin("2", Part(status=200), seen))))
    data = os.urandom(1 << 20) * 8
    assert ask(proxy.port(), "2", "POST", body=data).status == 200
    assert hashlib.sha256(seen[0].body).digest() == hashlib.sha256(data).digest()


def test_a_client_with_a_tiny_window_gets_all_of_it(run, nginx):
    proxy = run(to("1.1", nginx))
    with h2_client(proxy, (INITIAL_WINDOW_SIZE, 10)) as client:
        stream = client.get("/1k")
        assert hashlib.sha256(stream.body).hexdigest() == nginx.sha256["1k"]
        # Windows that SETTINGS shrink or enlarge while a stream is under way: RFC 9113 §6.9.2.
        stream = client.open("GET", "/10k")
        client.send(settings((INITIAL_WINDOW_SIZE, 20_000)))
        assert hashlib.sha256(client.finish(stream).body).hexdigest() == nginx.sha256["10k"]


# Connections and streams.


def test_one_connection_to_the_endpoint_carries_the_requests_of_many_clients(run, upstream):
    gate = threading.Barrier(9)
    held = []

    def handler(server, stream):
        held.append(stream)
        if len(held) == 8:
            for one in held:
                server.respond(one, one.path)

    server = upstream(h2_script(handler))
    proxy = run(to("2", server))
    bodies = []

    def client(number):
        gate.wait(DEADLINE)
        bodies.append(ask(proxy.port(), VERSIONS[number % 2], path=f"/{number}").body)

    threads = [threading.Thread(target=client, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    gate.wait(DEADLINE)
    for thread in threads:
        thread.join(DEADLINE)
    assert sorted(bodies) == [b"/%d" % number for number in range(8)]
    assert server.connections == 1


def test_more_streams_than_an_endpoint_allows_open_more_connections(run, upstream):
    lock, held = threading.Lock(), []
    everyone = threading.Event()

    def script(peer):
        server = H2Server(peer, [(MAX_CONCURRENT_STREAMS, 4)])
        peer.sock.settimeout(0.02)
        mine, seen = [], set()
        while not server.ended:
            try:
                server.read()
            except TimeoutError:
                pass
            for number in sorted(set(server.streams) - seen):
                stream = server.streams[number]
                seen.add(number)
                if stream.path == "/warm":
                    server.respond(stream)
                elif len(mine) == 4:
                    # Before the peer knows of the limit it may go past it.
                    server.send(reset(number, REFUSED_STREAM))
                else:
                    mine.append(stream)
                    with lock:
                        held.append(stream)
                        if len(held) == 12:
                            everyone.set()
            if everyone.is_set():
                for stream in mine:
                    server.respond(stream, stream.path)
                mine = []

    server = upstream(script)
    proxy = run(to("2", server))
    with h2_client(proxy) as client:
        assert client.get("/warm").status == 200
        streams = [client.open("GET", f"/{number}") for number in range(12)]
        for number, stream in enumerate(streams):
            assert client.finish(stream).body == b"/%d" % number
    assert server.connections >= 3


def test_the_listener_announces_its_limits(run, upstream):
    http2 = {"streams_max": 7, "stream_window": "128KiB"}
    proxy = run(to("1.1", upstream(), listener={"http2": http2}))
    with h2_client(proxy).ready() as client:
        assert client.peer_settings[MAX_CONCURRENT_STREAMS] == 7
        assert client.peer_settings[INITIAL_WINDOW_SIZE] == 128 * 1024


def test_streams_of_one_connection_go_to_several_endpoints(run, upstream):
    one, two = upstream(answers(response(b"one"))), upstream(h2_answers(b"two"))
    proxy = run(to("1.1", one, upstream(answers(response(b"two")))))
    with h2_client(proxy) as client:
        bodies = [bytes(client.get().body) for _ in range(10)]
    assert {bodies.count(b"one"), bodies.count(b"two")} == {5}
    assert two.connections == 0


def test_a_thousand_requests_on_one_connection_leave_no_socket_behind(run, upstream):
    proxy = run(to("2", upstream(h2_answers())))
    with h2_client(proxy) as client:
        assert client.get().status == 200
        before = proxy.sockets()
        for _ in range(10):
            streams = [client.open() for _ in range(100)]
            assert all(client.finish(stream).status == 200 for stream in streams)
        assert proxy.sockets() == before


def test_a_client_that_says_goaway_is_let_go_when_its_streams_have_ended(run, upstream):
    go_on = threading.Event()

    def script(peer):
        peer.request()
        peer.wait(go_on)
        peer.send(response(b"finished"))
        peer.wait_closed()

    proxy = run(to("1.1", upstream(script)))
    with h2_client(proxy) as client:
        stream = client.open()
        client.send(goaway(0, NO_ERROR))
        go_on.set()
        assert client.finish(stream).body == b"finished"
        client.read_to_end()


def test_an_endpoint_whose_answer_came_early_hears_that_the_rest_is_cancelled(run, upstream):
    codes = []

    def script(peer):
        server = H2Server(peer)
        stream = server.head()
        server.respond(stream, b"early")
        server.wait(lambda: stream.done, "the end of the upload")
        codes.append(stream.code)

    proxy = run(to("2", upstream(script)))
    with h2_client(proxy) as client:
        stream = client.open("POST", ends=False)
        client.wait(lambda: stream.code is not None, "the stream's end")
        assert (stream.body, stream.code) == (b"early", NO_ERROR)
    wait_for(lambda: codes, "RST_STREAM")
    assert codes == [CANCEL]


def test_trailers_after_a_body_of_length_zero_are_not_lost(run, upstream):
    def script(peer):
        server = H2Server(peer)
        while (stream := server.request()) is not None:
            server.headers(stream.id, [(":status", "200"), ("content-length", "0")])
            # In a frame of its own, later: the head is passed on before they come.
            server.send(ping())
            server.wait(lambda: server.pongs, "a round trip")
            server.headers(stream.id, [("grpc-status", "7")], ends=True)

    proxy = run(to("2", upstream(script)))
    with h2_client(proxy) as client:
        answer = client.get()
        assert (answer.get("content-length"), answer.trailers) == ("0", [("grpc-status", "7")])
