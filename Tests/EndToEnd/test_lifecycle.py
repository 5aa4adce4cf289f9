"""Starting, draining, stopping, and what happens when something runs out."""

import os
import signal
import socket
import subprocess
import threading
import time

import pytest

from support import names
from support.client import RawClient
from support.sidecar import BINARY, program, proxy_to
from support.upstream import response
from support.waiting import wait_for
from support.wire import Truncated


def slow(go):
    """A script that answers once the event is set, in two halves."""

    def script(peer):
        while peer.request() is not None:
            peer.wait(go)
            peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nfirst")
            peer.send(b"later")

    return script


def refused(port):
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) != 0


def test_sigterm_finishes_what_runs_and_exits_cleanly(run, upstream):
    go = threading.Event()
    server = upstream(slow(go))
    proxy = run(proxy_to(server, drain_timeout="10s"))
    with proxy.client() as client, proxy.client() as idle:
        client.send(b"GET /running HTTP/1.1\r\nHost: a\r\n\r\n")
        server.wait_requests(1)
        proxy.signal(signal.SIGTERM)
        wait_for(lambda: proxy.admin("/readyz")[0] == 503, "readiness to turn")
        assert proxy.admin("/livez")[0] == 200
        wait_for(lambda: refused(proxy.port()), "the listener to be closed")
        assert idle.is_closed_by_peer()
        assert proxy.is_running()
        go.set()
        answer = client.response()
        assert answer.body == b"firstlater"
        assert answer.get("connection").lower() == "close"
        assert client.is_closed_by_peer()
    began = time.monotonic()
    assert proxy.wait_exit() == 0
    assert time.monotonic() - began < 5


def test_an_idle_proxy_exits_at_once_on_sigterm(run, upstream):
    proxy = run(proxy_to(upstream(), drain_timeout="10s"))
    proxy.get("/")
    began = time.monotonic()
    proxy.signal(signal.SIGTERM)
    assert proxy.wait_exit() == 0
    assert time.monotonic() - began < 3


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_drain_ends_at_its_timeout_though_a_request_still_runs(run, upstream, number):
    go = threading.Event()
    server = upstream(slow(go))
    proxy = run(proxy_to(server, drain_timeout="500ms"))
    with proxy.client() as client:
        client.send(b"GET /running HTTP/1.1\r\nHost: a\r\n\r\n")
        server.wait_requests(1)
        began = time.monotonic()
        proxy.signal(number)
        assert proxy.wait_exit() == 0
        assert 0.4 < time.monotonic() - began < 5
        go.set()


def test_a_second_signal_exits_at_once(run, upstream):
    go = threading.Event()
    server = upstream(slow(go))
    proxy = run(proxy_to(server, drain_timeout="60s"))
    with proxy.client() as client:
        client.send(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        server.wait_requests(1)
        proxy.signal(signal.SIGTERM)
        wait_for(lambda: proxy.admin("/readyz")[0] == 503, "readiness to turn")
        proxy.signal(signal.SIGTERM)
        assert proxy.wait_exit(5) == 0
        go.set()


def test_a_download_that_runs_when_draining_begins_arrives_whole(run, upstream):
    go = threading.Event()
    body = os.urandom(3_000_000)

    def script(peer):
        peer.request()
        peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body[:100_000])
        peer.wait(go)
        peer.send(body[100_000:])

    proxy = run(proxy_to(upstream(script), drain_timeout="10s"))
    with proxy.client() as client:
        client.send(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        assert client.reader.fill()
        proxy.signal(signal.SIGTERM)
        wait_for(lambda: proxy.admin("/readyz")[0] == 503, "readiness to turn")
        go.set()
        assert client.response().body == body
    assert proxy.wait_exit() == 0


def test_a_request_on_a_kept_connection_while_draining_is_served_or_told_so(run, upstream):
    go = threading.Event()
    server = upstream(slow(go))
    proxy = run(proxy_to(server, drain_timeout="10s"))
    with proxy.client() as client:
        client.send(b"GET /1 HTTP/1.1\r\nHost: a\r\n\r\nGET /2 HTTP/1.1\r\nHost: a\r\n\r\n")
        server.wait_requests(1)
        proxy.signal(signal.SIGTERM)
        wait_for(lambda: proxy.admin("/readyz")[0] == 503, "readiness to turn")
        go.set()
        assert client.response().body == b"firstlater"
        # The first answer says close, so the second request was never taken.
        client.read_to_end()
    assert [request.target for request in server.requests] == ["/1"]
    assert proxy.wait_exit() == 0


def test_a_port_comes_back_right_after_a_restart(run, upstream):
    configuration = proxy_to(upstream())
    first = run(configuration)
    first.get("/")
    first.stop()
    assert run(configuration).get("/").status == 200


def test_it_is_ready_within_50_milliseconds(run, upstream):
    """The best of ten: what the machine does beside is not the program's time."""
    proxy = run(proxy_to(upstream()))
    proxy.stop()
    times = []
    for _ in range(10):
        began = time.monotonic()
        started = subprocess.Popen([BINARY, "run", "--config", proxy.file], stderr=subprocess.DEVNULL)
        try:
            while refused(proxy.admin_port) or proxy.admin("/readyz")[0] != 200:
                assert time.monotonic() - began < 5
                time.sleep(0.0005)
            times.append(time.monotonic() - began)
        finally:
            started.kill()
            started.wait()
    assert min(times) <= 0.05, times


# Commands for a container without a shell.


def test_wait_returns_when_the_proxy_is_ready(run, upstream):
    proxy = run(proxy_to(upstream()), wait=False)
    done = program("wait", "--timeout", "10s", "--admin", f"127.0.0.1:{proxy.admin_port}")
    assert done.returncode == 0, done.stderr
    assert proxy.admin("/readyz")[0] == 200


def test_wait_gives_up_after_its_timeout():
    from support.ports import free_port

    began = time.monotonic()
    done = program("wait", "--timeout", "300ms", "--admin", f"127.0.0.1:{free_port()}")
    assert done.returncode == 1
    assert 0.25 < time.monotonic() - began < 5
    assert done.stderr.strip()


def test_healthcheck_tells_a_living_process_from_an_absent_one(run, upstream):
    go = threading.Event()
    server = upstream(slow(go))
    proxy = run(proxy_to(server, drain_timeout="30s"))
    address = f"127.0.0.1:{proxy.admin_port}"
    assert program("healthcheck", "--admin", address).returncode == 0
    assert program("drain", "--admin", address).returncode == 0
    wait_for(lambda: proxy.admin("/readyz")[0] == 503, "readiness to turn")
    # Draining is no illness: a restart would only cut what still runs.
    assert program("healthcheck", "--admin", address).returncode == 0
    assert program("quit", "--admin", address).returncode == 0
    assert proxy.wait_exit() == 0
    assert program("healthcheck", "--admin", address).returncode == 1
    assert program("quit", "--admin", address).returncode == 1


# Running out.


def test_running_out_of_descriptors_is_overload_then_recovery(run, upstream):
    server = upstream()
    proxy = run(proxy_to(server), descriptors=64)
    assert proxy.get("/").status == 200
    held, reasons = [], []
    for _ in range(100):
        client = RawClient(proxy.port(), deadline=5)
        held.append(client)
        client.send(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        try:
            reasons.append(client.response().reason)
        except (Truncated, ConnectionError, TimeoutError):
            reasons.append("none")
            break
        if reasons[-1]:
            break
    assert reasons[0] is None
    assert reasons[-1] == "overloaded"
    assert proxy.is_running()
    for client in held:
        client.close()

    def served():
        try:
            return proxy.get("/").status == 200
        except (Truncated, ConnectionError, TimeoutError):
            return False

    wait_for(served, "requests to be served again")
    metrics = proxy.metrics()
    assert metrics.sum(names.REQUESTS, reason="overloaded") + metrics.sum(names.CONNECTIONS_REFUSED) > 0


def test_nothing_leaks_over_connections_of_every_fate(run, upstream):
    def script(peer):
        while (request := peer.request()) is not None:
            if request.target == "/reset":
                return peer.reset()
            if request.target == "/close":
                return None
            peer.send(response())

    proxy = run(proxy_to(upstream(script), service={"pool": {"idle_timeout": "200ms"}}))

    def one_round():
        for path in ("/", "/reset", "/close", "/%2f", "/"):
            proxy.get(path)
        with proxy.client() as client:
            client.send(b"GET / HT")
        with proxy.client() as client:
            client.send(b"nonsense\r\n\r\n")
            client.read_to_end()

    one_round()
    wait_for(lambda: proxy.metrics().sum(names.UPSTREAM_IDLE) == 0, "the pool to be empty")
    wait_for(lambda: proxy.metrics().sum(names.CONNECTIONS_ACTIVE) == 0, "the clients to be gone")
    before = proxy.descriptors()
    for _ in range(20):
        one_round()
    wait_for(lambda: len(proxy.descriptors()) <= len(before), "the descriptors to be closed")




def test_sighup_harms_nothing(run, upstream):
    proxy = run(proxy_to(upstream()))
    proxy.signal(signal.SIGHUP)
    assert proxy.get("/").status == 200
    assert proxy.is_running()


def test_a_log_that_cannot_be_opened_is_named(tmp_path, upstream):
    from support.sidecar import Sidecar

    proxy = Sidecar(tmp_path, proxy_to(upstream(), access_log={"path": "/nonexistent/access.log"}), wait=False)
    assert proxy.wait_exit() == 1
    assert "/nonexistent/access.log" in proxy.errors()
