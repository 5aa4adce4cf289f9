"""Clients' certificates: which are taken, and who hears of them."""

import re
import ssl

import pytest

from support.h2 import H2Client
from support.ports import free_port
from support.sidecar import gateway
from support.tls import TLSClient, client_context, get, said
from support.upstream import answers, response
from support.waiting import wait_for

# The names of this subject that the outside relies on.
HANDSHAKES = "sidecar_tls_handshakes_total"
FAILED = {"result": "failed"}
LOG_CLIENT_SUBJECT = "tls.client.subject"
XFCC = "x-forwarded-client-cert"


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
