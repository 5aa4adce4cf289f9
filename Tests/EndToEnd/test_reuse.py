"""Kept-alive connections on both sides, and what happens when one ends just when it is wanted."""

import threading

import pytest

from support.names import RETRIES
from support.sidecar import proxy_to
from support.upstream import answers, response
from support.waiting import wait_for


def test_a_hundred_requests_use_one_connection_on_each_side(run, upstream):
    server = upstream()
    with run(proxy_to(server)).client() as client:
        for _ in range(100):
            assert client.get("/").body == b"ok\n"
    assert server.connections == 1


def test_many_clients_one_after_another_share_an_upstream_connection(run, upstream):
    server = upstream()
    proxy = run(proxy_to(server))
    for _ in range(20):
        assert proxy.get("/").status == 200
    assert server.connections == 1


def test_a_connection_the_endpoint_announces_to_close_is_not_reused(run, upstream):
    server = upstream(answers(response(b"x", "Connection: close")))
    with run(proxy_to(server)).client() as client:
        for _ in range(5):
            answer = client.get("/")
            assert answer.status == 200
            assert (answer.get("connection") or "keep-alive").lower() != "close"
    assert server.connections == 5


def test_an_http_1_0_endpoints_connection_is_not_reused(run, upstream):
    server = upstream(answers(b"HTTP/1.0 200 OK\r\nContent-Length: 1\r\n\r\nx"))
    with run(proxy_to(server)).client() as client:
        client.get("/")
        client.get("/")
    assert server.connections == 2


def test_an_endpoints_keep_alive_timeout_is_honoured(run, upstream):
    server = upstream(answers(response(b"x", "Keep-Alive: timeout=1")))
    proxy = run(proxy_to(server))
    with proxy.client() as client:
        client.get("/")
        client.get("/")
        assert server.connections == 1
        # The script only ends when the proxy closes: before the server's own second is over, and far before four.
        wait_for(lambda: server.open_connections == 0, "the parked connection to be closed", deadline=2)
        client.get("/")
    assert server.connections == 2


def test_an_idle_connection_is_closed_after_its_time(run, upstream):
    server = upstream()
    proxy = run(proxy_to(server, service={"pool": {"idle_timeout": "200ms"}}))
    proxy.get("/")
    wait_for(lambda: server.open_connections == 0, "the parked connection to be closed", deadline=2)


def test_a_connection_is_closed_after_its_number_of_requests(run, upstream):
    server = upstream()
    proxy = run(proxy_to(server, service={"pool": {"requests_max": 2}}))
    with proxy.client() as client:
        for _ in range(6):
            client.get("/")
    assert server.connections == 3


def test_a_connection_is_closed_when_it_is_old(run, upstream):
    server = upstream()
    proxy = run(proxy_to(server, service={"pool": {"age_max": "200ms"}}))
    with proxy.client() as client:
        client.get("/")
        wait_for(lambda: client.get("/").status == 200 and server.connections >= 2, "a fresh connection", deadline=3)


def test_the_pool_keeps_no_more_idle_connections_than_it_may(run, upstream):
    barrier = threading.Barrier(4)

    def script(peer):
        while peer.request() is not None:
            barrier.wait(10)
            peer.send(response())

    server = upstream(script)
    proxy = run(proxy_to(server, service={"pool": {"idle_max": 1}}))
    clients = [proxy.client() for _ in range(4)]
    for client in clients:
        client.send(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
    for client in clients:
        assert client.response().status == 200
        client.close()
    assert server.connections == 4
    wait_for(lambda: server.open_connections == 1, "all but one to be closed", deadline=2)


def test_a_parked_connection_that_the_endpoint_closes_is_dropped_at_once(run, upstream):
    close = threading.Event()

    def script(peer):
        peer.request()
        peer.send(response())
        if peer.number == 0:
            peer.wait(close)
            return
        while peer.request() is not None:
            peer.send(response())

    server = upstream(script)
    proxy = run(proxy_to(server))
    proxy.get("/")
    parked = proxy.sockets()
    close.set()
    wait_for(lambda: proxy.sockets() < parked, "the proxy to drop the closed connection")
    assert proxy.request("POST", "/", body=b"once").status == 200
    assert server.connections == 2


@pytest.mark.parametrize("at_once", [True, False], ids=["with_the_response", "later"])
def test_a_connection_that_says_something_unasked_is_dropped(run, upstream, at_once):
    later = threading.Event()

    def script(peer):
        peer.request()
        if peer.number > 0:
            return peer.send(response(b"fresh"))
        if at_once:
            peer.send(response() + response(b"poison"))
        else:
            peer.send(response())
            peer.wait(later)
            peer.send(response(b"poison"))
        peer.wait_closed()

    server = upstream(script)
    with run(proxy_to(server)).client() as client:
        assert client.get("/").body == b"ok\n"
        later.set()
        server.wait_no_connections()
        assert client.get("/").body == b"fresh"


def racing(peer):
    """Answers one request; on its first connection it reads the second one and closes without a byte of response."""
    peer.request()
    peer.send(response(b"first"))
    if peer.number == 0:
        peer.head()
        return
    while peer.request() is not None:
        peer.send(response(b"again"))


def test_a_get_that_meets_a_closing_connection_is_retried_on_a_fresh_one(run, upstream):
    server = upstream(racing)
    proxy = run(proxy_to(server))
    with proxy.client() as client:
        assert client.get("/1").body == b"first"
        answer = client.get("/2")
        assert answer.status == 200
        assert answer.reason is None
    assert server.connections == 2
    assert [request.target for request in server.requests] == ["/1", "/2", "/2"]
    assert proxy.metrics().sum(RETRIES) == 1


@pytest.mark.parametrize("method", ["POST", "PATCH"])
def test_a_request_that_is_not_idempotent_is_not_sent_twice(run, upstream, method):
    server = upstream(racing)
    with run(proxy_to(server)).client() as client:
        assert client.get("/1").body == b"first"
        answer = client.request(method, "/2", body=b"order")
        assert (answer.status, answer.reason) == (502, "upstream_closed")
    assert [request.target for request in server.requests] == ["/1", "/2"]


@pytest.mark.parametrize("method", ["PUT", "DELETE"])
def test_an_idempotent_request_whose_body_is_gone_or_empty_ends_in_one_clear_answer(run, upstream, method):
    server = upstream(racing)
    with run(proxy_to(server)).client() as client:
        assert client.get("/1").body == b"first"
        answer = client.request(method, "/2")
        assert answer.status == 200
    assert [request.target for request in server.requests] == ["/1", "/2", "/2"]


def test_a_request_that_fails_on_a_fresh_connection_is_not_retried(run, upstream):
    def script(peer):
        peer.request()

    server = upstream(script)
    answer = run(proxy_to(server)).get("/")
    assert (answer.status, answer.reason) == (502, "upstream_closed")
    assert server.connections == 1


def test_an_endpoint_that_always_closes_on_reuse_does_not_stop_service(run, upstream):
    def script(peer):
        peer.request()
        peer.send(response())
        peer.reset()

    server = upstream(script)
    with run(proxy_to(server)).client() as client:
        for _ in range(50):
            assert client.get("/").status == 200
