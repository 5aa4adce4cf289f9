"""Which endpoint gets a request, and every kind of address there is."""

import collections
import os
import socket
import struct
import threading

import pytest

from support.client import RawClient
from support.ports import free_port
from support.sidecar import proxy_to
from support.upstream import answers, response
from support.waiting import wait_for


def named(name):
    return answers(response(name))


def counted(proxy, requests):
    return collections.Counter(proxy.get("/").body.decode() for _ in range(requests))


def test_two_endpoints_take_turns(run, upstream):
    proxy = run(proxy_to(upstream(named("a")), upstream(named("b"))))
    assert counted(proxy, 20) == {"a": 10, "b": 10}


def test_weights_are_exact_over_one_round(run, upstream):
    a, b = upstream(named("a")), upstream(named("b"))
    endpoints = [{"name": "a", "address": a.address, "weight": 3}, {"name": "b", "address": b.address}]
    proxy = run(proxy_to(service={"endpoints": endpoints}))
    assert counted(proxy, 40) == {"a": 30, "b": 10}


def test_weighted_turns_are_spread_not_bunched(run, upstream):
    a, b = upstream(named("a")), upstream(named("b"))
    endpoints = [{"name": "a", "address": a.address, "weight": 2}, {"name": "b", "address": b.address, "weight": 2}]
    proxy = run(proxy_to(service={"endpoints": endpoints}))
    order = "".join(proxy.get("/").body.decode() for _ in range(8))
    assert "aaa" not in order and "bbb" not in order


def test_while_one_endpoint_is_down_the_other_serves(run, upstream):
    down, up = upstream(named("down")), upstream(named("up"))
    down.stop_listening()
    proxy = run(proxy_to(down, up))
    assert counted(proxy, 10) == {"up": 10}
    assert proxy.request("POST", "/", body=b"x").body == b"up"


def test_an_endpoint_that_comes_back_serves_again(run, upstream):
    server = upstream(named("back"))
    server.stop_listening()
    proxy = run(proxy_to(server))
    assert proxy.get("/").status == 503
    server.listen()
    assert proxy.get("/").body == b"back"


def test_a_name_in_the_hosts_file_is_an_endpoint(run, upstream):
    server = upstream(named("by name"))
    proxy = run(proxy_to(f"localhost:{server.port}"))
    assert proxy.get("/").body == b"by name"


def test_a_unix_socket_is_an_endpoint(run, upstream, tmp_path):
    server = upstream(named("unix"), path=str(tmp_path / "app.sock"))
    assert run(proxy_to(server)).get("/").body == b"unix"


def test_an_ipv6_address_is_an_endpoint(run, upstream):
    server = upstream(named("six"), host="::1")
    assert run(proxy_to(server)).get("/").body == b"six"


def test_a_listener_may_be_on_ipv6(run, upstream):
    server = upstream()
    port = free_port()
    run(proxy_to(server, listener={"address": f"[::1]:{port}"}))
    with RawClient(("::1", port)) as client:
        assert client.get("/").body == b"ok\n"
    assert server.requests[0].get("x-forwarded-for") == "::1"


def test_a_listener_may_be_a_unix_socket(run, upstream, tmp_path):
    path = str(tmp_path / "web.sock")
    proxy = run(proxy_to(upstream(), listener={"address": f"unix:{path}"}))
    with RawClient(path) as client:
        assert client.get("/").body == b"ok\n"
        assert client.get("/").body == b"ok\n"
    proxy.stop()
    assert not os.path.exists(path)


def test_a_unix_socket_left_behind_by_a_dead_process_is_no_obstacle(run, upstream, tmp_path):
    path = str(tmp_path / "web.sock")
    stale = socket.socket(socket.AF_UNIX)
    stale.bind(path)
    stale.close()
    run(proxy_to(upstream(), listener={"address": f"unix:{path}"}))
    with RawClient(path) as client:
        assert client.get("/").status == 200


def test_several_workers_share_a_port(run, upstream):
    server = upstream()
    proxy = run(proxy_to(server, workers=2))
    for _ in range(40):
        assert proxy.get("/").status == 200
    proxy.wait_metric("sidecar_requests_total", 40, service="app")


class NameServer:
    """Answers every A query with the addresses it was given and every other with none. Counts queries."""

    def __init__(self, *addresses, ttl=1):
        self.addresses = list(addresses)
        self.ttl = ttl
        self.queries = 0
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        self.address = "127.0.0.1:%d" % self._socket.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self):
        while True:
            try:
                query, peer = self._socket.recvfrom(512)
            except OSError:
                return
            self.queries += 1
            end = query.index(b"\0", 12) + 5
            kind = struct.unpack("!H", query[end - 4:end - 2])[0]
            found = self.addresses if kind == 1 else []
            answer = query[:2] + struct.pack("!HHHHH", 0x8180, 1, len(found), 0, 0) + query[12:end]
            for address in found:
                answer += b"\xc0\x0c" + struct.pack("!HHIH", 1, 1, self.ttl, 4) + socket.inet_aton(address)
            self._socket.sendto(answer, peer)

    def close(self):
        self._socket.close()


@pytest.fixture
def names():
    started = []

    def start(*addresses, **options):
        started.append(NameServer(*addresses, **options))
        return started[-1]

    yield start
    for one in started:
        one.close()


def test_a_name_is_resolved_by_the_configured_server(run, upstream, names):
    server = upstream(named("resolved"))
    dns = names("127.0.0.1")
    proxy = run(proxy_to(f"orders.test:{server.port}", dns={"servers": [dns.address]}))
    assert proxy.get("/").body == b"resolved"
    assert dns.queries > 0


def test_new_connections_take_a_names_addresses_in_turn(run, upstream, names):
    one = upstream(answers(response("1", "Connection: close")), host="127.0.0.1")
    upstream(answers(response("2", "Connection: close")), host="127.0.0.2", port=one.port)
    dns = names("127.0.0.1", "127.0.0.2")
    proxy = run(proxy_to(f"orders.test:{one.port}", dns={"servers": [dns.address]}))
    assert counted(proxy, 10) == {"1": 5, "2": 5}


def test_a_name_that_moves_is_followed_without_a_restart(run, upstream, names):
    one = upstream(named("old"), host="127.0.0.1")
    upstream(named("new"), host="127.0.0.2", port=one.port)
    dns = names("127.0.0.1", ttl=1)
    proxy = run(proxy_to(f"orders.test:{one.port}", dns={"servers": [dns.address]}))
    assert proxy.get("/").body == b"old"
    dns.addresses = ["127.0.0.2"]
    wait_for(lambda: proxy.get("/").body == b"new", "the new address to be used")


def test_a_connect_failure_asks_the_name_server_at_once(run, upstream, names):
    one = upstream(named("old"), host="127.0.0.1")
    upstream(named("new"), host="127.0.0.2", port=one.port)
    dns = names("127.0.0.1", ttl=60)
    proxy = run(proxy_to(f"orders.test:{one.port}", dns={"servers": [dns.address]}))
    assert proxy.get("/").body == b"old"
    dns.addresses = ["127.0.0.2"]
    one.close()
    # Far sooner than the 60 s of the record.
    wait_for(lambda: proxy.get("/").body == b"new", "the name to be asked again")


def test_the_last_good_answer_is_kept_while_the_name_server_is_silent(run, upstream, names):
    server = upstream(named("kept"))
    dns = names("127.0.0.1", ttl=1)
    proxy = run(proxy_to(f"orders.test:{server.port}", dns={"servers": [dns.address]}))
    assert proxy.get("/").body == b"kept"
    asked = dns.queries
    dns.addresses = []
    wait_for(lambda: dns.queries >= asked + 2, "the name to be asked again")
    assert proxy.get("/").body == b"kept"


@pytest.mark.parametrize("dead", ["127.0.0.2", "255.255.255.255"], ids=["refused", "unreachable"])
def test_a_names_other_address_is_tried_when_one_cannot_be_connected_to(run, upstream, names, dead):
    """As with localhost, whose ::1 not every server listens on."""
    server = upstream(answers(response(b"there", "Connection: close")))
    dns = names(dead, "127.0.0.1")
    proxy = run(proxy_to(f"orders.test:{server.port}", dns={"servers": [dns.address]}))
    assert counted(proxy, 10) == {"there": 10}
