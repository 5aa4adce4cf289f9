"""gRPC with Google's client and server: every kind of call, deadlines, cancellation, endings, and the proxy's own errors."""

import asyncio
import os
import queue
import threading

import pytest

from support.grpc_service import SERVICE, Client, GRPCServer, UNLIMITED, grpc
from support.h2 import CANCEL, LARGEST_WINDOW, NO_ERROR, H2Client, H2Server, goaway, h2_script
from support.ports import free_port
from support.sidecar import gateway, proxy_to
from support.upstream import FullBacklog, response, whatever
from support.waiting import DEADLINE, wait_for

from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc

# The names that the outside relies on.
GRPC_REQUESTS = "sidecar_grpc_requests_total"
GRPC_STATUS = "grpc_status"

CODE = grpc.StatusCode


def status_label(code):
    """A status as the metric's label has it: its number."""
    return str(code.value[0])


@pytest.fixture
def server():
    """Starts gRPC servers: `server(name)`."""
    started = []

    def start(*arguments, **options):
        started.append(GRPCServer(*arguments, **options))
        return started[-1]

    yield start
    for one in started:
        one.close()


@pytest.fixture(scope="module")
def echo_server():
    one = GRPCServer("shared")
    yield one
    one.close()


def to(*endpoints, service=None, **more):
    return proxy_to(*endpoints, service={"protocol": "grpc", **(service or {})}, **more)


@pytest.fixture(scope="module")
def proxy(shared_run, echo_server):
    return shared_run(to(echo_server, listener={"http2": {"streams_max": 1000}}))


@pytest.fixture
def client(proxy):
    with Client(proxy.port()) as one:
        yield one


# Every kind of call.


def test_a_unary_call(client):
    assert client.unary(b"\0\1binary\xff") == b"\0\1binary\xff"


def test_an_empty_message(client):
    assert client.unary(b"") == b""


def test_a_stream_of_the_client(client):
    assert client.client_stream(b"x" * 100 for _ in range(1000)) == b"1000 100000"


def test_a_stream_of_the_server(client):
    assert list(client.server_stream(b"1000")) == [str(number).encode() for number in range(1000)]


def test_a_stream_without_a_message(client):
    assert list(client.server_stream(b"0")) == []
    assert client.client_stream([]) == b"0 0"


def test_both_streams_take_turns(client):
    """Each message is sent when the answer to the one before is there: nothing may be held back on the way."""
    requests = queue.Queue()
    answers = client.bidi_stream(iter(requests.get, None))
    for number in range(200):
        requests.put(b"%d" % number)
        assert next(answers) == b"%d" % number
    requests.put(None)
    assert list(answers) == []


@pytest.mark.parametrize("size", [16_384, 65_535, 65_536, 4 << 20])
def test_large_messages(client, size):
    data = os.urandom(size)
    assert client.unary(data) == data


def test_large_messages_in_a_stream(client):
    messages = [os.urandom(1 << 20) for _ in range(8)]
    assert list(client.bidi_stream(iter(messages))) == messages


def test_metadata_of_text_and_bytes_passes_both_ways(client, echo_server):
    binary = bytes(range(256))
    _, call = client.with_call(metadata=(("x-echo", "one"), ("x-echo", "two"), ("x-echo-bin", binary)))
    assert dict(call.initial_metadata())["server"] == "shared"
    assert [(key, value) for key, value in call.trailing_metadata() if key.startswith("x-echo")] == [
        ("x-echo", "one"), ("x-echo", "two"), ("x-echo-bin", binary)]


@pytest.mark.parametrize("code", [code for code in CODE if code is not CODE.OK], ids=lambda code: code.name)
def test_every_status_of_the_server_reaches_the_client_untouched(client, code):
    error = client.fails(method="Fail", request=f"{code.value[0]} why, 100% ünd".encode())
    assert (error.code(), error.details()) == (code, "why, 100% ünd")
    assert dict(error.trailing_metadata())["x-why"] == "asked"


def test_a_method_that_the_server_lacks_is_the_servers_answer(client):
    assert client.fails(method="Nothing").code() is CODE.UNIMPLEMENTED


def test_tls_on_both_sides(run, server, authority):
    certificate = authority.issue("test.local")
    backend = server("secure", certificate=certificate)
    proxy = run(to(
        backend, listener={"tls": certificate.pair},
        service={"tls": {"ca": str(authority.certificate), "server_name": "test.local"}}))
    with Client(proxy.port(), authority) as client:
        data = os.urandom(4 << 20)
        assert client.unary(data) == data
        assert len(list(client.server_stream(b"100"))) == 100


def test_health_and_reflection_pass_through(client):
    health = health_pb2_grpc.HealthStub(client.channel)
    assert health.Check(health_pb2.HealthCheckRequest(service=SERVICE), timeout=DEADLINE).status == \
        health_pb2.HealthCheckResponse.SERVING
    watch = health.Watch(health_pb2.HealthCheckRequest(service=SERVICE), timeout=DEADLINE)
    assert next(watch).status == health_pb2.HealthCheckResponse.SERVING
    watch.cancel()
    reflection = reflection_pb2_grpc.ServerReflectionStub(client.channel)
    ask = reflection_pb2.ServerReflectionRequest(list_services="")
    answer = next(reflection.ServerReflectionInfo(iter([ask]), timeout=DEADLINE))
    assert SERVICE in {one.name for one in answer.list_services_response.service}


def test_a_thousand_streams_at_once(proxy, echo_server):
    async def one(method, number, gate):
        call = method(timeout=30)
        await call.write(b"%d" % number)
        assert await call.read() == b"%d" % number
        gate.append(number)
        while len(gate) < 1000:
            await asyncio.sleep(0.01)
        await call.write(b"last")
        assert await call.read() == b"last"
        await call.done_writing()
        assert await call.read() is grpc.aio.EOF

    async def everything():
        async with grpc.aio.insecure_channel(f"127.0.0.1:{proxy.port()}", options=UNLIMITED) as channel:
            method, gate = channel.stream_stream(f"/{SERVICE}/BidiStream"), []
            await asyncio.wait_for(asyncio.gather(*[one(method, number, gate) for number in range(1000)]), 40)

    asyncio.run(everything())


# Deadlines and cancellation.


def test_the_server_sees_the_clients_deadline(run, server):
    backend = server()
    with Client(run(to(backend)).port()) as client:
        client.unary(timeout=7)
    assert 0 < backend.echo.remaining[0] <= 7


def grpc_request(client, path=f"/{SERVICE}/Hang", *more, message=b"", ends=True):
    stream = client.open(
        "POST", path, ("te", "trailers"), ("content-type", "application/grpc"), *more, ends=False)
    client.data(stream.id, b"\0" + len(message).to_bytes(4, "big") + message, ends=ends)
    return stream


def status_of(stream):
    """grpc-status of a response, in its trailers or in its only head."""
    fields = dict(stream.trailers or stream.head)
    return int(fields["grpc-status"])


def test_the_proxy_ends_a_call_whose_deadline_the_server_forgets(run, upstream):
    seen = []

    def handler(server, stream):
        server.wait(lambda: stream.code is not None, "RST_STREAM at the deadline")
        seen.append((stream.get("grpc-timeout"), stream.code))

    proxy = run(to(upstream(h2_script(handler))))
    with H2Client(proxy.port()) as client:
        stream = client.finish(grpc_request(client, "/a.B/C", ("grpc-timeout", "300m")))
    assert (stream.status, stream.get("content-type")) == (200, "application/grpc")
    assert status_of(stream) == CODE.DEADLINE_EXCEEDED.value[0]
    assert stream.reason == "response_timeout"
    wait_for(lambda: seen, "the server's own end")
    unit = seen[0][0][-1]
    assert unit in "HMSmun" and int(seen[0][0][:-1]) > 0
    assert seen[0][1] == CANCEL


@pytest.mark.parametrize("value", ["", "m", "1", "1x", "-1m", "123456789m", "1 m"])
def test_a_deadline_that_is_none_is_no_deadline_or_an_error_but_never_a_crash(proxy, value):
    with H2Client(proxy.port()) as client:
        stream = client.finish(grpc_request(client, f"/{SERVICE}/Unary", ("grpc-timeout", value)))
        assert stream.code is not None or stream.status in (200, 400)


def test_a_cancelled_call_is_cancelled_at_the_server(run, server):
    backend = server()
    proxy = run(to(backend))
    with Client(proxy.port()) as client:
        call = client.future(method="Hang")
        assert backend.echo.started.wait(DEADLINE)
        call.cancel()
        assert backend.echo.cancelled.wait(DEADLINE)
    proxy.wait_metric(GRPC_REQUESTS, 1, **{GRPC_STATUS: status_label(CODE.CANCELLED)})


def test_a_client_that_vanishes_cancels_its_calls_at_the_server(run, server):
    backend = server()
    with H2Client(run(to(backend)).port()) as client:
        grpc_request(client)
        assert backend.echo.started.wait(DEADLINE)
    assert backend.echo.cancelled.wait(DEADLINE)


# Servers that go.


def test_a_server_that_stops_gracefully_finishes_its_streams(run, server):
    one = server("one")
    proxy = run(to(one))
    requests = queue.Queue()
    with Client(proxy.port()) as client:
        answers = client.bidi_stream(iter(requests.get, None))
        requests.put(b"before")
        assert next(answers) == b"before"
        stopping = one.stop(grace=DEADLINE, wait=False)
        for number in range(10):
            requests.put(b"%d" % number)
            assert next(answers) == b"%d" % number
        requests.put(None)
        assert list(answers) == []
        stopping.result(DEADLINE)


def test_a_server_that_dies_amid_a_stream_is_unavailable(run, server):
    one = server("one")
    proxy = run(to(one))
    requests = queue.Queue()
    with Client(proxy.port()) as client:
        answers = client.bidi_stream(iter(requests.get, None))
        requests.put(b"before")
        assert next(answers) == b"before"
        one.stop()
        with pytest.raises(grpc.RpcError) as caught:
            next(answers)
        requests.put(None)
        assert caught.value.code() in (CODE.UNAVAILABLE, CODE.CANCELLED, CODE.INTERNAL)


def test_goaway_amid_calls_costs_no_call(run, upstream):
    """Servers with a maximum age say it all the time. Calls above the last stream go to another connection."""
    def script(peer):
        server = H2Server(peer)
        last = LARGEST_WINDOW
        while (stream := server.request()) is not None:
            if stream.id > last:
                continue
            if peer.number == 0 and len(server.streams) >= 10 and last == LARGEST_WINDOW:
                last = max(server.streams)
                server.send(goaway(last, NO_ERROR))
            server.headers(stream.id, [(":status", "200"), ("content-type", "application/grpc")])
            server.data(stream.id, bytes(stream.body))
            server.headers(stream.id, [("grpc-status", "0")], ends=True)

    upstreams = upstream(script)
    proxy = run(to(upstreams))
    with Client(proxy.port()) as client:
        calls = [client.future(b"%d" % number) for number in range(60)]
        assert [call.result(DEADLINE) for call in calls] == [b"%d" % number for number in range(60)]
    assert upstreams.connections == 2


def test_the_proxy_that_ends_finishes_calls_and_says_goaway(run, server):
    backend = server()
    proxy = run(to(backend, drain_timeout="8s"))
    requests = queue.Queue()
    with Client(proxy.port()) as client:
        answers = client.bidi_stream(iter(requests.get, None))
        requests.put(b"before")
        assert next(answers) == b"before"
        proxy.signal(15)
        wait_for(lambda: proxy.admin("/readyz")[0] == 503, "draining to begin")
        for number in range(10):
            requests.put(b"%d" % number)
            assert next(answers) == b"%d" % number
        requests.put(None)
        assert list(answers) == []
    assert proxy.wait_exit() == 0


# Where calls go.


def test_calls_of_one_connection_are_spread_over_the_servers(run, server):
    one, two = server("one"), server("two")
    proxy = run(to(one, two))
    with Client(proxy.port()) as client:
        for _ in range(20):
            client.unary()
    assert (one.echo.calls, two.echo.calls) == (10, 10)


def test_service_and_method_decide_the_route(run, server):
    one, two = server("one"), server("two")
    configuration = gateway(
        [
            {"name": "method", "grpc": {"service": SERVICE, "method": "Fail"}, "service": "two"},
            {"name": "service", "grpc": {"service": SERVICE}, "service": "one"},
        ], {"one": one, "two": two})
    for service in configuration["services"]:
        service["protocol"] = "grpc"
    proxy = run(configuration)
    with Client(proxy.port()) as client:
        assert client.unary() == b"hello"
        assert client.fails(method="Fail", request=b"5 no").code() is CODE.NOT_FOUND
        assert (one.echo.calls, two.echo.calls) == (1, 1)
        error = client.fails(service="story.Other")
        assert error.code() is CODE.UNIMPLEMENTED
        assert dict(error.trailing_metadata())["x-sidecar-reason"] == "no_route"


def test_a_dead_server_is_left_for_one_that_lives(run, server):
    alive = server("alive")
    proxy = run(to(f"127.0.0.1:{free_port()}", alive))
    with Client(proxy.port()) as client:
        assert [client.unary() for _ in range(6)] == [b"hello"] * 6


# The proxy's own errors: HTTP 200, and the status that a gRPC client understands.


@pytest.fixture
def blackhole():
    one = FullBacklog()
    yield one
    one.close()


def refused(upstream, _):
    return to(f"127.0.0.1:{free_port()}")


def never_accepts(_, blackhole):
    return to(blackhole, service={"timeouts": {"connect": "200ms"}})


def silent(upstream, _):
    return to(upstream(h2_script(lambda server, stream: None)), service={"timeouts": {"response": "200ms"}})


def plain_http(upstream, _):
    return to(upstream(whatever(response())))


def closes(upstream, _):
    def script(peer):
        H2Server(peer).request()
        # A close with bytes unread would be a reset.
        peer.half_close()
        peer.wait_closed()

    return to(upstream(script))


def not_tls(upstream, _):
    return to(upstream(whatever(response())), service={"tls": {"insecure_skip_verify": True}})


def no_route(upstream, _):
    return gateway([{"name": "other", "location": "/other", "respond": {"body": "x"}}])


FAILURES = {
    "no_route": (no_route, CODE.UNIMPLEMENTED),
    "connect_refused": (refused, CODE.UNAVAILABLE),
    "connect_timeout": (never_accepts, CODE.UNAVAILABLE),
    "tls_failed": (not_tls, CODE.UNAVAILABLE),
    "upstream_closed": (closes, CODE.UNAVAILABLE),
    "upstream_protocol_error": (plain_http, CODE.INTERNAL),
    "response_timeout": (silent, CODE.DEADLINE_EXCEEDED),
}


@pytest.mark.parametrize("reason", FAILURES)
def test_an_error_of_the_proxy_is_a_grpc_status(run, upstream, blackhole, reason):
    make, code = FAILURES[reason]
    proxy = run(make(upstream, blackhole))
    with Client(proxy.port()) as client:
        error = client.fails()
    assert error.code() is code, error
    assert reason in error.details()
    line = proxy.log_line(url__path=f"/{SERVICE}/Unary")
    assert line["http.response.status_code"] == 200
    assert line["sidecar.reason"] == reason
    if reason != "no_route":  # They are counted by service.
        proxy.wait_metric(GRPC_REQUESTS, 1, **{GRPC_STATUS: status_label(code)})
    # On the wire: one head that ends the stream, no body.
    with H2Client(proxy.port()) as client:
        stream = client.finish(grpc_request(client, f"/{SERVICE}/Unary"))
        assert (stream.status, stream.body, stream.trailers) == (200, b"", None)
        assert stream.get("content-type").startswith("application/grpc")
        assert status_of(stream) == code.value[0]


def test_an_error_is_problem_json_for_who_does_not_speak_grpc(run):
    proxy = run(to(f"127.0.0.1:{free_port()}"))
    with H2Client(proxy.port()) as client:
        stream = client.get()
    assert (stream.status, stream.reason) == (503, "connect_refused")
    assert stream.get("content-type") == "application/problem+json"


def test_calls_are_counted_by_their_status(run, server):
    proxy = run(to(server()))
    with Client(proxy.port()) as client:
        for _ in range(3):
            client.unary()
        for number in (5, 5, 13):
            client.fails(method="Fail", request=b"%d x" % number)
    for status, count in ((CODE.OK, 3), (CODE.NOT_FOUND, 2), (CODE.INTERNAL, 1)):
        proxy.wait_metric(GRPC_REQUESTS, count, **{GRPC_STATUS: status_label(status)})


def test_many_clients_at_once_lose_nothing(proxy):
    errors = []

    def client(seed):
        try:
            with Client(proxy.port()) as one:
                calls = [one.future(b"%d-%d" % (seed, number)) for number in range(100)]
                assert [call.result(DEADLINE) for call in calls] == [b"%d-%d" % (seed, n) for n in range(100)]
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=client, args=(seed,)) for seed in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert errors == []
