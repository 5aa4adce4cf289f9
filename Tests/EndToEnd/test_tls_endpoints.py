"""TLS with endpoints: whom the proxy trusts, what it shows, and what it says when an endpoint does not hold."""

import hashlib
import json
import os
import re
import socket
import ssl

import pytest

from support import names
from support.nginx import Nginx
from support.ports import free_port
from support.sidecar import proxy_to
from support.tls import TLSClient, client_context, secure, server_context, verified
from support.upstream import response, whatever
from support.wire import Truncated


@pytest.fixture(scope="module")
def nginx_tls(authority, strangers, server_certificate, tmp_path_factory):
    """An nginx with a port for each kind of server."""
    ports = {}
    servers = []

    def server(name, certificate, more="", versions="ssl_protocols TLSv1.2 TLSv1.3;"):
        ports[name] = free_port()
        servers.append(f"""
            server {{
                listen 127.0.0.1:{ports[name]} ssl;
                {versions}
                ssl_certificate {certificate.certificate}; ssl_certificate_key {certificate.key};
                {more}
                location / {{ return 200 "$ssl_protocol sni=$ssl_server_name client=$ssl_client_s_dn\\n"; }}
            }}""")

    server("good", server_certificate)
    server("expired", authority.issue("test.local", days=-0.5, begins=-2))
    server("not_yet", authority.issue("test.local", begins=1))
    server("bad_name", authority.issue("other.local"))
    server("bad_ca", strangers.issue("test.local"))
    server("old", server_certificate, versions="ssl_protocols TLSv1.2;")
    server("mutual", server_certificate, f"ssl_verify_client on; ssl_client_certificate {authority.certificate};")
    nginx = Nginx(tmp_path_factory.mktemp("nginx-tls"), servers="\n".join(servers))
    nginx.addresses = {name: f"127.0.0.1:{port}" for name, port in ports.items()}
    yield nginx
    nginx.close()


def test_an_endpoint_that_holds_is_asked_by_its_name(run, nginx_tls, authority):
    proxy = run(proxy_to(nginx_tls.addresses["good"], service=verified(authority)))
    assert proxy.get("/").body == b"TLSv1.3 sni=test.local client=\n"


def test_an_address_is_verified_as_one_and_sent_as_no_name(run, nginx_tls, authority):
    proxy = run(proxy_to(nginx_tls.addresses["good"], service={"tls": {"ca": str(authority.certificate)}}))
    assert proxy.get("/").body == b"TLSv1.3 sni= client=\n"


@pytest.mark.parametrize("server, cause", [
    ("expired", "expired"), ("not_yet", "not yet valid|not_yet_valid"), ("bad_name", "name|host"),
    ("bad_ca", "issuer|unknown_ca|unknown ca|authority")])
def test_an_endpoint_that_does_not_hold_is_tls_failed_with_its_cause(run, nginx_tls, authority, server, cause):
    address = nginx_tls.addresses[server]
    proxy = run(proxy_to(address, service=verified(authority)))
    answer = proxy.get("/refused")
    assert (answer.status, answer.reason) == (503, "tls_failed")
    problem = json.loads(answer.body)
    assert problem["reason"] == "tls_failed"
    told = json.dumps(problem)
    assert re.search(cause, told, re.I), told
    assert address in told
    assert proxy.log_line(url__path="/refused")[names.LOG_REASON] == "tls_failed"
    proxy.wait_metric(names.REQUESTS, 1, reason="tls_failed", code="503")


def test_the_systems_authorities_do_not_vouch_for_a_tests(run, nginx_tls):
    proxy = run(proxy_to(nginx_tls.addresses["good"], service={"tls": {"server_name": "test.local"}}))
    assert proxy.get("/").reason == "tls_failed"


def test_a_plain_endpoint_is_tls_failed_when_tls_was_asked_for(run, upstream, authority):
    answer = run(proxy_to(upstream(whatever(response())), service=verified(authority))).get("/")
    assert (answer.status, answer.reason) == (503, "tls_failed")


@pytest.mark.parametrize("server", ["expired", "bad_name", "bad_ca"])
def test_verification_can_be_switched_off(run, nginx_tls, server):
    proxy = run(proxy_to(nginx_tls.addresses[server], service={"tls": {"insecure_skip_verify": True}}))
    assert proxy.get("/").status == 200


def test_an_endpoint_hears_the_proxys_certificate(run, nginx_tls, authority, people):
    proxy = run(proxy_to(nginx_tls.addresses["mutual"], service=verified(authority, **people["alice"].pair)))
    assert b"client=CN=alice,O=Story" in proxy.get("/").body
    bare = run(proxy_to(nginx_tls.addresses["mutual"], service=verified(authority)))
    assert bare.get("/").status == 400


def test_the_services_version_bounds_hold(run, nginx_tls, authority):
    address = nginx_tls.addresses["old"]
    assert run(proxy_to(address, service=verified(authority))).get("/").body.startswith(b"TLSv1.2 ")
    answer = run(proxy_to(address, service=verified(authority, min_version="1.3"))).get("/")
    assert (answer.status, answer.reason) == (503, "tls_failed")


def test_a_tls_endpoint_that_fails_is_left_for_one_that_holds(run, nginx_tls, authority):
    addresses = [nginx_tls.addresses["expired"], nginx_tls.addresses["good"]]
    proxy = run(proxy_to(*addresses, service=verified(authority)))
    assert [proxy.get("/").status for _ in range(4)] == [200] * 4


def test_large_bodies_pass_through_tls_on_both_sides(run, authority, server_certificate, upstream):
    data = os.urandom(3_000_000)
    seen = []

    def script(peer):
        while (message := peer.request()) is not None:
            seen.append(hashlib.sha256(message.body).digest())
            peer.send(response(message.body))

    proxy = run(secure(
        upstream(script, tls=server_context(server_certificate)), tls=server_certificate.pair,
        service=verified(authority)))
    with TLSClient(proxy.port(), client_context(authority)) as client:
        answer = client.request("POST", "/", body=data)
    assert answer.body == data
    assert seen == [hashlib.sha256(data).digest()]


@pytest.mark.parametrize("head", [b"Content-Length: 100\r\n", b"", b"Transfer-Encoding: chunked\r\n"],
                         ids=["counted", "until-close", "chunked"])
def test_a_server_that_ends_without_close_notify_has_not_ended_its_body(run, upstream, authority, server_certificate,
                                                                      head):
    """RFC 9112 §9.8: whoever cuts the connection could cut a body unseen."""

    def script(peer):
        peer.request()
        peer.send(b"HTTP/1.1 200 OK\r\n%b\r\n4\r\nhalf\r\n" % head)
        # `close` would send close_notify no more than this does, but `unwrap` would.
        peer.sock.shutdown(socket.SHUT_RDWR)

    proxy = run(proxy_to(upstream(script, tls=server_context(server_certificate)), service=verified(authority)))
    with proxy.client() as client:
        client.send(b"GET /cut HTTP/1.1\r\nHost: a\r\n\r\n")
        with pytest.raises((Truncated, ConnectionError)):
            client.response()
    assert proxy.log_line(url__path="/cut")[names.LOG_REASON] in ("upstream_closed", "upstream_reset")


def test_the_proxy_resumes_its_sessions_with_an_endpoint(run, upstream, authority, server_certificate):
    reused = []

    def script(peer):
        reused.append(peer.sock.session_reused)
        peer.request()
        peer.send(response(b"ok", "Connection: close"))
        # With close_notify: a session that ended in any other way is not to be resumed.
        peer.sock.unwrap()

    context = server_context(server_certificate, maximum=ssl.TLSVersion.TLSv1_2)
    proxy = run(proxy_to(upstream(script, tls=context), service=verified(authority)))
    for _ in range(3):
        assert proxy.get("/").status == 200
    assert reused == [False, True, True]
