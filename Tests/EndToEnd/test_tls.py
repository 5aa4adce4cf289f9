"""TLS with clients: versions, which certificate, resumption, certificates that change, and what is no handshake."""

import hashlib
import json
import re
import ssl
import subprocess
import threading

import pytest

from support.client import RawClient
from support.ports import free_port
from support.programs import curl, run_program
from support.sidecar import EX_CONFIG, program, proxy_to
from support.tls import OPENSSL, TLSClient, client_context, get, peer_of, s_client, said, secure
from support.waiting import DEADLINE, wait_for

# The names of this subject that the outside relies on.
HANDSHAKES = "sidecar_tls_handshakes_total"
FAILED = {"result": "failed"}
EXPIRY = "sidecar_tls_certificate_expiry_timestamp_seconds"
RELOADS = "sidecar_tls_reloads_total"


@pytest.fixture(scope="module")
def web(shared_run, plain, server_certificate):
    """One proxy for all that only look at a handshake."""
    return shared_run(secure(plain, tls=server_certificate.pair, workers=2))


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
    assert re.search("P-384|secp384r1", said(shown, r"Server Temp Key: (.*)"))
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
    """The kernel chooses the worker of each connection: of two, ten in a row meet both, but for once in 500 times."""
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
    wait_for(lambda: proxy.metrics().sum(RELOADS, result="failed") > 0, "the failure to be counted")
    assert str(certificate.certificate) in proxy.errors()
    assert str(certificate.certificate) in proxy.admin("/config")[2]
    assert peer_of(proxy, client_context(authority), "test.local") == certificate.der


def test_a_key_that_does_not_belong_to_its_certificate_keeps_the_old_one(run, plain, authority):
    certificate, other = authority.issue("test.local"), authority.issue("test.local")
    proxy = run(secure(plain, tls=certificate.pair))
    certificate.key.write_bytes(other.key.read_bytes())
    wait_for(lambda: proxy.metrics().sum(RELOADS, result="failed") > 0, "the failure to be counted")
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
