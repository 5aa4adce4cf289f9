"""Every way an endpoint or a client can fail has one reason word, the same in the response, the log and the metrics."""

import json
import threading

import pytest

from support.names import LOG_REASON, LOG_STATUS, REQUESTS
from support.sidecar import proxy_to
from support.upstream import FullBacklog, answers, once, response
from support.waiting import wait_for
from support.wire import Truncated


def failed(proxy, answer, status, reason):
    """The response, the log line and the counter tell the same."""
    assert (answer.status, answer.reason) == (status, reason), answer
    assert answer.get("content-type") == "application/problem+json"
    problem = json.loads(answer.body)
    assert (problem["status"], problem["reason"]) == (status, reason)
    line = proxy.log_line(**{LOG_REASON.replace(".", "__"): reason})
    assert line[LOG_STATUS] == status
    proxy.wait_metric(REQUESTS, 1, reason=reason, code=str(status), service="app")


def test_a_refused_connection_is_connect_refused(run, upstream):
    server = upstream()
    server.stop_listening()
    proxy = run(proxy_to(server))
    failed(proxy, proxy.get("/"), 503, "connect_refused")


def test_an_endpoint_that_never_accepts_is_connect_timeout(run):
    blackhole = FullBacklog()
    proxy = run(proxy_to(blackhole, service={"timeouts": {"connect": "200ms"}}))
    failed(proxy, proxy.get("/"), 503, "connect_timeout")
    blackhole.close()


def test_an_address_without_a_route_is_connect_unreachable(run):
    # The kernel refuses a TCP connection to a multicast address itself; no packet leaves.
    proxy = run(proxy_to("224.0.0.1:80"))
    failed(proxy, proxy.get("/"), 503, "connect_unreachable")


def test_a_unix_socket_that_does_not_exist_is_an_error_of_connecting(run, tmp_path):
    proxy = run(proxy_to(f"unix:{tmp_path}/nobody"))
    answer = proxy.get("/")
    assert answer.status == 503
    assert answer.reason in ("connect_refused", "connect_unreachable")


def test_a_name_that_does_not_resolve_is_no_healthy_endpoint(run):
    proxy = run(proxy_to("no-such-host.invalid:80"), wait=False)
    proxy.wait_ready()
    answer = proxy.get("/")
    assert answer.status == 503
    assert answer.reason in ("no_healthy_endpoint", "connect_unreachable")


def test_an_endpoint_that_is_silent_is_response_timeout(run, upstream):
    def script(peer):
        peer.request()
        peer.wait_closed()

    server = upstream(script)
    proxy = run(proxy_to(server, service={"timeouts": {"response": "200ms"}}))
    failed(proxy, proxy.get("/"), 504, "response_timeout")
    server.wait_no_connections()


def test_an_endpoint_that_closes_without_a_response_is_upstream_closed(run, upstream):
    def script(peer):
        peer.request()

    proxy = run(proxy_to(upstream(script)))
    failed(proxy, proxy.get("/"), 502, "upstream_closed")


def test_an_endpoint_that_closes_within_the_head_is_upstream_closed(run, upstream):
    proxy = run(proxy_to(upstream(once(b"HTTP/1.1 200 OK\r\nContent-Le"))))
    failed(proxy, proxy.get("/"), 502, "upstream_closed")


def test_an_endpoint_that_resets_is_upstream_reset(run, upstream):
    def script(peer):
        peer.request()
        peer.reset()

    proxy = run(proxy_to(upstream(script)))
    failed(proxy, proxy.get("/"), 502, "upstream_reset")


GARBAGE = {
    "noise": b"\x00\x01\x02 this is not http\r\n\r\n",
    "another_protocol": b"SSH-2.0-OpenSSH_9.2\r\n\r\n",
    "bad_status": b"HTTP/1.1 2x0 OK\r\n\r\n",
    "short_status": b"HTTP/1.1 20 OK\r\n\r\n",
    "version_2": b"HTTP/2.0 200 OK\r\n\r\n",
    "bad_field": b"HTTP/1.1 200 OK\r\nno colon\r\n\r\n",
    "nul_in_field": b"HTTP/1.1 200 OK\r\nX: a\0b\r\n\r\n",
    "differing_lengths": b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nxy",
    "length_and_chunked": b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "chunked_not_last": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked, gzip\r\n\r\n0\r\n\r\n",
    "switching_without_being_asked": b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n",
}


@pytest.mark.parametrize("name", GARBAGE)
def test_what_is_not_http_is_upstream_protocol_error(run, upstream, name):
    def script(peer):
        peer.request()
        peer.send(GARBAGE[name])
        peer.wait_closed()

    proxy = run(proxy_to(upstream(script)))
    failed(proxy, proxy.get("/"), 502, "upstream_protocol_error")


CUT = {
    "by_close_in_a_counted_body": (b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf", False, "upstream_closed"),
    "by_close_in_a_chunked_body": (
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n", False, "upstream_closed"),
    "by_close_in_a_chunk": (
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n40\r\nhalf", False, "upstream_closed"),
    "by_reset": (b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf", True, "upstream_reset"),
    "by_a_bad_chunk": (
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\nzz\r\n", None, "upstream_protocol_error"),
}


@pytest.mark.parametrize("name", CUT)
def test_a_body_cut_in_the_middle_never_ends_cleanly_for_the_client(run, upstream, name):
    data, by_reset, reason = CUT[name]
    seen = threading.Event()

    def script(peer):
        peer.request()
        peer.send(data)
        peer.wait(seen)
        if by_reset:
            peer.reset()
        elif by_reset is None:
            peer.wait_closed()

    proxy = run(proxy_to(upstream(script)))
    with proxy.client() as client:
        client.send(b"GET /cut HTTP/1.1\r\nHost: a\r\n\r\n")
        if by_reset is None:
            seen.set()
        else:
            while b"half" not in client.reader.received:
                assert client.reader.fill()
            seen.set()
            client.reader.buffer = client.reader.received
        with pytest.raises((Truncated, ConnectionResetError)):
            client.response()
    line = proxy.log_line(url__path="/cut")
    assert line[LOG_REASON] == reason
    proxy.wait_metric(REQUESTS, 1, reason=reason)


def test_a_response_body_that_stops_is_cut_after_the_idle_time(run, upstream):
    def script(peer):
        peer.request()
        peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf")
        peer.wait_closed()

    server = upstream(script)
    proxy = run(proxy_to(server, service={"timeouts": {"idle": "300ms"}}))
    with pytest.raises((Truncated, ConnectionResetError)):
        proxy.get("/stops")
    assert proxy.log_line(url__path="/stops")[LOG_REASON]
    server.wait_no_connections()


@pytest.mark.parametrize("how", ["reset", "close"])
def test_a_client_that_vanishes_while_waiting_cancels_the_request(run, upstream, how):
    def script(peer):
        peer.request()
        peer.wait_closed()

    server = upstream(script)
    proxy = run(proxy_to(server))
    with proxy.client() as client:
        client.send(b"GET /gone HTTP/1.1\r\nHost: a\r\n\r\n")
        server.wait_requests(1)
        getattr(client, how)()
    server.wait_no_connections()
    line = proxy.log_line(url__path="/gone")
    assert (line[LOG_REASON], line[LOG_STATUS]) == ("client_closed", 499)


def test_a_client_that_vanishes_in_the_response_cancels_the_rest(run, upstream):
    sent = threading.Event()

    def script(peer):
        peer.request()
        peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n")
        try:
            while True:
                peer.send(b"x" * 65536)
                sent.set()
        except OSError:
            pass

    server = upstream(script)
    proxy = run(proxy_to(server))
    with proxy.client() as client:
        client.send(b"GET /gone HTTP/1.1\r\nHost: a\r\n\r\n")
        assert client.sock.recv(1000)
        client.reset()
    server.wait_no_connections()
    assert proxy.log_line(url__path="/gone")[LOG_REASON] == "client_closed"


def test_a_client_that_vanishes_in_its_upload_cancels_it(run, upstream):
    complete = []

    def script(peer):
        message = peer.head()
        peer.body(message)
        complete.append(message)

    server = upstream(script)
    server.script = lambda peer: _swallow(script, peer)
    proxy = run(proxy_to(server))
    with proxy.client() as client:
        client.send(b"POST /gone HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\nhalf")
        server.wait_requests(1)
        client.close()
    server.wait_no_connections()
    assert complete == []
    assert proxy.log_line(url__path="/gone")[LOG_REASON] == "client_closed"


def _swallow(script, peer):
    try:
        script(peer)
    except Truncated:
        pass


def test_a_half_sent_request_of_a_vanished_client_leaves_nothing_behind(run, upstream):
    proxy = run(proxy_to(upstream()))
    before = proxy.sockets()
    for data in (b"", b"GET / HT", b"GET / HTTP/1.1\r\nHost: a\r\n"):
        client = proxy.client()
        client.send(data)
        client.close()
    wait_for(lambda: proxy.sockets() <= before, "the connections to be gone")


def test_after_every_failure_the_next_request_is_served(run, upstream):
    bad = [
        lambda peer: peer.reset(),
        lambda peer: peer.send(b"garbage\r\n\r\n"),
        lambda peer: None,
        lambda peer: peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhal"),
    ]

    def script(peer):
        while (request := peer.request()) is not None:
            if request.target == "/fine":
                peer.send(response())
            else:
                return bad[int(request.target[1:])](peer)

    proxy = run(proxy_to(upstream(script)))
    before = proxy.sockets()
    for number in range(len(bad) * 5):
        try:
            assert proxy.request("POST", f"/{number % len(bad)}", body=b"x").status == 502
        except (Truncated, ConnectionResetError):
            pass
        assert proxy.get("/fine").body == b"ok\n"
    wait_for(lambda: proxy.sockets() <= before + 1, "no socket to remain but one parked connection")


def test_a_problem_body_names_endpoint_and_request_for_a_caller_on_loopback(run, upstream):
    server = upstream()
    server.stop_listening()
    proxy = run(proxy_to(server))
    problem = json.loads(proxy.get("/").body)
    assert server.address in json.dumps(problem)
    assert problem["request_id"]


def test_a_failed_head_request_has_no_body(run, upstream):
    server = upstream()
    server.stop_listening()
    with run(proxy_to(server)).client() as client:
        answer = client.request("HEAD", "/")
        assert (answer.status, answer.reason) == (503, "connect_refused")
        assert client.request("HEAD", "/").status == 503


def test_a_failed_upload_is_answered_though_its_body_is_unread(run, upstream):
    server = upstream()
    server.stop_listening()
    with run(proxy_to(server)).client() as client:
        client.send(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 500000\r\n\r\n" + b"x" * 100_000)
        answer = client.response()
        assert (answer.status, answer.reason) == (503, "connect_refused")


def test_an_endpoints_own_error_is_passed_on_without_a_reason(run, upstream):
    proxy = run(proxy_to(upstream(answers(response(b"mine", status="503 Service Unavailable")))))
    answer = proxy.get("/own")
    assert (answer.status, answer.body, answer.reason) == (503, b"mine", None)
    proxy.wait_metric(REQUESTS, 1, code="503", reason="")
