"""TLS clients and servers on Python's own `ssl`, and OpenSSL's program for what Python cannot do."""

import re
import shutil
import ssl
import subprocess

from .client import RawClient
from .sidecar import proxy_to
from .wire import Reader

OPENSSL = shutil.which("openssl")


def client_context(authority=None, certificate=None, alpn=None, minimum=None, maximum=None, ciphers=None):
    """What a client demands: a chain up to `authority`; without one it looks at nothing."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    if authority is None:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    else:
        context.load_verify_locations(authority.certificate)
    if certificate is not None:
        context.load_cert_chain(certificate.certificate, certificate.key)
    if alpn:
        context.set_alpn_protocols(alpn)
    if minimum:
        context.minimum_version = minimum
    if maximum:
        context.maximum_version = maximum
    if ciphers:
        context.set_ciphers(ciphers)
    return context


def server_context(certificate, alpn=None, client_authority=None, maximum=None):
    """A server with one certificate; with `client_authority` it demands a client's."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate.certificate, certificate.key)
    if alpn:
        context.set_alpn_protocols(alpn)
    if client_authority is not None:
        context.load_verify_locations(client_authority.certificate)
        context.verify_mode = ssl.CERT_REQUIRED
    if maximum:
        context.maximum_version = maximum
    return context


class TLSClient(RawClient):
    """A `RawClient` whose bytes go through TLS. Fails as `ssl` does when the handshake does."""

    def __init__(self, port, context, server_name="test.local", session=None, **options):
        super().__init__(port, **options)
        try:
            self.sock = context.wrap_socket(self.sock, server_hostname=server_name, session=session)
        except BaseException:
            self.sock.close()
            raise
        self.reader = Reader(self.sock)

    @property
    def der(self):
        """The server's certificate."""
        return self.sock.getpeercert(binary_form=True)


def s_client(port, *options, send=b"", timeout=10):
    """What `openssl s_client` says about a connection, until the server ends it or standard input does."""
    done = subprocess.run(
        [OPENSSL, "s_client", "-connect", f"127.0.0.1:{port}", *map(str, options)], input=send, capture_output=True,
        timeout=timeout, check=False)
    return (done.stdout + done.stderr).decode(errors="replace")


def said(text, pattern):
    """The first group of a pattern in what a program said; fails when it is not there."""
    found = re.search(pattern, text, re.M)
    assert found, f"no {pattern!r} in:\n{text}"
    return found.group(1)


def secure(*endpoints, tls, listener=None, **more):
    """A configuration: one TLS listener to one service."""
    return proxy_to(*endpoints, listener={"tls": tls, **(listener or {})}, **more)


def verified(authority, **more):
    """A service's keys: its endpoints are verified, as `test.local`."""
    return {"tls": {"ca": str(authority.certificate), "server_name": "test.local", **more}}


def get(proxy, context, path="/", *lines, server_name="test.local", listener="web"):
    """One request on a TLS connection of its own."""
    with TLSClient(proxy.port(listener), context, server_name) as client:
        return client.get(path, *lines)


def peer_of(proxy, context, server_name):
    """The certificate that the server shows for this name."""
    with TLSClient(proxy.port(), context, server_name) as client:
        return client.der
