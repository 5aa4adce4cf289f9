"""What a warm request costs: no heap allocation, few system calls, little memory."""

import mmap
import re
import shutil
import signal
import struct
import subprocess
from functools import partial
from pathlib import Path

import pytest

from support.h2 import H2Client
from support.sidecar import gateway, proxy_to
from support.tls import TLSClient, client_context, secure
from support.waiting import wait_for


@pytest.fixture
def allocations(tmp_path):
    """An environment for the proxy that counts its allocations, and the count's reader."""
    if shutil.which("gcc") is None:
        pytest.skip("gcc is not installed")
    library, counter = tmp_path / "allocations.so", tmp_path / "allocations"
    source = Path(__file__).parent / "support" / "allocations.c"
    subprocess.run(["gcc", "-O2", "-shared", "-fPIC", "-o", library, source], check=True)
    counter.write_bytes(bytes(4096))
    with open(counter, "r+b") as file:
        page = mmap.mmap(file.fileno(), 4096)

    def count():
        return struct.unpack_from("=Q", page)[0]

    return {"LD_PRELOAD": str(library), "ALLOCATIONS_FILE": str(counter)}, count


def exchange(client, request, size, times):
    """Sends the request and reads an answer of this many bytes, over and over."""
    for _ in range(times):
        client.send(request)
        have = 0
        while have < size:
            data = client.sock.recv(65536)
            assert data
            have += len(data)
        assert have == size


def answer_size(client, request):
    client.send(request)
    answer = client.response()
    assert answer.status == 200
    return len(answer.raw_head) + len(answer.raw_body)


REQUESTS = {
    "get": b"GET /small HTTP/1.1\r\nHost: test.local\r\nUser-Agent: cost\r\nAccept: */*\r\n\r\n",
    "ten_kibibytes": b"GET /10k HTTP/1.1\r\nHost: test.local\r\nCookie: a=b\r\n\r\n",
    "routed_and_edited": b"GET /small?edit=yes HTTP/1.1\r\nHost: shop.local:80\r\nX-Kind: one\r\n\r\n",
    "normalised": b"GET /x/..//%73mall HTTP/1.1\r\nHost: test.local\r\n\r\n",
}


def routed(nginx):
    return gateway([
        {"name": "other", "hosts": ["other.local"], "respond": {"body": "no"}},
        {"name": "regex", "location": r"~ \.php$", "respond": {"body": "no"}},
        {"name": "shop", "hosts": ["shop.local"], "location": "/", "methods": ["GET"], "headers": {"X-Kind": "one"},
         "query": {"edit": "yes"}, "service": "app", "request_headers": {"set": {"X-New": "1"}},
         "response_headers": {"add": {"X-Seen": "1"}, "remove": ["Server"]}},
        {"name": "all", "location": "/", "service": "app"},
    ], {"app": nginx})


@pytest.mark.parametrize("name", REQUESTS)
@pytest.mark.parametrize("logged", [False, True], ids=["unlogged", "logged"])
def test_a_warm_request_allocates_nothing(run, nginx, allocations, name, logged):
    environment, count = allocations
    options = {} if logged else {"access_log": None}
    proxy = run({**routed(nginx), **options}, environment=environment)
    with proxy.client() as client:
        size = answer_size(client, REQUESTS[name])
        exchange(client, REQUESTS[name], size, 999)
        before = count()
        assert before > 0, "the counter counts nothing"
        exchange(client, REQUESTS[name], size, 1000)
        assert count() - before == 0


def h2_rounds(client, times, path="/small", size=len("hello from nginx\n")):
    for _ in range(times):
        stream = client.get(path, ("user-agent", "cost"), ("cookie", "a=b"), ("accept", "*/*"))
        assert stream.status == 200 and len(stream.body) == size


@pytest.mark.parametrize("endpoint", ["1.1", "2"])
@pytest.mark.parametrize("path, size", [("/small", 17), ("/10k", 10240)])
def test_a_warm_stream_allocates_nothing(run, nginx, allocations, endpoint, path, size):
    environment, count = allocations
    target = nginx.address if endpoint == "1.1" else f"127.0.0.1:{nginx.http2_port}"
    service = {} if endpoint == "1.1" else {"protocol": "http2"}
    proxy = run(proxy_to(target, service=service), environment=environment)
    with H2Client(proxy.port()) as client:
        h2_rounds(client, 999, path, size)
        before = count()
        assert before > 0, "the counter counts nothing"
        h2_rounds(client, 1000, path, size)
        assert count() - before == 0


@pytest.mark.parametrize("version", ["1.1", "2"])
def test_a_warm_encrypted_request_allocates_nothing_of_ours(run, nginx, allocations, server_certificate, version):
    environment, count = allocations
    proxy = run(secure(nginx, tls=server_certificate.pair), environment=environment)
    alpn = ["http/1.1"] if version == "1.1" else ["h2"]
    with TLSClient(proxy.port(), client_context(alpn=alpn)) as client:
        if version == "1.1":
            size = answer_size(client, REQUESTS["get"])
            rounds = partial(exchange, client, REQUESTS["get"], size)
        else:
            rounds = partial(h2_rounds, H2Client(client.sock))
        rounds(999)
        before = count()
        assert before > 0, "the counter counts nothing"
        rounds(1000)
        assert count() - before == 0


@pytest.mark.skipif(shutil.which("strace") is None, reason="strace is not installed")
def test_a_kept_alive_request_takes_at_most_four_system_calls_and_a_bit(run, nginx, tmp_path):
    proxy = run(proxy_to(nginx, access_log=None))
    clients = [proxy.client() for _ in range(64)]
    request = REQUESTS["get"]
    size = answer_size(clients[0], request)

    def rounds(count):
        for _ in range(count):
            for client in clients:
                client.send(request)
            for client in clients:
                have = 0
                while have < size:
                    have += len(client.sock.recv(65536))

    rounds(10)
    report = tmp_path / "strace"
    tracer = subprocess.Popen(["strace", "-f", "-c", "-o", report, "-p", str(proxy.pid)], stderr=subprocess.DEVNULL)
    tasks = Path(f"/proc/{proxy.pid}/task")

    def traced():
        assert tracer.poll() is None, "strace may not attach here"
        return all("TracerPid:\t0" not in (task / "status").read_text() for task in tasks.iterdir())

    wait_for(traced, "strace to attach")
    rounds(50)
    tracer.send_signal(signal.SIGINT)
    tracer.wait(10)
    text = report.read_text()
    for client in clients:
        client.close()
    calls = {}
    for line in text.splitlines():
        match = re.match(r"^\s*[\d.]+\s+[\d.]+\s+\d+\s+(\d+)\s+(?:\d+\s+)?(\w+)$", line)
        if match and match.group(2) != "total":
            calls[match.group(2)] = int(match.group(1))
    requests = 50 * len(clients)
    assert calls, text
    assert "epoll_ctl" not in calls, text
    assert "getsockopt" not in calls, text
    assert "clock_gettime" not in calls, text
    assert sum(calls.values()) / requests <= 4.3, text


def test_memory_stays_small_after_load(run, nginx):
    proxy = run(proxy_to(nginx))
    clients = [proxy.client() for _ in range(64)]
    for client in clients:
        size = answer_size(client, REQUESTS["get"])
        exchange(client, REQUESTS["get"], size, 50)
    for client in clients:
        client.close()
    # 10 and what the TLS library takes, whose pages count whole where nobody else has it mapped.
    assert proxy.pss() <= 14 * 1024 * 1024
