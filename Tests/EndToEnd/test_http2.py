"""HTTP/2 on both sides: clients and servers that others wrote, the four mixes with HTTP/1.1, streams, windows, endings."""

import base64
import hashlib
import json
import os
import re
import signal
import socket
import threading

import httpx
import pytest

from support import names
from support.h2 import (
    CANCEL, ENABLE_CONNECT_PROTOCOL, GOAWAY, INITIAL_WINDOW_SIZE, INTERNAL_ERROR, LARGEST_WINDOW, MAX_CONCURRENT_STREAMS,
    NO_ERROR, REFUSED_STREAM, WINDOW, H2Client, H2Server, Stream, goaway, h2_answers, h2_script, reset, settings, window_update,
)
from support.mix import VERSIONS, Part, ask, origin
from support.nginx import FILES
from support.ports import free_port
from support.programs import Nghttpd, curl, run_program
from support.sidecar import EX_OK, proxy_to
from support.tls import client_context, server_context
from support.upstream import answers, response
from support.waiting import DEADLINE, wait_for
from support.wire import Truncated

PROTOCOL = {"1.1": "http", "2": "http2"}
LOG_VERSION = "network.protocol.version"


def to(version, *endpoints, **more):
    """A configuration: one listener to one service of endpoints that speak this version."""
    service = {"protocol": PROTOCOL[version], **more.pop("service", {})}
    return proxy_to(*endpoints, service=service, **more)


def h2_client(proxy, *own, listener="web", **options):
    return H2Client(proxy.port(listener), own, **options)


# Clients and servers that others wrote.

SERVERS = ["nginx-1.1", "nginx-2", "nginx-1.1-tls", "nginx-2-tls"]
CLIENTS = {"1.1": "--http1.1", "2": "--http2-prior-knowledge", "1.1-tls": "--http1.1", "2-tls": "--http2"}


@pytest.fixture(scope="module")
def mixed(shared_run, nginx, authority, tmp_path_factory):
    """A proxy with a listener for each pair of a client's and a server's protocol, in front of nginx."""
    certificate = authority.issue("test.local")
    tls_port = free_port()
    nginx_tls = type(nginx)(
        tmp_path_factory.mktemp("nginx-tls"), listen=f"""
        listen 127.0.0.1:{tls_port} ssl http2;
        ssl_certificate {certificate.certificate}; ssl_certificate_key {certificate.key};""")
    tls = {"tls": {"ca": str(authority.certificate), "server_name": "test.local"}}
    address = f"127.0.0.1:{tls_port}"
    services = [
        {"name": "nginx-1.1", "endpoints": [nginx_tls.address]},
        {"name": "nginx-2", "protocol": "http2", "endpoints": [f"127.0.0.1:{nginx_tls.http2_port}"]},
        {"name": "nginx-1.1-tls", "endpoints": [address], **tls},
        {"name": "nginx-2-tls", "protocol": "http2", "endpoints": [address], **tls},
    ]
    listeners = []
    for server in SERVERS:
        for suffix in ("", "-tls"):
            listeners.append({
                "name": server + "-from" + suffix, "address": f"127.0.0.1:{free_port()}", "service": server,
                **({"tls": certificate.pair} if suffix else {})})
    yield shared_run({"listeners": listeners, "services": services, "workers": 2}), nginx_tls
    nginx_tls.close()


def reach(proxy, client, server, path):
    """curl's arguments for this pair."""
    secure = client.endswith("-tls")
    port = proxy.port(f"{server}-from{'-tls' if secure else ''}")
    scheme = "https" if secure else "http"
    return ["-k", CLIENTS[client], "--resolve", f"test.local:{port}:127.0.0.1", f"{scheme}://test.local:{port}{path}"]


@pytest.mark.parametrize("server", SERVERS)
@pytest.mark.parametrize("client", CLIENTS)
def test_curl_downloads_and_uploads_byte_for_byte_in_every_mix(mixed, tmp_path, client, server):
    proxy, nginx = mixed
    told = curl(*reach(proxy, client, server, "/small"), "-w", "%{http_version} %{http_code}").decode()
    assert told == f"hello from nginx\n{client.removesuffix('-tls')} 200"
    assert hashlib.sha256(curl(*reach(proxy, client, server, "/1m"))).hexdigest() == nginx.sha256["1m"]
    data = os.urandom(1_500_000)
    (tmp_path / "data").write_bytes(data)
    name = f"{client}-{server}"
    code = curl("-T", str(tmp_path / "data"), *reach(proxy, client, server, f"/uploads/{name}"), "-w", "%{http_code}")
    assert code == b"201"
    assert nginx.uploaded(name) == data


def test_curl_without_a_length_uploads_over_http2(mixed):
    proxy, nginx = mixed
    data = os.urandom(300_000)
    curl("-T", "-", *reach(proxy, "2", "nginx-2", "/uploads/unknown-length"), stdin=data)
    assert nginx.uploaded("unknown-length") == data


def test_a_head_over_http2_tells_the_length_without_the_body(mixed):
    proxy, _ = mixed
    text = curl("-I", *reach(proxy, "2", "nginx-1.1", "/10k")).decode()
    assert text.startswith("HTTP/2 200 \r\n")
    assert "content-length: 10240\r\n" in text


def test_nghttp_fetches_many_files_on_one_connection(mixed):
    proxy, nginx = mixed
    urls = [f"http://127.0.0.1:{proxy.port('nginx-2-from')}/{name}" for name in FILES]
    said = run_program("nghttp", "-n", "-v", "--no-dep", *urls).decode(errors="replace")
    assert said.count(":status: 200") == len(FILES)
    assert "recv GOAWAY" not in said
    assert said.count("Connected") == 1


def test_httpx_shares_one_connection_among_its_requests(mixed):
    proxy, nginx = mixed
    base = f"https://127.0.0.1:{proxy.port('nginx-2-from-tls')}"
    with httpx.Client(http2=True, verify=False, trust_env=False, timeout=DEADLINE) as client:
        for name in FILES:
            answer = client.get(f"{base}/{name}")
            assert (answer.http_version, answer.status_code) == ("HTTP/2", 200)
            assert hashlib.sha256(answer.content).hexdigest() == nginx.sha256[name]


@pytest.mark.parametrize("server", ["nginx-1.1", "nginx-2", "nginx-2-tls"])
@pytest.mark.parametrize("scheme", ["http", "https"])
def test_h2load_with_many_streams_on_many_connections_sees_no_error(mixed, scheme, server):
    proxy, _ = mixed
    port = proxy.port(f"{server}-from" + ("-tls" if scheme == "https" else ""))
    count = 15_000
    # An HTTP/1.1 endpoint needs a connection for each request at once, and nginx has 4096.
    streams = 10 if server == "nginx-1.1" else 100
    said = run_program(
        "h2load", "-n", count, "-c", 100, "-m", streams, "-N", "20s", f"{scheme}://127.0.0.1:{port}/small").decode()
    assert re.search(rf"{count} succeeded, 0 failed, 0 errored, 0 timeout", said), said
    assert re.search(rf"status codes: {count} 2xx, 0 3xx, 0 4xx, 0 5xx", said), said


@pytest.mark.parametrize("secure", [False, True])
def test_nghttpd_is_an_endpoint_like_any_other(run, tmp_path, authority, secure):
    data = os.urandom(200_000)
    (tmp_path / "file").write_bytes(data)
    certificate = authority.issue("test.local")
    server = Nghttpd(tmp_path, "--trailer=x-checksum: 42", certificate=certificate if secure else None)
    service = {"tls": {"ca": str(authority.certificate), "server_name": "test.local"}} if secure else {}
    try:
        proxy = run(to("2", server, service=service))
        for version in VERSIONS:
            answer = ask(proxy.port(), version, path="/file")
            assert (answer.status, answer.body) == (200, data)
            # It announces a length too, and HTTP/1.1 has no trailers behind a counted body.
            assert answer.trailers == ([("x-checksum", "42")] if version == "2" else None)
        assert curl(proxy.url("/file"), "--http2-prior-knowledge") == data
    finally:
        server.close()


# One exchange in the four mixes: inward the client's version, outward the endpoint's.


@pytest.fixture(params=[(a, b) for a in VERSIONS for b in VERSIONS], ids=lambda pair: f"{pair[0]}-to-{pair[1]}")
def mix(request, run, upstream):
    """Starts the proxy in front of an endpoint that gives `answer`; asks once."""

    def exchange(answer=None, **question):
        inward, outward = request.param
        seen = []
        proxy = run(to(outward, upstream(origin(outward, answer or Part(body=b"ok", status=200), seen))))
        got = ask(proxy.port(), inward, **question)
        assert len(seen) == 1, seen
        exchange.proxy, exchange.inward, exchange.outward = proxy, inward, outward
        return seen[0], got

    return exchange


def test_method_path_host_fields_and_bodies_pass_in_every_mix(mix):
    request, answer = mix(
        Part([("x-answer", "yes"), ("x-twice", "1"), ("x-twice", "2")], b"answered", status=201),
        method="POST", path="/a/b?c=d%20e", host="shop.local:8080", body=b"asked",
        fields=[("x-request", "yes"), ("x-twice", "1"), ("x-twice", "2"), ("x-latin", "caf\xe9")])
    assert (request.method, request.path, request.host) == ("POST", "/a/b?c=d%20e", "shop.local:8080")
    assert request.body == b"asked"
    assert request.get("content-length") == "5"
    assert request.get("x-request") == "yes"
    assert request.all("x-twice") == ["1", "2"]
    assert request.get("x-latin") == "caf\xe9"
    assert request.get("host") is None
    assert (answer.status, answer.body, answer.get("x-answer")) == (201, b"answered", "yes")
    assert answer.all("x-twice") == ["1", "2"]
    line = mix.proxy.log_line(url__path="/a/b")
    assert line[LOG_VERSION] == mix.inward
    assert line[names.LOG_REQUEST_BYTES] == 5
    assert line[names.LOG_RESPONSE_BYTES] == 8


def test_via_names_the_version_that_was_received(mix):
    request, answer = mix()
    received = {"1.1": "1.1", "2": r"2(\.0)?"}
    assert re.fullmatch(received[mix.inward] + r" \S+", request.get("via"))


def test_trailers_pass_both_ways_in_every_mix(mix):
    request, answer = mix(
        Part(body=b"answered", status=200, trailers=[("x-late", "1"), ("x-later", "2")]),
        method="POST", body=b"asked", trailers=[("x-sum", "abc")], fields=[("te", "trailers")])
    assert request.body == b"asked"
    assert request.trailers == [("x-sum", "abc")]
    assert answer.body == b"answered"
    assert answer.trailers == [("x-late", "1"), ("x-later", "2")]


def test_a_body_waits_for_100_continue_of_the_endpoint_in_every_mix(mix):
    request, answer = mix(method="POST", body=b"asked", waits=True)
    assert request.get("expect") == "100-continue"
    assert request.body == b"asked"
    assert [status for status, _ in answer.interim] == [100]
    assert answer.status == 200


def test_early_hints_come_before_the_answer_in_every_mix(mix):
    link = ("link", "</style.css>; rel=preload")
    _, answer = mix(Part(body=b"page", status=200, interim=[(103, [link]), (103, [("link", "</two.js>")])]))
    assert [status for status, _ in answer.interim] == [103, 103]
    assert link in answer.interim[0][1]
    assert (answer.status, answer.body) == (200, b"page")


@pytest.mark.parametrize("status", [204, 304])
def test_an_answer_that_has_no_body_ends_in_every_mix(mix, status):
    _, got = mix(Part([("etag", '"a"')], status=status))
    assert (got.status, got.body) == (status, b"")


def test_connection_fields_never_reach_the_other_side(mix):
    request, answer = mix(fields=[("te", "trailers"), ("x-kept", "1")])
    for one in (request, answer):
        for name in ("connection", "keep-alive", "proxy-connection", "upgrade", "http2-settings"):
            if name == "connection" and (mix.outward if one is request else mix.inward) == "1.1":
                continue
            assert one.get(name) is None, (name, one)
    assert request.get("x-kept") == "1"


def test_cookies_that_came_apart_are_one_cookie_for_http1(run, upstream):
    seen = []
    proxy = run(to("1.1", upstream(origin("1.1", Part(status=200), seen))))
    ask(proxy.port(), "2", fields=[("cookie", "a=1"), ("x", "y"), ("cookie", "b=2"), ("cookie", "c=3")])
    assert seen[0].get("cookie") == "a=1; b=2; c=3"


def test_cookies_mean_the_same_to_an_http2_endpoint(run, upstream):
    seen = []
    proxy = run(to("2", upstream(origin("2", Part(status=200), seen))))
    ask(proxy.port(), "1.1", fields=[("cookie", "a=1; b=2")])
    ask(proxy.port(), "2", fields=[("cookie", "a=1"), ("cookie", "b=2")])
    for request in seen:
        assert "; ".join(request.all("cookie")) == "a=1; b=2"


def test_host_beside_an_equal_authority_is_no_second_host(run, upstream):
    seen = []
    proxy = run(to("1.1", upstream(origin("1.1", Part(status=200), seen))))
    assert ask(proxy.port(), "2", fields=[("host", "test.local")]).status == 200
    assert seen[0].host == "test.local"
    assert seen[0].all("host") == []


def test_host_alone_stands_for_the_authority(run, upstream):
    seen = []
    proxy = run(to("2", upstream(origin("2", Part(status=200), seen))))
    with h2_client(proxy) as client:
        number = client.next_stream()
        client.streams[number] = stream = Stream(number)
        client.headers(number, [(":method", "GET"), (":scheme", "http"), (":path", "/"), ("host", "only.local")], True)
        assert client.finish(stream).status == 200
    assert seen[0].host == "only.local"


def test_one_port_takes_both_versions_and_ignores_the_upgrade_of_old(run, upstream):
    proxy = run(to("1.1", upstream()))
    assert ask(proxy.port(), "1.1").status == 200
    assert ask(proxy.port(), "2").status == 200
    # Without --http2-prior-knowledge curl asks by Upgrade: h2c, which RFC 9113 §3.1 took away.
    assert curl("--http2", proxy.url(), "-w", "%{http_version}") == b"ok\n1.1"


def test_a_preface_that_comes_byte_by_byte_is_recognised(run, upstream):
    proxy = run(to("1.1", upstream()))
    with h2_client(proxy, preface=False) as client:
        for byte in b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n":
            client.send(bytes([byte]))
        client.send(settings())
        assert client.get().status == 200


def test_http2_that_is_switched_off_is_refused_in_words(run, upstream):
    proxy = run(to("1.1", upstream(), listener={"http2": {"enabled": False}}))
    assert ask(proxy.port(), "1.1").status == 200
    with proxy.client() as client:
        client.send(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + settings())
        assert client.response().status in (400, 505)


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


# WebSocket: RFC 8441.


def accept_key(key):
    return base64.b64encode(hashlib.sha1(key.encode() + b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11").digest()).decode()


def websocket_http1(peer):
    """Switches protocols and sends everything back."""
    request = peer.head()
    assert (request.method, request.get("upgrade").lower()) == ("GET", "websocket")
    assert request.get("sec-websocket-version") == "13"
    accept = accept_key(request.get("sec-websocket-key"))
    peer.send(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
              b"Sec-WebSocket-Accept: %b\r\nSec-WebSocket-Protocol: chat\r\n\r\n" % accept.encode())
    while peer.reader.buffer or peer.reader.fill():
        data, peer.reader.buffer = peer.reader.buffer, b""
        peer.send(data)


def websocket_http2(peer):
    server = H2Server(peer, [(ENABLE_CONNECT_PROTOCOL, 1)])
    stream = server.head()
    assert (stream.method, stream.get(":protocol")) == ("CONNECT", "websocket")
    assert stream.get("sec-websocket-version") == "13"
    server.headers(stream.id, [(":status", "200"), ("sec-websocket-protocol", "chat")])
    sent = 0
    while not stream.done:
        if len(stream.body) > sent:
            data = bytes(stream.body[sent:])
            sent += len(data)
            server.data(stream.id, data)
        elif server.read() is None:
            return
    server.data(stream.id, b"", ends=True)
    server.read_to_end()


WEBSOCKET = {"1.1": websocket_http1, "2": websocket_http2}
EXTENDED = {"http2": {"extended_connect": True}}


@pytest.mark.parametrize("version", VERSIONS)
def test_a_websocket_over_http2_reaches_a_server_of_either_version(run, upstream, version):
    server = upstream(WEBSOCKET[version])
    proxy = run(to(version, server, listener=EXTENDED))
    with h2_client(proxy).ready() as client:
        assert client.peer_settings.get(ENABLE_CONNECT_PROTOCOL) == 1
        stream = client.open(
            "CONNECT", "/chat?room=1", (":protocol", "websocket"), ("sec-websocket-version", "13"),
            ("sec-websocket-protocol", "chat"), ("origin", "http://test.local"), ends=False)
        client.wait(lambda: stream.head or stream.done, "the answer")
        assert stream.status == 200
        assert stream.get("sec-websocket-protocol") == "chat"
        assert stream.get("sec-websocket-accept") is None
        for message in (b"\x81\x85hello", os.urandom(100_000)):
            have = len(stream.body)
            client.data(stream.id, message)
            client.wait(lambda: len(stream.body) == have + len(message), "the echo")
            assert stream.body[have:] == message
        client.data(stream.id, b"", ends=True)
        assert client.finish(stream).code in (None, NO_ERROR, CANCEL)
    request = server.requests[0]
    assert (request.target if version == "1.1" else request.path) == "/chat?room=1"
    assert request.get("origin") == "http://test.local"


def test_a_websocket_over_http1_reaches_an_http2_server(run, upstream):
    proxy = run(to("2", upstream(websocket_http2)))
    with proxy.client() as client:
        client.send(
            b"GET /chat HTTP/1.1\r\nHost: test.local\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
            b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n")
        answer = client.interim()
        assert answer.status == 101
        assert answer.get("sec-websocket-accept") == accept_key("dGhlIHNhbXBsZSBub25jZQ==")
        client.send(b"\x81\x85hello")
        while client.reader.buffer != b"\x81\x85hello":
            assert client.reader.fill()
        client.half_close()
        assert client.read_to_end() == b"\x81\x85hello"


def test_a_websocket_that_the_server_declines_is_an_ordinary_answer(run, upstream):
    proxy = run(to("1.1", upstream(answers(response(b"no", status="403 Forbidden"))), listener=EXTENDED))
    with h2_client(proxy) as client:
        stream = client.open(
            "CONNECT", "/chat", (":protocol", "websocket"), ("sec-websocket-version", "13"), ends=False)
        client.finish(stream)
        assert (stream.status, stream.body) == (403, b"no")


def test_extended_connect_that_is_switched_off_is_not_announced(run, upstream):
    proxy = run(to("1.1", upstream(), listener={"http2": {"extended_connect": False}}))
    with h2_client(proxy).ready() as client:
        assert client.peer_settings.get(ENABLE_CONNECT_PROTOCOL, 0) == 0


# HTTP/2 within TLS is chosen by ALPN alone.


@pytest.mark.parametrize("offer, chosen", [
    (["h2", "http/1.1"], "h2"), (["http/1.1", "h2"], "h2"), (["http/1.1"], "http/1.1"), (["h2"], "h2"), ([], None)])
def test_alpn_decides_the_version(mixed, offer, chosen):
    proxy, _ = mixed
    context = client_context(alpn=offer)
    port = proxy.port("nginx-1.1-from-tls")
    with socket.create_connection(("127.0.0.1", port), timeout=DEADLINE) as plain, \
            context.wrap_socket(plain, server_hostname="test.local") as secure:
        assert secure.selected_alpn_protocol() == chosen
        if chosen == "h2":
            assert H2Client(secure).get("/small", scheme="https").body == b"hello from nginx\n"
        else:
            secure.sendall(b"GET /small HTTP/1.1\r\nHost: test.local\r\nConnection: close\r\n\r\n")
            assert secure.recv(100).startswith(b"HTTP/1.1 200 OK\r\n")


def test_an_endpoint_that_does_not_choose_h2_is_an_error_that_says_so(run, upstream, authority):
    certificate = authority.issue("test.local")
    server = upstream(tls=server_context(certificate, alpn=["http/1.1"]))
    proxy = run(to("2", server, service={
        "tls": {"ca": str(authority.certificate), "server_name": "test.local"}}))
    answer = ask(proxy.port(), "2")
    assert answer.status in (502, 503)
    assert answer.get("x-sidecar-reason") in ("tls_failed", "upstream_protocol_error")
    assert "h2" in answer.body.decode() or "HTTP/2" in answer.body.decode()


def test_the_access_log_has_a_line_for_every_stream(run, upstream):
    proxy = run(to("1.1", upstream()))
    with h2_client(proxy) as client:
        streams = [client.open("GET", f"/{number}") for number in range(5)]
        for stream in streams:
            client.finish(stream)
    lines = [proxy.log_line(url__path=f"/{number}") for number in range(5)]
    assert {line[LOG_VERSION] for line in lines} == {"2"}
    assert len({line[names.LOG_REQUEST_ID] for line in lines}) == 5
    proxy.wait_metric(names.REQUESTS, 5, code="200")
    assert proxy.metrics().sum(names.CONNECTIONS) == 1
