"""curl through the proxy to nginx, and to scripted upstreams where nginx cannot be made to behave so."""

import hashlib
import random
import subprocess

import pytest

from support.nginx import FILES
from support.sidecar import proxy_to
from support.upstream import answers, response


def curl(*arguments, stdin=None, check=True):
    """curl's output as bytes. `-q` keeps the user's own settings out."""
    command = ["curl", "-q", "-sS", "--max-time", "20", "--noproxy", "*", *arguments]
    done = subprocess.run(command, input=stdin, capture_output=True, check=False)
    if check:
        assert done.returncode == 0, done.stderr.decode()
        return done.stdout
    return done


def sha256(data):
    return hashlib.sha256(data).hexdigest()


@pytest.fixture
def web(run, nginx):
    return run(proxy_to(nginx))


def test_a_get_returns_what_nginx_serves(web):
    assert curl(web.url("/small")) == b"hello from nginx\n"


@pytest.mark.parametrize("name", FILES)
def test_a_download_arrives_byte_for_byte(web, nginx, name):
    data = curl(web.url(f"/{name}"))
    assert len(data) == FILES[name]
    assert sha256(data) == nginx.sha256[name]


def test_a_head_tells_the_length_without_the_body(web):
    text = curl("-I", web.url("/10k")).decode()
    assert text.startswith("HTTP/1.1 200 OK\r\n")
    assert "Content-Length: 10240\r\n" in text


def test_a_range_is_passed_on_and_answered_in_part(web, nginx):
    whole = curl(web.url("/10k"))
    assert curl("-r", "100-199", web.url("/10k")) == whole[100:200]


def test_a_conditional_get_gets_304_without_a_body(web):
    head = curl("-I", web.url("/1k")).decode()
    etag = next(line.split(": ")[1] for line in head.splitlines() if line.lower().startswith("etag:"))
    assert curl("-w", "%{http_code}", "-H", f"If-None-Match: {etag}", web.url("/1k")) == b"304"


def test_two_urls_in_one_curl_use_one_connection(web):
    counts = curl("-w", "%{num_connects}\n", "-o", "/dev/null", web.url("/1k"), "-o", "/dev/null", web.url("/10k"))
    assert counts.split() == [b"1", b"0"]


def test_a_put_of_ten_mebibytes_arrives_byte_for_byte(web, nginx):
    body = random.Random(1).randbytes(10 << 20)
    assert curl("-T", "-", "-H", "Content-Length: %d" % len(body), "-H", "Transfer-Encoding:", "-w", "%{http_code}",
                web.url("/uploads/put.bin"), stdin=body) in (b"201", b"204")
    assert sha256(nginx.uploaded("put.bin")) == sha256(body)


def test_a_chunked_upload_of_ten_mebibytes_arrives_byte_for_byte(web, nginx):
    body = random.Random(2).randbytes(10 << 20)
    code = curl("-T", "-", "-H", "Transfer-Encoding: chunked", "-H", "Expect:", "-w", "%{http_code}",
                web.url("/uploads/chunked.bin"), stdin=body)
    assert code in (b"201", b"204")
    assert sha256(nginx.uploaded("chunked.bin")) == sha256(body)


def test_an_upload_that_expects_100_is_told_to_continue(web, nginx):
    body = random.Random(3).randbytes(3 << 20)
    done = curl("-v", "-T", "-", "-H", "Transfer-Encoding: chunked", "-H", "Expect: 100-continue",
                "--expect100-timeout", "10", web.url("/uploads/expect.bin"), stdin=body, check=False)
    assert b"< HTTP/1.1 100 Continue" in done.stderr
    assert sha256(nginx.uploaded("expect.bin")) == sha256(body)


def test_a_post_reaches_the_endpoint_with_its_body(run, upstream):
    server = upstream(answers(response(b"made", status="201 Created")))
    proxy = run(proxy_to(server))
    assert curl("-d", "a=1&b=2", "-w", " %{http_code}", proxy.url("/orders")) == b"made 201"
    assert server.requests[0].method == "POST"
    assert server.requests[0].target == "/orders"
    assert server.requests[0].get("content-type") == "application/x-www-form-urlencoded"
    assert server.requests[0].body == b"a=1&b=2"


def test_a_chunked_download_with_trailers_is_understood(run, upstream):
    body = random.Random(4).randbytes(300_000)
    chunks = b"".join(b"%x\r\n%b\r\n" % (len(body[i:i + 7001]), body[i:i + 7001]) for i in range(0, len(body), 7001))
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-Checksum\r\n\r\n"
    server = upstream(answers(head + chunks + b"0\r\nX-Checksum: abc\r\n\r\n"))
    assert sha256(curl(run(proxy_to(server)).url("/"))) == sha256(body)


def test_http_1_0_is_answered_and_the_connection_closed(web):
    done = curl("-0", "-v", web.url("/small"), check=False)
    assert done.stdout == b"hello from nginx\n"
    assert b"Closing connection" in done.stderr


def test_a_compressed_body_passes_through_untouched(run, upstream):
    import gzip

    packed = gzip.compress(b"squeezed " * 1000)
    server = upstream(answers(response(packed, "Content-Encoding: gzip")))
    proxy = run(proxy_to(server))
    assert curl("--compressed", proxy.url("/")) == b"squeezed " * 1000
    assert curl(proxy.url("/")) == packed


def test_an_unknown_upgrade_is_ignored(web):
    # curl offers HTTP/2 over cleartext and must be answered in HTTP/1.1.
    assert curl("--http2", "-w", " %{http_version}", web.url("/small")) == b"hello from nginx\n 1.1"
