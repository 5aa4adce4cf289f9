"""The access log: one JSON object per line, in OpenTelemetry's words, never in a request's way."""

import datetime
import json
import os
import re
import signal

from support import names
from support.sidecar import gateway, proxy_to
from support.upstream import answers, response
from support.waiting import wait_for


def test_a_line_tells_the_whole_request(run, upstream):
    server = upstream(answers(response(b"twelve bytes", status="201 Created")))
    proxy = run(gateway([{"name": "orders-api", "location": "/orders", "service": "orders"}], {"orders": server}))
    proxy.request("POST", "/orders/7?full=yes", "User-Agent: story/1.0", body=b"hello")
    line = proxy.log_line(url__path="/orders/7")
    assert line[names.LOG_METHOD] == "POST"
    assert line[names.LOG_STATUS] == 201
    assert line[names.LOG_QUERY] == "full=yes"
    assert line[names.LOG_CLIENT] == "127.0.0.1"
    assert line[names.LOG_AGENT] == "story/1.0"
    assert line[names.LOG_REQUEST_BYTES] == 5
    assert line[names.LOG_RESPONSE_BYTES] == 12
    assert line[names.LOG_ROUTE] == "orders-api"
    assert line[names.LOG_SERVICE] == "orders"
    assert line[names.LOG_REQUEST_ID] == server.requests[0].get("x-request-id")
    assert line["sidecar.upstream.address"] == server.address
    assert line["server.address"] == "test.local"
    assert names.LOG_REASON not in line
    when = datetime.datetime.fromisoformat(line["timestamp"])
    assert abs((datetime.datetime.now(datetime.timezone.utc) - when).total_seconds()) < 60


def test_every_line_is_one_json_object_whatever_a_client_sends(run, upstream):
    proxy = run(proxy_to(upstream()))
    paths = ['/"quoted"', "/back?\\slash", "/caf\xe9", "/tab%09", "/%22%5d", "/<script>"]
    for path in paths:
        proxy.get(path, 'User-Agent: "a\\b\tc\xff\xe9"')
    with proxy.client() as client:
        client.send(b"\x00\x01 nonsense\r\n\r\n")
        client.read_to_end()
    wait_for(lambda: len(proxy.log_lines()) >= len(paths) + 1, "all lines")
    for raw in proxy.access_log.read_bytes().split(b"\n")[:-1]:
        assert isinstance(json.loads(raw.decode("utf-8")), dict)


def test_a_malformed_request_is_logged_with_its_kind(run, upstream):
    proxy = run(proxy_to(upstream()))
    proxy.get("/", "X A: b")
    line = proxy.log_line(sidecar__reason="bad_request")
    assert line[names.LOG_STATUS] == 400
    assert line[names.LOG_KIND] in ("malformed_field_name", "space_before_colon")


def test_the_retry_of_a_request_shows_in_its_attempts(run, upstream):
    from test_reuse import racing

    proxy = run(proxy_to(upstream(racing)))
    with proxy.client() as client:
        client.get("/1")
        client.get("/2")
    assert proxy.log_line(url__path="/1")["sidecar.attempts"] == 1
    assert proxy.log_line(url__path="/2")["sidecar.attempts"] == 2


def test_sigusr1_opens_the_log_anew_after_it_was_renamed(run, upstream):
    proxy = run(proxy_to(upstream()))
    proxy.get("/before")
    proxy.log_line(url__path="/before")
    rotated = proxy.access_log.with_suffix(".1")
    os.rename(proxy.access_log, rotated)
    proxy.signal(signal.SIGUSR1)
    wait_for(proxy.access_log.exists, "the log to be opened anew")
    proxy.get("/after")
    proxy.log_line(url__path="/after")
    assert "/after" not in rotated.read_text()


def test_the_log_is_complete_when_the_process_ends(run, upstream):
    proxy = run(proxy_to(upstream()))
    for number in range(200):
        proxy.get(f"/{number}")
    proxy.signal(signal.SIGTERM)
    assert proxy.wait_exit() == 0
    assert sorted(int(line[names.LOG_PATH][1:]) for line in proxy.log_lines()) == list(range(200))


def test_the_text_format_is_one_line_per_request(run, upstream):
    proxy = run(proxy_to(upstream(), access_log={"path": "stdout", "format": "text"}))
    proxy.get("/text?x=1")
    text = wait_for(lambda: next((line for line in proxy.output().splitlines() if "/text" in line), None), "the line")
    assert re.match(r'^127\.0\.0\.1 - - \[.+\] "GET /text\?x=1 HTTP/1\.1" 200 ', text)


def test_without_the_key_only_what_the_proxy_failed_is_logged(run, upstream):
    server = upstream(answers(response(b"x", status="500 Internal Server Error")))
    proxy = run(proxy_to(server, access_log=None))
    proxy.get("/fine")
    server.close()
    assert proxy.get("/failed", "Connection: close").reason == "connect_refused"
    wait_for(lambda: "connect_refused" in proxy.output() + proxy.errors(), "the failure's line")
    assert "/fine" not in proxy.output() + proxy.errors()


def test_a_reader_that_stops_reading_holds_up_no_request(run, upstream, tmp_path):
    fifo = tmp_path / "log.fifo"
    os.mkfifo(fifo)
    reader = os.open(fifo, os.O_RDONLY | os.O_NONBLOCK)
    try:
        proxy = run(proxy_to(upstream(), access_log={"path": str(fifo), "format": "json", "buffer": "4KiB"}))
        path = "/" + "x" * 2000
        with proxy.client() as client:
            for _ in range(400):
                assert client.get(path).status == 200
        # 400 lines of over 2 kB: more than the pipe and the buffer can hold.
        assert wait_for(lambda: proxy.metrics().sum(names.LOG_DROPPED), "dropped lines to be counted") > 0
    finally:
        os.close(reader)
