"""Requests that two parsers could read differently never reach an endpoint: each gets its status and its kind, nothing
is forwarded, and the connection is closed."""

import json

import pytest

from support.sidecar import proxy_to

GET = b"GET / HTTP/1.1\r\nHost: a\r\n"
POST = b"POST / HTTP/1.1\r\nHost: a\r\n"
CHUNKED = POST + b"Transfer-Encoding: chunked\r\n\r\n"

# name, bytes, status, kind (a tuple where two kinds are equally right)
CORPUS = [
    # Framing that contradicts itself.
    ("cl_and_te", POST + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400,
     "content_length_with_transfer_encoding"),
    ("te_and_cl", POST + b"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n", 400,
     "content_length_with_transfer_encoding"),
    ("differing_lengths", POST + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello!", 400,
     "conflicting_content_length"),
    ("differing_lengths_in_a_list", POST + b"Content-Length: 5, 6\r\n\r\nhello!", 400,
     ("conflicting_content_length", "malformed_content_length")),
    ("negative_length", POST + b"Content-Length: -1\r\n\r\n", 400, "malformed_content_length"),
    ("signed_length", POST + b"Content-Length: +5\r\n\r\nhello", 400, "malformed_content_length"),
    ("hexadecimal_length", POST + b"Content-Length: 0x5\r\n\r\nhello", 400, "malformed_content_length"),
    ("empty_length", POST + b"Content-Length:\r\n\r\n", 400, "malformed_content_length"),
    ("length_with_text", POST + b"Content-Length: 5 bytes\r\n\r\nhello", 400, "malformed_content_length"),
    ("length_beyond_64_bits", POST + b"Content-Length: 18446744073709551621\r\n\r\nhello", 400,
     "malformed_content_length"),
    # Codings.
    ("chunked_not_last", POST + b"Transfer-Encoding: chunked, gzip\r\n\r\n0\r\n\r\n", 400,
     "malformed_transfer_encoding"),
    ("chunked_twice", POST + b"Transfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n", 400,
     "malformed_transfer_encoding"),
    ("chunked_in_two_fields", POST + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400,
     "malformed_transfer_encoding"),
    ("chunked_with_a_prefix", POST + b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n", (400, 501),
     ("malformed_transfer_encoding", "unsupported_transfer_encoding")),
    ("chunked_with_vertical_tab", POST + b"Transfer-Encoding: \x0bchunked\r\n\r\n0\r\n\r\n", (400, 501),
     ("malformed_transfer_encoding", "unsupported_transfer_encoding", "malformed_field_value")),
    ("identity", POST + b"Transfer-Encoding: identity\r\n\r\n", (400, 501),
     ("malformed_transfer_encoding", "unsupported_transfer_encoding")),
    ("empty_coding", POST + b"Transfer-Encoding:\r\n\r\n0\r\n\r\n", (400, 501),
     ("malformed_transfer_encoding", "unsupported_transfer_encoding")),
    ("coding_in_http_1_0", b"POST / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400,
     "transfer_encoding_in_http10"),
    # Lines.
    ("folding", GET + b"X-A: b\r\n c\r\n\r\n", 400, "obsolete_folding"),
    ("folding_of_a_length", POST + b"Content-Length:\r\n 5\r\n\r\nhello", 400,
     ("obsolete_folding", "malformed_content_length")),
    ("folding_with_tab", GET + b"X-A: b\r\n\tc\r\n\r\n", 400, "obsolete_folding"),
    ("folding_first", b"GET / HTTP/1.1\r\n X: y\r\nHost: a\r\n\r\n", 400,
     ("obsolete_folding", "malformed_field_name")),
    ("bare_cr_in_a_value", GET + b"X-A: b\rc\r\n\r\n", 400, "bare_carriage_return"),
    ("bare_cr_as_line_end", GET + b"X-A: b\rContent-Length: 5\r\n\r\n", 400, "bare_carriage_return"),
    ("nul_in_a_value", GET + b"X-A: b\0c\r\n\r\n", 400, ("nul_byte", "malformed_field_value")),
    ("nul_in_a_name", GET + b"X\0A: b\r\n\r\n", 400, ("nul_byte", "malformed_field_name")),
    ("space_before_colon", POST + b"Content-Length : 5\r\n\r\nhello", 400, "space_before_colon"),
    ("tab_before_colon", POST + b"Transfer-Encoding\t: chunked\r\n\r\n", 400,
     ("space_before_colon", "malformed_field_name")),
    ("space_in_a_name", GET + b"X A: b\r\n\r\n", 400, ("malformed_field_name", "space_before_colon")),
    ("empty_name", GET + b": b\r\n\r\n", 400, "malformed_field_name"),
    ("no_colon", GET + b"nonsense\r\n\r\n", 400, "malformed_field_name"),
    ("name_not_ascii", GET + b"X-\xc3\xa4: b\r\n\r\n", 400, "malformed_field_name"),
    ("control_in_a_value", GET + b"X-A: b\x01c\r\n\r\n", 400, "malformed_field_value"),
    # Host.
    ("no_host", b"GET / HTTP/1.1\r\nX: y\r\n\r\n", 400, "missing_host"),
    ("two_hosts", GET + b"Host: b\r\n\r\n", 400, "repeated_host"),
    ("same_host_twice", GET + b"Host: a\r\n\r\n", 400, "repeated_host"),
    ("host_list", b"GET / HTTP/1.1\r\nHost: a, b\r\n\r\n", 400, "malformed_host"),
    ("host_with_path", b"GET / HTTP/1.1\r\nHost: a/b\r\n\r\n", 400, "malformed_host"),
    ("host_with_user", b"GET / HTTP/1.1\r\nHost: u@a\r\n\r\n", 400, "malformed_host"),
    # The start line.
    ("no_version", b"GET /\r\n\r\n", 400, ("malformed_start_line", "unsupported_version")),
    ("http_2_0", b"GET / HTTP/2.0\r\nHost: a\r\n\r\n", 505, "unsupported_version"),
    ("http_1_2_digits", b"GET / HTTP/1.10\r\nHost: a\r\n\r\n", (400, 505),
     ("unsupported_version", "malformed_start_line")),
    ("lower_case_version", b"GET / http/1.1\r\nHost: a\r\n\r\n", (400, 505),
     ("unsupported_version", "malformed_start_line")),
    ("two_spaces", b"GET  / HTTP/1.1\r\nHost: a\r\n\r\n", 400, ("malformed_start_line", "malformed_target")),
    ("space_in_the_target", b"GET /a b HTTP/1.1\r\nHost: a\r\n\r\n", (400, 505),
     ("malformed_start_line", "malformed_target", "unsupported_version")),
    ("control_in_the_target", b"GET /a\x01b HTTP/1.1\r\nHost: a\r\n\r\n", 400,
     ("malformed_target", "malformed_start_line")),
    ("nul_in_the_target", b"GET /a\0b HTTP/1.1\r\nHost: a\r\n\r\n", 400,
     ("nul_byte", "malformed_target", "malformed_start_line")),
    ("target_without_slash", b"GET a HTTP/1.1\r\nHost: a\r\n\r\n", 400, "malformed_target"),
    ("control_in_the_method", b"G\x01T / HTTP/1.1\r\nHost: a\r\n\r\n", 400,
     ("malformed_method", "malformed_start_line")),
    ("tls_on_a_plain_port", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\x07" * 64 + b"\r\n\r\n", 400,
     ("malformed_method", "malformed_start_line", "nul_byte")),
    ("leading_space", b" GET / HTTP/1.1\r\nHost: a\r\n\r\n", 400, ("malformed_method", "malformed_start_line")),
]

# The head is already accepted, so the endpoint may have seen it; the broken body must not come out as a whole one.
BODIES = [
    ("chunk_size_not_hexadecimal", CHUNKED + b"xyz\r\nhello\r\n0\r\n\r\n", "malformed_chunk_size"),
    ("chunk_size_empty", CHUNKED + b"\r\nhello\r\n0\r\n\r\n", "malformed_chunk_size"),
    ("chunk_size_negative", CHUNKED + b"-5\r\nhello\r\n0\r\n\r\n", "malformed_chunk_size"),
    ("chunk_size_with_0x", CHUNKED + b"0x5\r\nhello\r\n0\r\n\r\n", "malformed_chunk_size"),
    ("chunk_size_overflows", CHUNKED + b"fffffffffffffffff\r\nhello\r\n0\r\n\r\n", "malformed_chunk_size"),
    ("chunk_size_with_space_before", CHUNKED + b" 5\r\nhello\r\n0\r\n\r\n", "malformed_chunk_size"),
    ("chunk_longer_than_its_size", CHUNKED + b"3\r\nhello\r\n0\r\n\r\n", "malformed_chunk"),
    ("chunk_ends_with_lf", CHUNKED + b"5\r\nhello\n0\r\n\r\n", ("malformed_chunk", "bare_line_feed")),
    ("chunk_size_ends_with_lf", CHUNKED + b"5\nhello\r\n0\r\n\r\n",
     ("malformed_chunk_size", "malformed_chunk", "bare_line_feed")),
    ("extension_with_bare_cr", CHUNKED + b"5;a\rb\r\nhello\r\n0\r\n\r\n",
     ("malformed_chunk", "malformed_chunk_size", "bare_carriage_return")),
    ("trailer_folded", CHUNKED + b"0\r\nX: a\r\n b\r\n\r\n", ("malformed_trailer", "obsolete_folding")),
    ("trailer_with_space_before_colon", CHUNKED + b"0\r\nX : a\r\n\r\n", ("malformed_trailer", "space_before_colon")),
]


def one_of(value, wanted):
    return value in wanted if isinstance(wanted, tuple) else value == wanted


@pytest.fixture(scope="module")
def target(tmp_path_factory):
    """One proxy and one upstream for the whole corpus: that it survives each case is part of the test."""
    from support.sidecar import Sidecar
    from support.upstream import ScriptedUpstream

    server = ScriptedUpstream()
    proxy = Sidecar(tmp_path_factory.mktemp("smuggling"), proxy_to(server))
    yield proxy, server
    status = proxy.stop()
    server.close()
    assert status == 0


@pytest.mark.parametrize("data,status,kind", [case[1:] for case in CORPUS], ids=[case[0] for case in CORPUS])
def test_nothing_of_an_ambiguous_request_is_forwarded(target, data, status, kind):
    proxy, server = target
    before = len(server.received)
    with proxy.client() as client:
        client.send(data)
        answer = client.response()
        assert one_of(answer.status, status), answer
        assert answer.reason == "bad_request"
        assert answer.get("content-type") == "application/problem+json"
        problem = json.loads(answer.body)
        assert problem["reason"] == "bad_request"
        assert one_of(problem["kind"], kind), problem
        assert answer.get("connection").lower() == "close"
        client.read_to_end()
    assert len(server.received) == before


@pytest.mark.parametrize("data,kind", [case[1:] for case in BODIES], ids=[case[0] for case in BODIES])
def test_a_broken_chunked_body_never_looks_whole_to_the_endpoint(target, data, kind):
    proxy, server = target
    whole = sum(1 for request in server.requests if request.raw_body)
    with proxy.client() as client:
        client.send(data + b"GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n")
        answer = client.response()
        assert answer.status == 400, answer
        assert answer.reason == "bad_request"
        assert one_of(json.loads(answer.body)["kind"], kind), answer.body
        client.read_to_end()
    assert sum(1 for request in server.requests if request.raw_body) == whole
    assert b"/smuggled" not in server.received


def test_a_request_behind_a_rejected_one_is_not_served(target):
    proxy, server = target
    before = len(server.received)
    with proxy.client() as client:
        client.send(POST + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
                    b"GET /next HTTP/1.1\r\nHost: a\r\n\r\n")
        assert client.response().status == 400
        assert b"HTTP/1.1" not in client.read_to_end()
    assert len(server.received) == before


def test_a_sound_request_before_a_rejected_one_is_answered_first(target):
    proxy, server = target
    with proxy.client() as client:
        client.send(b"GET /sound HTTP/1.1\r\nHost: a\r\n\r\n" + GET + b"X A: b\r\n\r\n")
        assert client.response().body == b"ok\n"
        assert client.response().status == 400
        client.read_to_end()
    assert server.requests[-1].target == "/sound"


def test_equal_lengths_given_twice_are_refused_or_become_one(target):
    proxy, server = target
    with proxy.client() as client:
        client.send(b"POST /twice HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nContent-Length: 5\r\n\r\nhello")
        answer = client.response()
    if answer.status == 200:
        assert server.requests[-1].all("content-length") == ["5"]
    else:
        assert answer.status == 400


def test_the_proxy_still_serves_after_all_that(target):
    proxy, server = target
    assert proxy.get("/fine").body == b"ok\n"
    assert server.requests[-1].target == "/fine"


def test_a_remote_caller_is_told_the_reason_but_no_detail(run, upstream):
    from support.client import RawClient
    from support.ports import free_port, other_local_address

    address = other_local_address()
    if address is None:
        pytest.skip("this machine has no address beside loopback")
    port = free_port()
    run(proxy_to(upstream(), listener={"address": f"0.0.0.0:{port}"}))
    with RawClient((address, port)) as client:
        client.send(GET + b"X A: b\r\n\r\n")
        answer = client.response()
    assert answer.status == 400
    problem = json.loads(answer.body)
    assert problem["reason"] == "bad_request"
    assert "detail" not in problem
