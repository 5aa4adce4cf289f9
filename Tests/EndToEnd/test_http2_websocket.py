"""WebSocket over HTTP/2 (RFC 8441) on either side."""

import base64
import hashlib
import os

import pytest

from support.h2 import CANCEL, ENABLE_CONNECT_PROTOCOL, NO_ERROR, H2Server, h2_answers
from support.http2 import h2_client, to
from support.mix import VERSIONS
from support.upstream import answers, response


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


def open_websocket(client):
    return client.open("CONNECT", "/chat", (":protocol", "websocket"), ("sec-websocket-version", "13"), ends=False)


def test_an_endpoint_without_extended_connect_is_not_asked_for_it(run, upstream):
    server = upstream(h2_answers())
    proxy = run(to("2", server, listener=EXTENDED))
    with h2_client(proxy).ready() as client:
        # Once before the endpoint has spoken, and once when it is known.
        for _ in range(2):
            answer = client.finish(open_websocket(client))
            assert (answer.status, answer.reason) == (502, "upstream_protocol_error")
        assert client.get().status == 200
    assert [request.method for request in server.requests] == ["GET"]


def test_an_endpoint_that_never_says_whether_it_has_extended_connect_is_not_waited_for(run, upstream):
    proxy = run(to("2", upstream(lambda peer: peer.wait_closed()), listener=EXTENDED, service={"timeouts": {"connect": "200ms"}}))
    with h2_client(proxy).ready() as client:
        answer = client.finish(open_websocket(client))
        assert (answer.status, answer.reason) == (504, "response_timeout")
