"""Past a limit a client is answered with the status that names it; within it, it is served."""

import json
import socket
import threading

import pytest

from support.client import RawClient
from support.sidecar import proxy_to
from support.upstream import answers, response


def kind(answer):
    return json.loads(answer.body)["kind"]


def test_a_head_of_almost_64_kib_passes(run, upstream):
    server = upstream()
    answer = run(proxy_to(server)).get("/", *(f"X-{i}: {'v' * 1000}" for i in range(60)))
    assert answer.status == 200
    assert server.requests[0].get("x-59") == "v" * 1000


def test_a_head_past_its_limit_is_431(run, upstream):
    server = upstream()
    proxy = run(proxy_to(server))
    answer = proxy.get("/", *(f"X-{i}: {'v' * 1000}" for i in range(70)))
    assert (answer.status, answer.reason, kind(answer)) == (431, "bad_request", "head_too_large")
    assert server.connections == 0
    assert proxy.get("/").status == 200


def test_a_head_limit_can_be_configured(run, upstream):
    proxy = run(proxy_to(upstream(), listener={"limits": {"request_line": "512B", "head": "1KiB"}}))
    assert proxy.get("/", "X: " + "v" * 500).status == 200
    assert proxy.get("/", "X: " + "v" * 1500).status == 431


def test_too_many_fields_are_431(run, upstream):
    proxy = run(proxy_to(upstream(), listener={"limits": {"fields": 20}}))
    assert proxy.get("/", *(f"X-{i}: 1" for i in range(19))).status == 200
    answer = proxy.get("/", *(f"X-{i}: 1" for i in range(20)))
    assert (answer.status, kind(answer)) == (431, "too_many_fields")


def test_a_request_line_past_its_limit_is_414(run, upstream):
    proxy = run(proxy_to(upstream()))
    assert proxy.get("/" + "p" * 16_000).status == 200
    answer = proxy.get("/" + "p" * 17_000)
    assert (answer.status, answer.reason, kind(answer)) == (414, "bad_request", "target_too_long")


def test_a_request_line_that_never_ends_is_414_too(run, upstream):
    with run(proxy_to(upstream())).client() as client:
        client.send(b"GET /" + b"p" * 70_000)
        assert client.response().status == 414


def test_an_announced_body_past_its_limit_is_413_before_anything_is_forwarded(run, upstream):
    server = upstream()
    proxy = run(proxy_to(server, listener={"limits": {"body": "10KiB"}}))
    assert proxy.request("POST", "/", body=b"x" * 10_240).status == 200
    with proxy.client() as client:
        client.send(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10241\r\n\r\n")
        answer = client.response()
    assert (answer.status, answer.reason, kind(answer)) == (413, "bad_request", "body_too_large")
    assert len(server.requests) == 1


def test_a_chunked_body_past_its_limit_is_413(run, upstream):
    def script(peer):
        peer.head()
        peer.wait_closed()

    proxy = run(proxy_to(upstream(script), listener={"limits": {"body": "10KiB"}}))
    with proxy.client() as client:
        client.send(b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n")
        client.send(b"1000\r\n" + b"x" * 4096 + b"\r\n")
        client.send(b"2000\r\n" + b"x" * 8192 + b"\r\n")
        answer = client.response()
    assert (answer.status, answer.reason) == (413, "bad_request")


def test_a_route_may_set_its_own_body_limit(run, upstream):
    server = upstream()
    from support.sidecar import gateway

    proxy = run(gateway([
        {"name": "small", "location": "/small", "service": "app", "limits": {"body": "1KiB"}},
        {"name": "all", "location": "/", "service": "app"},
    ], {"app": server}))
    assert proxy.request("POST", "/small", body=b"x" * 2000).status == 413
    assert proxy.request("POST", "/large", body=b"x" * 2000).status == 200


def test_a_head_that_does_not_arrive_in_time_is_408(run, upstream):
    server = upstream()
    proxy = run(proxy_to(server, listener={"timeouts": {"head": "300ms"}}))
    with proxy.client() as client:
        client.send(b"GET / HTTP/1.1\r\nHost: a\r\n")
        answer = client.response()
        assert (answer.status, answer.reason, kind(answer)) == (408, "bad_request", "head_timeout")
        client.read_to_end()
    assert server.connections == 0


def test_trickling_bytes_do_not_extend_the_heads_time(run, upstream):
    proxy = run(proxy_to(upstream(), listener={"timeouts": {"head": "400ms"}}))
    with proxy.client() as client:
        client.sock.settimeout(0.05)
        data = b""
        for _ in range(200):
            try:
                client.send(b"X")
                if not data and (data := client.sock.recv(4096)):
                    break
            except socket.timeout:
                continue
            except ConnectionError:
                break
        assert data.startswith(b"HTTP/1.1 408 ")


def test_a_body_that_stops_arriving_ends_with_408(run, upstream):
    def script(peer):
        peer.head()
        peer.wait_closed()

    server = upstream(script)
    proxy = run(proxy_to(server, listener={"timeouts": {"idle": "300ms"}}))
    with proxy.client() as client:
        client.send(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nhello")
        answer = client.response()
        assert (answer.status, kind(answer)) == (408, "body_timeout")
    server.wait_no_connections()


def test_an_idle_kept_alive_connection_is_closed_without_a_word(run, upstream):
    proxy = run(proxy_to(upstream(), listener={"timeouts": {"keep_alive": "300ms"}}))
    with proxy.client() as client:
        assert client.get("/").status == 200
        assert client.is_closed_by_peer()


def test_a_connection_ends_after_its_number_of_requests(run, upstream):
    proxy = run(proxy_to(upstream(), listener={"requests_max": 3}))
    with proxy.client() as client:
        assert client.get("/").get("connection") != "close"
        client.get("/")
        assert client.get("/").get("connection").lower() == "close"
        assert client.is_closed_by_peer()


def test_connections_beyond_the_maximum_are_answered_overloaded(run, upstream):
    proxy = run(proxy_to(upstream(), connections_max=3))
    held = [proxy.client() for _ in range(3)]
    for client in held:
        assert client.get("/").status == 200
    with proxy.client() as client:
        client.send(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        answer = client.response()
        assert (answer.status, answer.reason) == (503, "overloaded")
        client.read_to_end()
    for client in held:
        assert client.get("/").status == 200
        client.close()

    def served():
        try:
            return proxy.get("/").status == 200
        except Exception:
            return False

    from support.waiting import wait_for

    wait_for(served, "connections to be accepted again")


def test_a_response_head_past_its_limit_is_502_and_names_the_limit(run, upstream):
    server = upstream(answers(response(b"x", *(f"X-{i}: {'v' * 1000}" for i in range(70)))))
    answer = run(proxy_to(server)).get("/")
    assert (answer.status, answer.reason) == (502, "upstream_protocol_error")
    assert "head_too_large" in answer.body.decode()


def test_a_response_head_of_almost_64_kib_passes(run, upstream):
    server = upstream(answers(response(b"x", *(f"X-{i}: {'v' * 1000}" for i in range(60)))))
    answer = run(proxy_to(server)).get("/")
    assert answer.status == 200
    assert answer.get("x-59") == "v" * 1000


def test_requests_beyond_the_pools_connections_are_overloaded(run, upstream):
    import threading

    go = threading.Event()

    def script(peer):
        while peer.request() is not None:
            peer.wait(go)
            peer.send(response())

    server = upstream(script)
    proxy = run(proxy_to(server, service={"pool": {"connections_max": 2}}))
    with proxy.client() as one, proxy.client() as two:
        for client in (one, two):
            client.send(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        server.wait_requests(2)
        answer = proxy.get("/")
        assert (answer.status, answer.reason) == (503, "overloaded")
        go.set()
        assert one.response().status == two.response().status == 200
    assert proxy.get("/").status == 200


def test_a_client_that_stops_reading_is_cut_after_the_idle_time(run, nginx):
    proxy = run(proxy_to(nginx, listener={"timeouts": {"idle": "500ms"}}))
    sock = socket.socket()
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    sock.connect(("127.0.0.1", proxy.port()))
    sock.sendall(b"GET /10m HTTP/1.1\r\nHost: a\r\n\r\n")
    line = proxy.log_line(url__path="/10m")
    assert line["sidecar.reason"]
    sock.close()


@pytest.mark.parametrize("count", [1000])
def test_idle_connections_cost_no_more_than_a_kibibyte_each(run, upstream, count):
    proxy = run(proxy_to(upstream()))
    warm = [proxy.client() for _ in range(count // 2)]
    for client in warm:
        client.get("/")
    before = proxy.pss()
    more = [RawClient(proxy.port()) for _ in range(count)]
    for client in more:
        client.get("/")
    grown = proxy.pss() - before
    for client in warm + more:
        client.close()
    assert grown / count <= 1024, f"{grown / count:.0f} bytes per idle connection"


def test_large_heads_leave_no_memory_behind(run, upstream):
    """As many at once as exchanges are kept for reuse."""
    release = threading.Event()

    def script(peer):
        while peer.request() is not None:
            peer.wait(release)
            peer.send(response())

    server = upstream(script)
    proxy = run(proxy_to(server))
    before = proxy.pss()
    large = "".join(f"X-{i}: {'v' * 1000}\r\n" for i in range(60)).encode()
    clients = [proxy.client() for _ in range(200)]
    for client in clients:
        client.send(b"GET / HTTP/1.1\r\nHost: a\r\n" + large + b"\r\n")
    server.wait_requests(200)
    release.set()
    for client in clients:
        assert client.response().status == 200
        client.close()
    proxy.wait_metric("sidecar_downstream_connections_active", 0)
    assert proxy.pss() - before < 12 << 20
