"""Whoever is slow holds up only itself: what cannot be passed on is not taken in."""

import socket
import threading
import time

from support.sidecar import gateway, proxy_to
from support.upstream import answers, response
from support.waiting import wait_for

MEBIBYTE = 1 << 20
# What may be on the way: the proxy's buffers and pipe. The kernel's socket buffers are not the process's memory.
MEMORY_GROWTH_BYTES = 2 * MEBIBYTE


def send_until_blocked(sock, block):
    """Sends without anybody reading, until for half a second nothing more is taken; returns the bytes sent."""
    sock.settimeout(0.5)
    sent = 0
    try:
        while sent < 512 * MEBIBYTE:
            sent += sock.send(block)
    except TimeoutError:
        return sent
    raise AssertionError("half a gibibyte was taken in though nobody read it")


def test_an_upload_is_taken_no_faster_than_the_endpoint_reads(run, upstream):
    go = threading.Event()
    total = []

    def script(peer):
        head = peer.head()
        peer.wait(go)
        left = int(head.get("content-length")) - len(peer.reader.buffer)
        while left:
            left -= len(peer.sock.recv(min(left, MEBIBYTE)))
        total.append(int(head.get("content-length")))
        peer.send(response())

    proxy = run(proxy_to(upstream(script)))
    before = proxy.pss()
    size = 64 * MEBIBYTE
    with proxy.client() as client:
        client.send(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n" % size)
        sent = send_until_blocked(client.sock, b"x" * 65536)
        assert sent < size
        assert proxy.pss() - before < MEMORY_GROWTH_BYTES
        go.set()
        client.sock.settimeout(10)
        client.send(b"x" * (size - sent))
        assert client.response().status == 200
    assert total == [size]


def test_a_download_is_read_no_faster_than_the_client_takes_it(run, upstream):
    blocked = threading.Event()
    size = 256 * MEBIBYTE

    def script(peer):
        peer.request()
        peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % size)
        sent = send_until_blocked(peer.sock, b"x" * 65536)
        blocked.set()
        peer.sock.settimeout(10)
        while sent < size:
            part = b"x" * min(65536, size - sent)
            peer.send(part)
            sent += len(part)

    proxy = run(proxy_to(upstream(script)))
    before = proxy.pss()
    with proxy.client() as client:
        client.send(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        assert blocked.wait(20)
        assert proxy.pss() - before < MEMORY_GROWTH_BYTES
        head = client.reader.head()
        left = int(head.get("content-length")) - len(client.reader.buffer)
        while left:
            left -= len(client.sock.recv(min(left, MEBIBYTE)))


def test_answers_to_pipelined_requests_do_not_pile_up(run, nginx):
    proxy = run(proxy_to(nginx))
    before = proxy.pss()
    with proxy.client() as client:
        sent = send_until_blocked(client.sock, b"GET /10k HTTP/1.1\r\nHost: a\r\n\r\n" * 100)
        assert sent > 0
        assert proxy.pss() - before < MEMORY_GROWTH_BYTES
    assert proxy.get("/small").status == 200


def test_ten_thousand_pipelined_requests_are_each_answered(run):
    proxy = run(gateway([{"name": "hello", "respond": {"body": "hi"}}]))
    count = 10_000
    with proxy.client() as client:
        feeder = threading.Thread(
            target=lambda: client.send(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n" * count), daemon=True)
        feeder.start()
        for _ in range(count):
            assert client.response().body == b"hi"
        feeder.join(10)


def test_a_slow_client_holds_up_no_other(run, nginx):
    proxy = run(proxy_to(nginx))
    slow = []
    for _ in range(20):
        sock = socket.socket()
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        sock.connect(("127.0.0.1", proxy.port()))
        sock.sendall(b"GET /10m HTTP/1.1\r\nHost: a\r\n\r\n")
        slow.append(sock)
    with proxy.client() as client:
        for _ in range(50):
            began = time.monotonic()
            assert client.get("/small").status == 200
            assert time.monotonic() - began < 1
    for sock in slow:
        sock.close()
    wait_for(lambda: proxy.get("/small").status == 200, "service to go on")


def test_an_endpoint_that_stops_taking_an_upload_is_response_timeout(run, upstream):
    go = threading.Event()

    def script(peer):
        peer.head()
        peer.wait(go)

    proxy = run(proxy_to(upstream(script), service={"timeouts": {"idle": "300ms"}}))
    with proxy.client() as client:
        client.send(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000000\r\n\r\n")
        received = []

        def feed():
            try:
                while True:
                    client.sock.send(b"x" * 65536)
            except OSError:
                pass

        feeder = threading.Thread(target=feed, daemon=True)
        feeder.start()
        answer = client.response()
        received.append(answer)
        go.set()
    assert (answer.status, answer.reason) == (504, "response_timeout")


def test_a_response_head_that_trickles_does_not_extend_its_time(run, upstream):
    def script(peer):
        peer.request()
        try:
            peer.send(b"HTTP/1.1 200 OK\r\nX-Slow: ")
            while True:
                peer.send(b"x")
                peer.sock.settimeout(0.05)
                try:
                    if not peer.sock.recv(1):
                        return
                except TimeoutError:
                    pass
        except OSError:
            pass

    proxy = run(proxy_to(upstream(script), service={"timeouts": {"response": "300ms"}}))
    began = time.monotonic()
    assert proxy.get("/").reason == "response_timeout"
    assert time.monotonic() - began < 3


def test_ten_thousand_interim_responses_are_passed_on(run, upstream):
    server = upstream(answers(b"HTTP/1.1 102 Processing\r\n\r\n" * 10_000 + response()))
    with run(proxy_to(server)).client() as client:
        client.send(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        for _ in range(10_000):
            assert client.interim().status == 102
        assert client.interim().status == 200


def test_interim_responses_do_not_pile_up_nor_hold_up_others(run, upstream):
    """An endpoint that never stops to send them, and a client that takes none."""

    def script(peer):
        if peer.request().target == "/flood":
            while True:
                peer.send(b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" * 1000)
        peer.send(response())

    proxy = run(proxy_to(upstream(script)))
    with proxy.client() as client:
        client.send(b"GET /flood HTTP/1.1\r\nHost: a\r\n\r\n")
        assert client.interim().status == 103
        deadline = time.monotonic() + 2
        while time.monotonic() < deadline:
            began = time.monotonic()
            assert proxy.get("/").status == 200
            assert time.monotonic() - began < 1
        assert proxy.pss() < 64 << 20
