"""HTTP/2 on both sides: clients and servers that others wrote, and the four mixes with HTTP/1.1."""

import hashlib
import os
import re
import socket

import httpx
import pytest

from support import names
from support.h2 import H2Client, Stream, settings
from support.http2 import h2_client, to
from support.mix import VERSIONS, Part, ask, origin
from support.nginx import FILES
from support.ports import free_port
from support.programs import Nghttpd, curl, run_program
from support.tls import client_context, server_context
from support.waiting import DEADLINE

LOG_VERSION = "network.protocol.version"


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
    # nginx sends no 100 (Continue) in HTTP/2, and curl waits a second for it.
    code = curl("-T", str(tmp_path / "data"), "-H", "Expect:", *reach(proxy, client, server, f"/uploads/{name}"),
                "-w", "%{http_code}")
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
