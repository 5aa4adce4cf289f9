"""Python's own http.client and httpx through the proxy."""

import asyncio
import hashlib
import http.client

import httpx

from support.nginx import FILES
from support.sidecar import proxy_to


def test_http_client_keeps_its_connection_over_many_requests(run, nginx):
    proxy = run(proxy_to(nginx))
    connection = http.client.HTTPConnection("127.0.0.1", proxy.port(), timeout=10)
    connection.connect()
    own = connection.sock
    for _ in range(50):
        connection.request("GET", "/1k")
        response = connection.getresponse()
        assert response.status == 200
        assert hashlib.sha256(response.read()).hexdigest() == nginx.sha256["1k"]
    assert connection.sock is own
    connection.close()


def test_http_client_uploads_chunks_from_a_generator(run, upstream):
    server = upstream()
    proxy = run(proxy_to(server))
    connection = http.client.HTTPConnection("127.0.0.1", proxy.port(), timeout=10)
    connection.request("POST", "/", body=(bytes([65 + i]) * 1000 for i in range(20)), encode_chunked=True,
                       headers={"Transfer-Encoding": "chunked"})
    assert connection.getresponse().read() == b"ok\n"
    assert server.requests[0].body == b"".join(bytes([65 + i]) * 1000 for i in range(20))
    connection.close()


def test_httpx_with_a_hundred_concurrent_requests_gets_each_body_right(run, nginx):
    proxy = run(proxy_to(nginx))
    names = [name for name in FILES if name != "10m"] * 25

    async def fetch_all():
        limits = httpx.Limits(max_connections=20)
        async with httpx.AsyncClient(base_url=proxy.url(""), limits=limits, trust_env=False, timeout=20) as client:
            return await asyncio.gather(*(client.get(f"/{name}") for name in names))

    for name, response in zip(names, asyncio.run(fetch_all())):
        assert response.status_code == 200
        assert hashlib.sha256(response.content).hexdigest() == nginx.sha256[name]


def test_httpx_streams_a_download_and_may_leave_in_the_middle(run, nginx):
    proxy = run(proxy_to(nginx))
    with httpx.Client(base_url=proxy.url(""), trust_env=False, timeout=20) as client:
        with client.stream("GET", "/10m") as response:
            assert len(next(response.iter_raw(1000))) == 1000
        assert client.get("/small").text == "hello from nginx\n"


def test_an_error_of_the_proxy_is_problem_json_that_httpx_can_read(run, upstream):
    server = upstream()
    server.stop_listening()
    proxy = run(proxy_to(server))
    response = httpx.get(proxy.url("/x"), trust_env=False)
    assert response.status_code == 503
    assert response.headers["content-type"] == "application/problem+json"
    assert response.headers["x-sidecar-reason"] == "connect_refused"
    problem = response.json()
    assert problem["status"] == 503
    assert problem["reason"] == "connect_refused"
