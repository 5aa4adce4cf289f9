"""What the proxy changes in a message, and that it changes nothing else. Scripted upstreams keep the raw bytes."""

import re
import threading
import time

import pytest

from support.sidecar import gateway, proxy_to
from support.upstream import answers, once, response


def names(message):
    return [name.decode() for name, _ in message.fields]


def test_request_fields_pass_through_with_their_case_order_and_duplicates(run, upstream):
    server = upstream()
    run_ = run(proxy_to(server))
    sent = ["X-Zebra: 1", "x-apple: 2", "X-ZEBRA: 3", "aCCept: */*", "X-Empty: ", "x-apple: 4", "Cookie: a=1; b=2"]
    run_.get("/p?q=%20x&y", *sent)
    request = server.requests[0]
    assert request.start_line == b"GET /p?q=%20x&y HTTP/1.1"
    lines = request.raw_head.decode().split("\r\n")
    at = [lines.index(line) for line in sent]
    assert at == sorted(at)


def test_response_fields_pass_through_with_their_case_order_and_duplicates(run, upstream):
    fields = ["SeRvEr: me", "Set-Cookie: a=1", "X-b: 2", "set-cookie: c=3", "Date: Thu, 01 Jan 1970 00:00:00 GMT"]
    server = upstream(answers(response(b"x", *fields)))
    answer = run(proxy_to(server)).get("/")
    lines = answer.raw_head.decode().split("\r\n")
    at = [lines.index(line) for line in fields]
    assert at == sorted(at)
    assert answer.start_line == b"HTTP/1.1 200 OK"


def test_an_endpoints_own_reason_phrase_passes_through(run, upstream):
    server = upstream(answers(response(b"", status="299 Quite Alright, Thanks")))
    assert run(proxy_to(server)).get("/").start_line == b"HTTP/1.1 299 Quite Alright, Thanks"


def test_an_empty_reason_phrase_is_no_error(run, upstream):
    server = upstream(answers(b"HTTP/1.1 200 \r\nContent-Length: 0\r\n\r\n"))
    assert run(proxy_to(server)).get("/").status == 200


def test_hop_by_hop_fields_of_a_request_end_here(run, upstream):
    server = upstream()
    run(proxy_to(server)).get(
        "/", "Connection: keep-alive, X-Private, x-also", "X-Private: 1", "X-ALSO: 2", "Keep-Alive: timeout=5",
        "Proxy-Connection: keep-alive", "TE: gzip", "Upgrade: foo", "X-Public: 3")
    request = server.requests[0]
    seen = [name.lower() for name in names(request)]
    for name in ["x-private", "x-also", "keep-alive", "proxy-connection", "upgrade"]:
        assert name not in seen
    assert request.get("x-public") == "3"
    assert "gzip" not in (request.get("te") or "")


def test_hop_by_hop_fields_of_a_response_end_here(run, upstream):
    server = upstream(answers(response(
        b"x", "Connection: keep-alive, X-Private", "X-Private: 1", "Keep-Alive: timeout=5", "Upgrade: h2c",
        "X-Public: 2")))
    answer = run(proxy_to(server)).get("/")
    assert answer.get("x-private") is None
    assert answer.get("upgrade") is None
    assert answer.get("x-public") == "2"


def test_a_field_cannot_be_removed_by_naming_it_in_connection_if_the_proxy_needs_it(run, upstream):
    server = upstream()
    run(proxy_to(server)).request("POST", "/", "Connection: Host, Content-Length, close", body=b"abc")
    assert server.requests[0].get("host") == "test.local"
    assert server.requests[0].body == b"abc"


def test_the_endpoint_learns_where_a_request_came_from(run, upstream):
    server = upstream()
    run(proxy_to(server)).get("/", host="shop.local:8080")
    request = server.requests[0]
    assert request.get("host") == "shop.local:8080"
    assert request.get("x-forwarded-for") == "127.0.0.1"
    assert request.get("x-forwarded-proto") == "http"
    assert request.get("x-forwarded-host") == "shop.local:8080"
    assert request.get("via").startswith("1.1 ")
    assert re.fullmatch(r"[0-9A-Za-z-]{16,64}", request.get("x-request-id"))
    assert request.get("forwarded") is None


def test_forwarding_fields_of_a_stranger_are_replaced(run, upstream):
    server = upstream()
    run(proxy_to(server)).get(
        "/", "X-Forwarded-For: 6.6.6.6", "X-Forwarded-Proto: https", "X-Forwarded-Host: evil", "X-Request-Id: forged",
        "Forwarded: for=6.6.6.6")
    request = server.requests[0]
    assert request.get("x-forwarded-for") == "127.0.0.1"
    assert request.get("x-forwarded-proto") == "http"
    assert request.get("x-forwarded-host") == "test.local"
    assert request.get("x-request-id") != "forged"
    assert "6.6.6.6" not in request.raw_head.decode()


def test_forwarding_fields_of_a_trusted_proxy_are_believed_and_extended(run, upstream):
    server = upstream()
    run(proxy_to(server, listener={"forwarded": {"trusted_proxies": ["127.0.0.0/8"], "forwarded": True}})).get(
        "/", "X-Forwarded-For: 10.1.1.1", "X-Forwarded-Proto: https", "X-Forwarded-Host: outer",
        "X-Request-Id: theirs-1", "Forwarded: for=10.1.1.1")
    request = server.requests[0]
    assert ", ".join(request.all("x-forwarded-for")) == "10.1.1.1, 127.0.0.1"
    assert request.get("x-forwarded-proto") == "https"
    assert request.get("x-forwarded-host") == "outer"
    assert request.get("x-request-id") == "theirs-1"
    forwarded = ", ".join(request.all("forwarded"))
    assert forwarded.startswith("for=10.1.1.1")
    assert "for=127.0.0.1" in forwarded.replace('"', "")


def test_each_forwarding_field_can_be_switched_off(run, upstream):
    server = upstream()
    off = {"x_forwarded": False, "via": False, "request_id": False}
    answer = run(proxy_to(server, listener={"forwarded": off})).get("/")
    assert [name.lower() for name in names(server.requests[0])] == ["host"]
    assert answer.get("via") is None


def test_via_is_appended_to_what_is_there_in_both_directions(run, upstream):
    server = upstream(answers(response(b"x", "Via: 1.0 inner")))
    answer = run(proxy_to(server)).get("/", "Via: 1.0 outer")
    assert re.fullmatch(r"1\.0 outer, 1\.1 \S+", ", ".join(server.requests[0].all("via")))
    assert re.fullmatch(r"1\.0 inner, 1\.1 \S+", ", ".join(answer.all("via")))


def test_absolute_form_becomes_origin_form_and_its_host_wins(run, upstream):
    server = upstream()
    proxy = run(proxy_to(server))
    with proxy.client() as client:
        client.send(b"GET http://real.local:81/path?q HTTP/1.1\r\nHost: ignored.local\r\n\r\n")
        assert client.response().status == 200
    assert server.requests[0].start_line == b"GET /path?q HTTP/1.1"
    assert server.requests[0].get("host") == "real.local:81"


def test_absolute_form_without_a_path_asks_for_the_root(run, upstream):
    server = upstream()
    with run(proxy_to(server)).client() as client:
        client.send(b"GET http://real.local HTTP/1.1\r\nHost: real.local\r\n\r\n")
        assert client.response().status == 200
    assert server.requests[0].target == "/"


def test_options_asterisk_reaches_the_endpoint(run, upstream):
    server = upstream()
    with run(proxy_to(server)).client() as client:
        client.send(b"OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n")
        assert client.response().status == 200
    assert server.requests[0].target == "*"


def test_an_unknown_method_passes_through(run, upstream):
    server = upstream()
    assert run(proxy_to(server)).request("PROPFIND", "/dav").status == 200
    assert server.requests[0].method == "PROPFIND"


def test_bytes_above_ascii_in_values_pass_through(run, upstream):
    server = upstream(answers(response(b"x", "X-Name: Gr\xfc\xdfe")))
    answer = run(proxy_to(server)).get("/", "X-Name: \xe9t\xe9")
    assert server.requests[0].get("x-name") == "\xe9t\xe9"
    assert answer.get("x-name") == "Gr\xfc\xdfe"


def test_empty_lines_before_a_request_are_skipped(run, upstream):
    server = upstream()
    with run(proxy_to(server)).client() as client:
        client.send(b"\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n")
        assert client.response().status == 200


def test_a_head_sent_byte_by_byte_is_one_request(run, upstream):
    server = upstream()
    with run(proxy_to(server)).client() as client:
        for byte in b"GET /slowly HTTP/1.1\r\nHost: a\r\nX-A: b\r\n\r\n":
            client.send(bytes([byte]))
        assert client.response().status == 200
    assert server.requests[0].target == "/slowly"


# Bodies.


def test_trailers_pass_both_ways(run, upstream):
    server = upstream(answers(
        b"HTTP/1.1 200 OK\r\nTrailer: X-Sum\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nX-Sum: 9\r\n\r\n"))
    with run(proxy_to(server)).client() as client:
        client.send(b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nTrailer: X-Up\r\n\r\n"
                    b"5\r\nhello\r\n0\r\nX-Up: 7\r\n\r\n")
        answer = client.response()
    assert server.requests[0].body == b"hello"
    assert server.requests[0].trailers == [(b"X-Up", b"7")]
    assert answer.body == b"abc"
    assert answer.trailers == [(b"X-Sum", b"9")]


def test_chunk_extensions_are_no_obstacle(run, upstream):
    server = upstream()
    with run(proxy_to(server)).client() as client:
        client.send(b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
                    b'5;name="va;lue"\r\nhello\r\n0005\r\nworld\r\n0;last\r\n\r\n')
        assert client.response().status == 200
    assert server.requests[0].body == b"helloworld"


def test_the_first_chunk_reaches_the_endpoint_before_the_second_is_sent(run, upstream):
    arrived = threading.Event()

    def script(peer):
        message = peer.head()
        while b"first" not in peer.reader.received:
            peer.reader.fill()
        arrived.set()
        peer.body(message)
        peer.send(response())

    server = upstream(script)
    with run(proxy_to(server)).client() as client:
        client.send(b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nfirst\r\n")
        assert arrived.wait(10)
        client.send(b"6\r\nsecond\r\n0\r\n\r\n")
        assert client.response().status == 200
    assert server.requests[0].body == b"firstsecond"


def test_the_first_chunk_reaches_the_client_before_the_second_is_sent(run, upstream):
    seen = threading.Event()

    def script(peer):
        peer.request()
        peer.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nfirst\r\n")
        peer.wait(seen)
        peer.send(b"6\r\nsecond\r\n0\r\n\r\n")

    with run(proxy_to(upstream(script))).client() as client:
        client.send(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        while b"first" not in client.reader.received:
            assert client.reader.fill()
        seen.set()
        client.reader.buffer = client.reader.received
        assert client.response().body == b"firstsecond"


@pytest.mark.parametrize("status", ["204 No Content", "304 Not Modified"])
def test_a_response_that_has_no_body_leaves_the_connection_usable(run, upstream, status):
    server = upstream(answers(f"HTTP/1.1 {status}\r\nETag: x\r\n\r\n".encode()))
    with run(proxy_to(server)).client() as client:
        for _ in range(3):
            answer = client.get("/")
            assert answer.status == int(status[:3])
            assert answer.get("transfer-encoding") is None
    assert server.connections == 1


def test_304_may_tell_a_length_without_having_a_body(run, upstream):
    server = upstream(answers(b"HTTP/1.1 304 Not Modified\r\nContent-Length: 500\r\n\r\n"))
    with run(proxy_to(server)).client() as client:
        assert client.get("/").status == 304
        assert client.get("/").status == 304


def test_a_head_response_with_a_length_leaves_the_connection_usable(run, upstream):
    server = upstream(answers(b"HTTP/1.1 200 OK\r\nContent-Length: 12345\r\n\r\n"))
    with run(proxy_to(server)).client() as client:
        for _ in range(3):
            answer = client.request("HEAD", "/")
            assert answer.get("content-length") == "12345"
    assert server.connections == 1


def test_a_head_response_with_chunked_has_no_body_either(run, upstream):
    server = upstream(answers(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"))
    with run(proxy_to(server)).client() as client:
        assert client.request("HEAD", "/").status == 200
        assert client.request("HEAD", "/").status == 200


def test_a_body_until_close_arrives_whole_with_its_end_marked(run, upstream):
    body = b"until the end\n" * 10_000
    server = upstream(once(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n" + body))
    answer = run(proxy_to(server)).get("/")
    assert answer.body == body


def test_an_http_1_0_response_until_close_arrives_whole(run, upstream):
    server = upstream(once(b"HTTP/1.0 200 OK\r\nContent-Type: text/plain\r\n\r\nold but whole"))
    answer = run(proxy_to(server)).get("/")
    assert answer.body == b"old but whole"
    assert answer.start_line.startswith(b"HTTP/1.1 200")


def test_a_chunked_response_to_an_http_1_0_client_comes_without_chunks(run, upstream):
    server = upstream(answers(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"))
    with run(proxy_to(server)).client() as client:
        client.send(b"GET / HTTP/1.0\r\n\r\n")
        answer = client.response()
        assert answer.get("transfer-encoding") is None
        assert answer.body == b"abcde"
        assert client.is_closed_by_peer()


def test_http_1_0_without_host_is_served_and_closed(run, upstream):
    server = upstream()
    with run(proxy_to(server)).client() as client:
        client.send(b"GET /old HTTP/1.0\r\n\r\n")
        assert client.response().body == b"ok\n"
        assert client.is_closed_by_peer()
    assert server.requests[0].start_line == b"GET /old HTTP/1.1"
    # Servers refuse an empty Host, and one must be sent.
    assert server.requests[0].get("host") == server.address


def test_http_1_0_with_keep_alive_is_kept(run, upstream):
    server = upstream()
    with run(proxy_to(server)).client() as client:
        for _ in range(2):
            client.send(b"GET / HTTP/1.0\r\nHost: a\r\nConnection: keep-alive\r\n\r\n")
            answer = client.response()
            assert answer.get("connection").lower() == "keep-alive"
            assert answer.body == b"ok\n"


def test_connection_close_of_the_client_is_honoured(run, upstream):
    with run(proxy_to(upstream())).client() as client:
        answer = client.get("/", "Connection: close")
        assert answer.get("connection").lower() == "close"
        assert client.is_closed_by_peer()


def test_pipelined_requests_are_answered_in_order(run, upstream):
    def script(peer):
        while (request := peer.request()) is not None:
            peer.send(response(request.target))

    server = upstream(script)
    with run(proxy_to(server)).client() as client:
        client.send(b"".join(b"GET /%d HTTP/1.1\r\nHost: a\r\n\r\n" % i for i in range(50)))
        assert [client.response().body for _ in range(50)] == [b"/%d" % i for i in range(50)]
    assert [request.target for request in server.requests] == [f"/{i}" for i in range(50)]


def test_a_request_pipelined_behind_a_body_is_not_mistaken_for_it(run, upstream):
    server = upstream()
    with run(proxy_to(server)).client() as client:
        client.send(b"POST /1 HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabcGET /2 HTTP/1.1\r\nHost: a\r\n\r\n")
        client.response()
        client.response()
    assert [(r.target, r.body) for r in server.requests] == [("/1", b"abc"), ("/2", b"")]


# Interim responses and early ones.


def test_100_continue_comes_from_the_endpoint_before_the_body_is_sent(run, upstream):
    def script(peer):
        message = peer.head()
        assert message.get("expect").lower() == "100-continue"
        peer.send(b"HTTP/1.1 100 Continue\r\n\r\n")
        peer.body(message)
        peer.send(response(b"thanks"))

    server = upstream(script)
    with run(proxy_to(server)).client() as client:
        client.send(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n")
        assert client.interim().status == 100
        client.send(b"hello")
        assert client.response().body == b"thanks"
    assert server.requests[0].body == b"hello"


@pytest.mark.parametrize("status", ["417 Expectation Failed", "401 Unauthorized"])
def test_an_endpoint_may_refuse_the_body_that_was_announced(run, upstream, status):
    def script(peer):
        peer.head()
        peer.send(response(b"no", status=status))
        peer.wait_closed()

    with run(proxy_to(upstream(script))).client() as client:
        client.send(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n")
        answer = client.interim()
        assert answer.status == int(status[:3])
        assert answer.body == b"no"
        assert answer.reason is None


def test_an_unknown_expectation_is_refused_with_417(run, upstream):
    server = upstream()
    answer = run(proxy_to(server)).get("/", "Expect: miracles")
    assert answer.status == 417
    assert answer.reason == "bad_request"
    assert server.requests == []


def test_103_early_hints_are_passed_on_before_the_response(run, upstream):
    go = threading.Event()

    def script(peer):
        peer.request()
        peer.send(b"HTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload\r\n\r\n")
        peer.wait(go)
        peer.send(response())

    with run(proxy_to(upstream(script))).client() as client:
        client.send(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        hints = client.interim()
        assert hints.status == 103
        assert hints.get("link") == "</a.css>; rel=preload"
        go.set()
        assert client.response().status == 200


def test_interim_responses_are_kept_from_http_1_0_clients(run, upstream):
    server = upstream(answers(b"HTTP/1.1 103 Early Hints\r\nLink: <a>\r\n\r\n" + response()))
    with run(proxy_to(server)).client() as client:
        client.send(b"GET / HTTP/1.0\r\n\r\n")
        assert client.interim().status == 200


def test_a_response_may_come_while_the_upload_is_still_running(run, upstream):
    def script(peer):
        peer.head()
        peer.send(response(b"enough", "Connection: close", status="413 Content Too Large"))
        peer.half_close()
        peer.wait_closed()

    with run(proxy_to(upstream(script))).client() as client:
        client.send(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100000000\r\n\r\n" + b"x" * 1000)
        answer = client.response()
        assert answer.status == 413
        assert answer.body == b"enough"


def test_both_directions_stream_at_the_same_time(run, upstream):
    """An echo: each chunk goes up and comes back before the next is sent."""

    def script(peer):
        peer.head()
        peer.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        while True:
            line = peer.reader._until(b"\r\n")
            size = int(line, 16)
            data = peer.reader._exactly(size + 2, None)
            peer.send(line + data)
            if size == 0:
                return

    with run(proxy_to(upstream(script))).client() as client:
        client.send(b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n")
        for number in range(100):
            word = b"chunk-%04d" % number
            client.send(b"%x\r\n%b\r\n" % (len(word), word))
            while word not in client.reader.received:
                assert client.reader.fill()
        client.send(b"0\r\n\r\n")
        assert client.response().body == b"".join(b"chunk-%04d" % n for n in range(100))


def test_a_body_announced_with_expect_to_a_route_without_service_is_not_awaited(run):
    from support.sidecar import gateway

    with run(gateway([{"name": "hello", "respond": {"body": "hi"}}])).client() as client:
        client.send(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n")
        answer = client.interim()
        assert (answer.status, answer.body) == (200, b"hi")
        # Whether the body follows nobody can tell: the connection ends.
        assert answer.get("connection").lower() == "close"


def test_a_body_after_a_head_response_is_not_taken_for_the_next_answer(run, upstream):
    def script(peer):
        while (request := peer.request()) is not None:
            if request.method == "HEAD":
                peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\npoison")
            else:
                peer.send(response())

    with run(proxy_to(upstream(script))).client() as client:
        assert client.request("HEAD", "/").status == 200
        assert client.get("/").body == b"ok\n"


@pytest.mark.parametrize("method", ["GET", "DELETE", "OPTIONS"])
def test_any_method_may_have_a_body(run, upstream, method):
    server = upstream()
    run(proxy_to(server)).request(method, "/", body=b"unusual")
    assert server.requests[0].body == b"unusual"


def test_a_get_without_a_body_gets_no_framing(run, upstream):
    server = upstream()
    run(proxy_to(server)).get("/")
    assert server.requests[0].get("content-length") is None
    assert server.requests[0].get("transfer-encoding") is None


def test_an_empty_post_keeps_its_length(run, upstream):
    server = upstream()
    run(proxy_to(server)).get("/", "Content-Length: 0")
    assert server.requests[0].get("content-length") == "0"


def test_a_body_that_ends_with_the_connection_reaches_an_http_1_0_client_whole(run, upstream):
    """Neither side has a length then, and the end must not be taken for a cut."""
    go = threading.Event()

    def script(peer):
        peer.request()
        peer.send(b"HTTP/1.0 200 OK\r\n\r\n")
        peer.send(b"first ")
        peer.wait(go)
        peer.send(b"last")

    proxy = run(proxy_to(upstream(script)))
    with proxy.client() as client:
        client.send(b"GET / HTTP/1.0\r\n\r\n")
        while b"first " not in client.reader.received:
            assert client.reader.fill()
        go.set()
        answer = client.response()
        assert answer.body == b"first last"
    assert "sidecar.reason" not in proxy.log_line(http__response__status_code=200)


def test_a_trickling_body_of_known_length_is_passed_on_at_once(run, upstream):
    """What the kernel holds back for more to come, the client would wait for."""
    go = threading.Semaphore(0)

    def script(peer):
        peer.request()
        peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n")
        for _ in range(20):
            go.acquire(timeout=10)
            peer.send(b"x" * 20)

    with run(proxy_to(upstream(script))).client() as client:
        client.send(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        while b"\r\n\r\n" not in client.reader.received:
            assert client.reader.fill()
        began = time.monotonic()
        for number in range(1, 21):
            go.release()
            while client.reader.received.count(b"x" * 20) < number:
                assert client.reader.fill()
        assert time.monotonic() - began < 2


def test_a_last_response_is_not_lost_over_further_requests(run, upstream):
    """Closing over unread bytes would reset the connection under the response."""
    asked, go = threading.Event(), threading.Event()
    body = b"b" * 3_000_000

    def script(peer):
        peer.request()
        asked.set()
        peer.wait(go)
        peer.send(response(body))

    with run(proxy_to(upstream(script))).client() as client:
        client.send(b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        assert asked.wait(10)
        client.send(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n" * 3)
        go.set()
        # The client is slow: the end is in the kernel's hands when it begins to read.
        time.sleep(0.5)
        assert client.response().body == body


def test_a_fixed_response_without_content_says_nothing_of_a_length(run):
    with run(gateway([{"name": "empty", "respond": {"status": 204}}])).client() as client:
        for _ in range(2):
            answer = client.get("/")
            assert (answer.status, answer.get("content-length"), answer.get("transfer-encoding")) == (204, None, None)
