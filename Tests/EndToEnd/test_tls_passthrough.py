"""TLS that passes through unopened, by the name alone."""

import os
import ssl

import pytest

from support.client import RawClient
from support.sidecar import gateway
from support.tls import TLSClient, client_context, server_context
from support.upstream import answers, response


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
