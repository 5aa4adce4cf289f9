"""TLS on both sides: which certificate, which version, who the client is, what is refused, and what changes while it runs."""

import hashlib
import json
import os
import re
import socket
import ssl
import subprocess
import threading

import pytest

from support import names
from support.certificates import Authority
from support.client import RawClient
from support.h2 import H2Client
from support.nginx import Nginx
from support.ports import free_port
from support.programs import curl, run_program
from support.sidecar import EX_CONFIG, gateway, program, proxy_to
from support.tls import OPENSSL, TLSClient, client_context, s_client, said, server_context
from support.upstream import answers, response, whatever
from support.waiting import DEADLINE, wait_for
from support.wire import Truncated

# The names of this subject that the outside relies on.
HANDSHAKES = "sidecar_tls_handshakes_total"
FAILED = {"result": "failed"}
EXPIRY = "sidecar_tls_certificate_expiry_timestamp_seconds"
RELOADS = "sidecar_tls_reloads_total"
LOG_CLIENT_SUBJECT = "tls.client.subject"
XFCC = "x-forwarded-client-cert"


@pytest.fixture(scope="module")
def server_certificate(authority):
    return authority.issue("test.local", "127.0.0.1")


@pytest.fixture(scope="module")
def plain(shared_upstream):
    return shared_upstream(answers(response(b"ok\n")))


def secure(*endpoints, tls, listener=None, **more):
    """A configuration: one TLS listener to one service."""
    return proxy_to(*endpoints, listener={"tls": tls, **(listener or {})}, **more)


@pytest.fixture(scope="module")
def web(shared_run, plain, server_certificate):
    """One proxy for all that only look at a handshake."""
    return shared_run(secure(plain, tls=server_certificate.pair, workers=2))


def get(proxy, context, path="/", *lines, server_name="test.local", listener="web"):
    """One request on a TLS connection of its own."""
    with TLSClient(proxy.port(listener), context, server_name) as client:
        return client.get(path, *lines)


def peer_of(proxy, context, server_name):
    """The certificate that the server shows for this name."""
    with TLSClient(proxy.port(), context, server_name) as client:
        return client.der


# The handshake.


def test_curl_verifies_the_server_by_its_authority(web, authority):
    port = web.port()
    told = curl("--cacert", authority.certificate, "--resolve", f"test.local:{port}:127.0.0.1",
                f"https://test.local:{port}/", "-w", "%{ssl_verify_result} %{http_version}")
    assert told == b"ok\n0 2"


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3], ids=["1.2", "1.3"])
def test_both_current_versions_are_spoken(web, authority, version):
    with TLSClient(web.port(), client_context(authority, minimum=version, maximum=version)) as client:
        assert client.sock.version() == version.name.replace("_", ".")
        assert client.get().body == b"ok\n"


@pytest.mark.parametrize("option", ["-tls1", "-tls1_1"])
def test_versions_of_old_are_refused_with_an_alert(web, option):
    shown = s_client(web.port(), option, "-cipher", "ALL:@SECLEVEL=0")
    assert re.search("alert protocol version|alert handshake failure", shown), shown


@pytest.mark.parametrize("bounds, refused", [
    ({"min_version": "1.3"}, ssl.TLSVersion.TLSv1_2), ({"max_version": "1.2"}, ssl.TLSVersion.TLSv1_3)])
def test_the_configuration_bounds_the_versions(run, plain, authority, server_certificate, bounds, refused):
    proxy = run(secure(plain, tls={**server_certificate.pair, **bounds}))
    assert get(proxy, client_context(authority)).status == 200
    with pytest.raises(ssl.SSLError):
        get(proxy, client_context(authority, minimum=refused, maximum=refused))


def test_ciphers_and_curves_are_those_of_the_configuration(run, plain, server_certificate):
    proxy = run(secure(plain, tls={
        **server_certificate.pair, "ciphers": ["ECDHE-ECDSA-AES256-GCM-SHA384"],
        "ciphersuites": ["TLS_CHACHA20_POLY1305_SHA256"], "curves": ["P-384"]}))
    shown = s_client(proxy.port(), "-tls1_2")
    assert said(shown, r"Cipher is (\S+)") == "ECDHE-ECDSA-AES256-GCM-SHA384"
    shown = s_client(proxy.port(), "-tls1_3")
    assert said(shown, r"Cipher is (\S+)") == "TLS_CHACHA20_POLY1305_SHA256"
    assert "P-384" in said(shown, r"Server Temp Key: (.*)")
    assert "handshake failure" in s_client(proxy.port(), "-tls1_2", "-cipher", "ECDHE-ECDSA-AES128-GCM-SHA256")
    assert "handshake failure" in s_client(proxy.port(), "-tls1_3", "-curves", "X25519")


def test_renegotiation_is_refused(web):
    shown = s_client(web.port(), "-tls1_2", send=b"R\n")
    assert re.search("no renegotiation|unexpected message|wrong version|handshake failure", shown), shown
    assert "Secure Renegotiation IS supported" in shown


def test_the_endpoint_hears_that_the_client_came_by_https(run, upstream, server_certificate):
    server = upstream()
    proxy = run(secure(server, tls=server_certificate.pair))
    get(proxy, client_context())
    assert server.requests[0].get("x-forwarded-proto") == "https"


# Which certificate.


@pytest.fixture(scope="module")
def by_name(shared_run, plain, authority):
    """A proxy with certificates of several names, the default first, and one name with both kinds of key."""
    certificates = {
        "default": authority.issue("default.local"),
        "exact": authority.issue("a.shop.local"),
        "wildcard": authority.issue("*.shop.local"),
        "rsa": authority.issue("both.local", kind="rsa"),
        "ecdsa": authority.issue("both.local", kind="ecdsa"),
    }
    tls = {"certificates": [one.pair for one in certificates.values()]}
    return shared_run(secure(plain, tls=tls)), certificates


@pytest.mark.parametrize("asked, chosen", [
    ("default.local", "default"), ("a.shop.local", "exact"), ("A.Shop.LOCAL", "exact"), ("b.shop.local", "wildcard"),
    ("a.b.shop.local", "default"), ("shop.local", "default"), ("other.local", "default"), (None, "default")])
def test_the_name_that_the_client_asks_for_chooses_the_certificate(by_name, asked, chosen):
    proxy, certificates = by_name
    assert peer_of(proxy, client_context(), asked) == certificates[chosen].der


@pytest.mark.parametrize("algorithm, kind", [("RSA-PSS+SHA256", "rsa"), ("ECDSA+SHA256", "ecdsa")])
@pytest.mark.parametrize("version", ["-tls1_2", "-tls1_3"])
def test_the_clients_signature_algorithms_choose_the_kind_of_key(by_name, version, algorithm, kind):
    proxy, certificates = by_name
    shown = s_client(proxy.port(), version, "-servername", "both.local", "-sigalgs", algorithm)
    pem = said(shown, r"(?s)(-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----)")
    assert ssl.PEM_cert_to_DER_cert(pem) == certificates[kind].der


def test_who_can_use_both_kinds_gets_ecdsa(by_name):
    proxy, certificates = by_name
    assert peer_of(proxy, client_context(), "both.local") == certificates["ecdsa"].der


def test_the_expiry_of_every_certificate_is_a_metric(by_name):
    proxy, certificates = by_name
    values = sorted(value for _, value in proxy.metrics().of(EXPIRY))
    assert values == sorted(float(one.expires) for one in certificates.values())


# Resumption.


@pytest.mark.parametrize("version", ["-tls1_2", "-tls1_3"])
def test_a_session_resumes_on_every_worker(web, tmp_path, version):
    """Each connection is a worker's by the kernel's choice: with two, ten in a row meet both, but once in a thousand."""
    session = tmp_path / "session"
    ask = b"GET / HTTP/1.1\r\nHost: test.local\r\nConnection: close\r\n\r\n"
    first = s_client(web.port(), version, "-sess_out", session, "-ign_eof", send=ask)
    assert "New, TLS" in first
    for _ in range(10):
        assert "Reused, TLS" in s_client(web.port(), version, "-sess_in", session, "-ign_eof", send=ask)


def test_without_tickets_every_handshake_is_whole(run, plain, server_certificate, tmp_path):
    proxy = run(secure(plain, tls={**server_certificate.pair, "session_tickets": False}))
    session = tmp_path / "session"
    ask = b"GET / HTTP/1.1\r\nHost: test.local\r\nConnection: close\r\n\r\n"
    assert "TLS session ticket:" not in s_client(proxy.port(), "-tls1_2", "-sess_out", session, "-ign_eof", send=ask)
    # Whatever was kept is of no use; without a session's name there is nothing to keep.
    if session.exists():
        assert "New, TLS" in s_client(proxy.port(), "-tls1_2", "-sess_in", session, "-ign_eof", send=ask)
    assert "TLS session ticket:" not in s_client(proxy.port(), "-tls1_3", "-ign_eof", send=ask)


def test_the_proxy_resumes_its_sessions_with_an_endpoint(run, upstream, authority, server_certificate):
    reused = []

    def script(peer):
        reused.append(peer.sock.session_reused)
        peer.request()
        peer.send(response(b"ok", "Connection: close"))

    context = server_context(server_certificate, maximum=ssl.TLSVersion.TLSv1_2)
    proxy = run(proxy_to(upstream(script, tls=context), service=verified(authority)))
    for _ in range(3):
        assert proxy.get("/").status == 200
    assert reused == [False, True, True]


# Who the client is.


@pytest.fixture(scope="module")
def people(authority):
    return {
        "alice": authority.issue("alice.local", "spiffe://story/alice", common_name="alice"),
        "bob": authority.issue("bob.local", common_name="bob"),
        "revoked": authority.issue("mallory.local", common_name="mallory"),
        "expired": authority.issue("late.local", days=-0.5, begins=-2),
    }


@pytest.fixture(scope="module")
def strangers(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("strangers"), "Another Authority")


@pytest.fixture(scope="module")
def mutual(shared_run, shared_upstream, authority, server_certificate, people):
    """Two listeners, one that demands a certificate, one that takes it if there is one; its routes look at it."""
    server = shared_upstream(answers(response(b"app")))
    crl = authority.revocation_list(people["revoked"])
    tls = {**server_certificate.pair, "client_ca": str(authority.certificate), "client_crl": str(crl)}
    configuration = gateway(
        [
            {"name": "of-alice", "location": "/who", "client_certificate": {"san": "spiffe://story/alice"},
             "respond": {"body": "alice\n"}},
            {"name": "of-bob", "location": "/who", "client_certificate": {"subject": "CN=bob,O=Story"},
             "respond": {"body": "bob\n"}},
            {"name": "of-others", "location": "/who", "respond": {"body": "somebody\n"}},
            {"name": "app", "location": "/", "service": "app"},
        ], {"app": server})
    configuration["listeners"] = [
        {"name": auth, "address": f"127.0.0.1:{free_port()}", "tls": {**tls, "client_auth": auth},
         "forwarded": {"client_certificate": True}}
        for auth in ("required", "optional")]
    return shared_run(configuration), server


def refused_handshake(proxy, context, listener):
    """With TLS 1.3 a client hears of it only when it reads."""
    with pytest.raises((ssl.SSLError, ConnectionError)) as caught:
        with TLSClient(proxy.port(listener), context) as client:
            client.send(b"GET / HTTP/1.1\r\nHost: test.local\r\n\r\n")
            assert client.sock.recv(1) == b""
            raise ConnectionError("closed")
    return caught.value


def test_without_a_certificate_a_listener_that_requires_one_refuses(mutual):
    proxy, _ = mutual
    refused_handshake(proxy, client_context(), "required")
    assert get(proxy, client_context(), listener="optional").status == 200


@pytest.mark.parametrize("listener", ["required", "optional"])
@pytest.mark.parametrize("who", ["revoked", "expired", "stranger"])
def test_a_certificate_that_does_not_hold_is_refused(mutual, people, strangers, listener, who):
    proxy, _ = mutual
    certificate = strangers.issue("stranger.local") if who == "stranger" else people[who]
    error = refused_handshake(proxy, client_context(certificate=certificate), listener)
    alert = {"revoked": "revoked", "expired": "expired", "stranger": "unknown.ca|unknown_ca"}[who]
    assert isinstance(error, ConnectionError) or re.search(alert, str(error), re.I), error
    wait_for(lambda: proxy.metrics().sum(HANDSHAKES, **FAILED) > 0, "the failure to be counted")


@pytest.mark.parametrize("listener", ["required", "optional"])
def test_the_endpoint_and_the_log_hear_who_the_client_is(mutual, people, listener):
    proxy, server = mutual
    alice = people["alice"]
    path = f"/told-{listener}"
    assert get(proxy, client_context(certificate=alice), path, f"{XFCC}: Subject=\"CN=admin\"",
               listener=listener).status == 200
    request = next(one for one in server.requests if one.target == path)
    value = request.get(XFCC)
    assert f"Hash={alice.fingerprint}" in value
    assert "CN=alice" in said(value, r'Subject="([^"]*)"')
    assert "URI=spiffe://story/alice" in value
    assert "DNS=alice.local" in value
    assert "admin" not in value
    assert "CN=alice" in proxy.log_line(url__path=path)[LOG_CLIENT_SUBJECT]


def test_nobody_can_claim_to_have_shown_a_certificate(mutual, upstream, run):
    proxy, server = mutual
    get(proxy, client_context(), "/claims", f"{XFCC}: Subject=\"CN=alice\"", listener="optional")
    request = next(one for one in server.requests if one.target == "/claims")
    assert request.get(XFCC) is None


@pytest.mark.parametrize("who, body", [("alice", b"alice\n"), ("bob", b"bob\n"), (None, b"somebody\n")])
def test_a_route_can_ask_for_a_clients_certificate(mutual, people, who, body):
    proxy, _ = mutual
    context = client_context(certificate=people[who] if who else None)
    assert get(proxy, context, "/who", listener="optional").body == body


def test_the_identity_is_that_of_the_connection_in_http2_too(mutual, people):
    proxy, _ = mutual
    context = client_context(certificate=people["alice"], alpn=["h2"])
    with TLSClient(proxy.port("required"), context) as outer, H2Client(outer.sock) as client:
        assert client.get("/who", scheme="https").body == b"alice\n"


# TLS to endpoints.


def verified(authority, **more):
    return {"tls": {"ca": str(authority.certificate), "server_name": "test.local", **more}}


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


# Certificates that change.


def test_new_files_serve_new_connections_and_keep_the_old(run, plain, authority):
    certificate, successor = authority.issue("test.local"), authority.issue("test.local", days=20)
    before = certificate.der
    proxy = run(secure(plain, tls=certificate.pair))
    with TLSClient(proxy.port(), client_context(authority)) as old:
        assert old.get().status == 200
        certificate.replace(successor)
        proxy.admin("/reload", "POST")
        wait_for(lambda: peer_of(proxy, client_context(authority), "test.local") == successor.der, "the new one")
        assert old.der == before
        assert old.get().status == 200
    wait_for(lambda: [value for _, value in proxy.metrics().of(EXPIRY)] == [float(successor.expires)], "its expiry")


def test_changed_files_are_noticed_without_being_told(run, plain, authority):
    certificate, successor = authority.issue("test.local"), authority.issue("test.local")
    proxy = run(secure(plain, tls=certificate.pair))
    certificate.replace(successor)
    wait_for(lambda: peer_of(proxy, client_context(authority), "test.local") == successor.der, "the new certificate")


def test_a_bad_new_file_keeps_the_old_one_and_says_why(run, plain, authority):
    certificate = authority.issue("test.local")
    proxy = run(secure(plain, tls=certificate.pair))
    certificate.certificate.write_text("-----BEGIN CERTIFICATE-----\nrubbish\n-----END CERTIFICATE-----\n")
    wait_for(lambda: proxy.metrics().sum(RELOADS, **FAILED) > 0, "the failure to be counted")
    assert str(certificate.certificate) in proxy.errors()
    assert str(certificate.certificate) in proxy.admin("/config")[2]
    assert peer_of(proxy, client_context(authority), "test.local") == certificate.der


def test_a_key_that_does_not_belong_to_its_certificate_keeps_the_old_one(run, plain, authority):
    certificate, other = authority.issue("test.local"), authority.issue("test.local")
    proxy = run(secure(plain, tls=certificate.pair))
    certificate.key.write_bytes(other.key.read_bytes())
    wait_for(lambda: proxy.metrics().sum(RELOADS, **FAILED) > 0, "the failure to be counted")
    assert get(proxy, client_context(authority)).status == 200
    certificate.certificate.write_bytes(other.certificate.read_bytes())
    wait_for(lambda: peer_of(proxy, client_context(authority), "test.local") == other.der, "the pair that is whole")


@pytest.mark.parametrize("what", ["missing", "rubbish", "mismatch"])
def test_a_bad_file_at_the_start_is_a_bad_configuration(authority, tmp_path, what):
    certificate, other = authority.issue("test.local"), authority.issue("test.local")
    if what == "missing":
        certificate.key.unlink()
    elif what == "rubbish":
        certificate.certificate.write_text("rubbish")
    else:
        certificate.key.write_bytes(other.key.read_bytes())
    file = tmp_path / "sidecar.yaml"
    configuration = secure("127.0.0.1:1", tls=certificate.pair, admin={"address": f"127.0.0.1:{free_port()}"})
    file.write_text(json.dumps(configuration))
    done = program("run", "--config", file)
    assert done.returncode == EX_CONFIG, done.stderr
    assert str(certificate.key if what == "missing" else certificate.certificate.parent) in done.stderr


def test_keys_are_never_shown(run, plain, server_certificate):
    proxy = run(secure(plain, tls=server_certificate.pair))
    assert "PRIVATE" not in proxy.admin("/config")[2]


# What is not a handshake.


def test_a_handshake_that_does_not_go_on_is_ended(run, plain, server_certificate):
    proxy = run(secure(plain, tls={**server_certificate.pair, "handshake_timeout": "300ms"}))
    for start in (b"", b"\x16", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"):
        with RawClient(proxy.port()) as client:
            client.send(start)
            client.read_to_end()
    wait_for(lambda: proxy.metrics().sum(HANDSHAKES, **FAILED) >= 3, "the failures to be counted")


def test_many_slow_handshakes_keep_nobody_waiting(web, authority):
    stuck = [RawClient(web.port()) for _ in range(200)]
    for client in stuck:
        client.send(b"\x16\x03\x01\x02")
    assert get(web, client_context(authority)).status == 200
    for client in stuck:
        client.close()


def test_plain_http_to_a_tls_port_is_told_so(web):
    with RawClient(web.port()) as client:
        client.send(b"GET / HTTP/1.1\r\nHost: test.local\r\n\r\n")
        data = client.read_to_end()
    # Either words that an HTTP client can show, or the alert that says "this is TLS".
    assert data.startswith((b"HTTP/1.1 400 ", b"\x15\x03")), data[:100]


def test_tls_to_a_plain_port_fails_at_once(run, plain):
    proxy = run(proxy_to(plain))
    with pytest.raises((ssl.SSLError, ConnectionError)):
        get(proxy, client_context())
    assert proxy.get("/").status == 200


def test_noise_instead_of_a_handshake_harms_nobody(web, authority):
    for seed in range(50):
        with RawClient(web.port()) as client:
            client.send(b"\x16\x03\x01" + hashlib.sha512(b"%d" % seed).digest() * 4)
            client.half_close()
            client.read_to_end()
    assert get(web, client_context(authority)).status == 200


def test_handshakes_are_counted(run, plain, server_certificate):
    proxy = run(secure(plain, tls=server_certificate.pair))
    for _ in range(3):
        get(proxy, client_context())
    proxy.wait_metric(HANDSHAKES, 3, result="full")


def test_half_a_connection_more_or_less_leaves_no_socket(run, plain, server_certificate, authority):
    proxy = run(secure(plain, tls=server_certificate.pair))
    assert get(proxy, client_context(authority)).status == 200
    before = proxy.sockets()
    for how in ("close", "reset"):
        for stage in range(3):
            if stage == 2:
                client = TLSClient(proxy.port(), client_context(authority))
                client.send(b"GET / HT")
            else:
                client = RawClient(proxy.port())
                client.send(b"\x16\x03\x01"[:stage * 3])
            getattr(client, how)()
    wait_for(lambda: proxy.sockets() <= before, "the connections to be gone")


def test_h2load_by_tls_with_new_connections_sees_no_error(web):
    done = run_program("h2load", "--h1", "-n", "2000", "-c", "50", f"https://127.0.0.1:{web.port()}/").decode()
    assert "2000 succeeded, 0 failed, 0 errored" in done


# TLS that passes through unopened.


@pytest.fixture(scope="module")
def passthrough(shared_run, shared_upstream, authority):
    certificates = {name: authority.issue(f"{name}.local") for name in ("one", "two")}
    servers = {
        name: shared_upstream(answers(response(name.encode())), tls=server_context(certificate, alpn=["http/1.1"]))
        for name, certificate in certificates.items()}
    configuration = gateway(
        [{"name": name, "hosts": [f"{name}.local"], "service": name} for name in servers],
        servers, listener={"protocol": "tls_passthrough"})
    for service in configuration["services"]:
        service["protocol"] = "tcp"
    return shared_run(configuration), certificates


@pytest.mark.parametrize("name", ["one", "two"])
def test_the_name_alone_chooses_the_server_and_tls_is_its_own(passthrough, authority, name):
    proxy, certificates = passthrough
    context = client_context(authority, alpn=["http/1.1"])
    with TLSClient(proxy.port(), context, f"{name}.local") as client:
        assert client.der == certificates[name].der
        assert client.sock.selected_alpn_protocol() == "http/1.1"
        assert client.get(host=f"{name}.local").body == name.encode()


@pytest.mark.parametrize("server_name", ["three.local", None])
def test_an_unknown_name_is_refused_with_an_alert_or_a_close(passthrough, server_name):
    proxy, _ = passthrough
    with pytest.raises((ssl.SSLError, ConnectionError)):
        TLSClient(proxy.port(), client_context(), server_name)


def test_a_hello_in_pieces_is_understood(passthrough, authority):
    proxy, _ = passthrough
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    secure_end = client_context(authority).wrap_bio(incoming, outgoing, server_hostname="two.local")
    with pytest.raises(ssl.SSLWantReadError):
        secure_end.do_handshake()
    with RawClient(proxy.port()) as client:
        for byte in outgoing.read():
            client.send(bytes([byte]))
        while True:
            try:
                secure_end.do_handshake()
                break
            except ssl.SSLWantReadError:
                client.send(outgoing.read())
                incoming.write(client.sock.recv(65536))
    assert secure_end.getpeercert()["subjectAltName"] == (("DNS", "two.local"),)


def test_what_is_not_tls_is_closed(passthrough):
    proxy, _ = passthrough
    with RawClient(proxy.port()) as client:
        client.send(b"GET / HTTP/1.1\r\nHost: one.local\r\n\r\n")
        client.read_to_end()


def test_an_upload_in_both_directions_passes_through_whole(passthrough, authority, tmp_path):
    proxy, _ = passthrough
    with TLSClient(proxy.port(), client_context(authority), "one.local") as client:
        for _ in range(20):
            assert client.request("POST", "/", host="one.local", body=os.urandom(100_000)).body == b"one"


def test_threads_of_clients_shake_hands_at_once(web, authority):
    context, bodies = client_context(authority), []

    def client():
        for _ in range(5):
            bodies.append(get(web, context).body)

    threads = [threading.Thread(target=client) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(DEADLINE)
    assert bodies == [b"ok\n"] * 40


def test_openssl_itself_says_the_chain_is_verified(web, authority):
    done = subprocess.run(
        [OPENSSL, "s_client", "-connect", f"127.0.0.1:{web.port()}", "-servername", "test.local", "-CAfile",
         str(authority.certificate), "-verify_return_error", "-verify_hostname", "test.local"],
        input=b"", capture_output=True, timeout=10, check=False)
    assert b"Verify return code: 0 (ok)" in done.stdout
