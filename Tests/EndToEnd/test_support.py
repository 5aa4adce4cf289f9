"""The tools of these tests do what they promise, with nginx where otherwise the proxy stands."""

import pytest

from support.client import RawClient
from support.nginx import Nginx
from support.prometheus import Metrics
from support.upstream import FullBacklog, ScriptedUpstream, answers, once, response
from support.wire import Malformed, Truncated


def test_a_scripted_upstream_answers_exactly_the_bytes_it_was_given(upstream):
    server = upstream(answers(response(b"exact", "X-Odd-CASE: yes")))
    with RawClient(server.port) as client:
        answer = client.get("/a")
        assert answer.raw_head == b"HTTP/1.1 200 OK\r\nX-Odd-CASE: yes\r\nContent-Length: 5\r\n\r\n"
        assert answer.body == b"exact"
        client.get("/b")
    assert server.connections == 1
    assert [request.target for request in server.requests] == ["/a", "/b"]


def test_a_scripted_upstream_behind_nginx_sees_what_nginx_sends(upstream, tmp_path):
    server = upstream()
    proxy = Nginx(tmp_path / "n", f"location /to/ {{ proxy_pass http://{server.address}; }}")
    try:
        with RawClient(proxy.port) as client:
            assert client.get("/to/it").body == b"ok\n"
        assert server.requests[0].target == "/to/it"
        assert server.requests[0].get("host") == server.address
    finally:
        proxy.close()


def test_a_body_cut_short_is_told_from_a_whole_one(upstream):
    server = upstream(once(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf"))
    with RawClient(server.port) as client, pytest.raises(Truncated) as cut:
        client.get()
    assert cut.value.message.body == b"half"


def test_a_reset_reaches_the_client_as_one(upstream):
    def script(peer):
        peer.request()
        peer.reset()

    with RawClient(upstream(script).port) as client, pytest.raises(ConnectionResetError):
        client.get()


def test_a_script_that_fails_fails_its_test():
    def script(peer):
        peer.request()
        raise AssertionError("from the script")

    server = ScriptedUpstream(script)
    with RawClient(server.port) as client, pytest.raises(Truncated):
        client.get()
    with pytest.raises(AssertionError, match="from the script"):
        server.close()


def test_a_full_backlog_lets_nobody_in():
    blackhole = FullBacklog()
    with pytest.raises(TimeoutError):
        RawClient(blackhole.port, deadline=0.2)
    blackhole.close()


def test_ambiguous_framing_is_never_accepted_by_the_reader(upstream):
    both = b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
    with RawClient(upstream(once(both)).port) as client, pytest.raises(Malformed):
        client.get()


def test_metrics_are_read_with_their_labels_and_duplicates_are_found():
    text = '# TYPE a_total counter\na_total{x="1",y="q\\"z"} 3\na_total{x="2",y=""} 4\n'
    metrics = Metrics(text)
    assert metrics.sum("a_total") == 7
    assert metrics.sum("a_total", x="1") == 3
    with pytest.raises(AssertionError):
        Metrics(text + 'a_total{x="2",y=""} 5\n')
