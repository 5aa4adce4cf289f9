"""The admin port: health, metrics, what runs, and who may ask."""

import json
import os
import re
import shutil
import socket
import subprocess
import threading
import time
from pathlib import Path

import pytest

from support import names
from support.ports import free_port, other_local_address
from support.prometheus import Metrics
from support.sidecar import gateway, proxy_to
from support.upstream import response
from support.waiting import wait_for


@pytest.mark.parametrize("path", ["/livez", "/healthz", "/live", "/readyz", "/ready", "/healthz/ready", "/startupz"])
def test_a_ready_proxy_says_so_under_every_name(run, upstream, path):
    assert run(proxy_to(upstream())).admin(path)[0] == 200


def test_readiness_tells_its_parts_when_asked(run, upstream):
    status, _, text = run(proxy_to(upstream())).admin("/readyz?verbose")
    assert status == 200
    assert len(text.splitlines()) > 1
    assert "ok" in text.lower()


def test_head_is_answered_on_the_admin_port(run, upstream):
    status, headers, text = run(proxy_to(upstream())).admin("/livez", "HEAD")
    assert (status, text) == (200, "")


def test_an_unknown_path_is_404_and_a_wrong_method_405(run, upstream):
    proxy = run(proxy_to(upstream()))
    assert proxy.admin("/nothing")[0] == 404
    status, headers, _ = proxy.admin("/drain")
    assert status == 405
    assert headers["Allow"] == "POST"
    status, headers, _ = proxy.admin("/livez", "DELETE")
    assert status == 405
    assert headers["Allow"] == "GET, HEAD"


def test_readiness_does_not_depend_on_endpoints(run, upstream):
    server = upstream()
    server.stop_listening()
    proxy = run(proxy_to(server))
    assert proxy.get("/").status == 503
    assert proxy.admin("/readyz")[0] == 200
    assert proxy.admin("/livez")[0] == 200


# Metrics.


def test_requests_are_counted_with_their_labels(run, upstream):
    proxy = run(gateway([{"name": "orders-api", "location": "/orders", "service": "orders"}], {"orders": upstream()}))
    for _ in range(3):
        proxy.get("/orders")
    proxy.request("POST", "/orders", body=b"x")
    proxy.get("/nothing")
    proxy.wait_metric(names.REQUESTS, 5)
    metrics = proxy.metrics()
    for labels, _ in metrics.of(names.REQUESTS):
        assert set(labels) == names.REQUEST_LABELS
    assert metrics.sum(
        names.REQUESTS, listener="web", route="orders-api", service="orders", method="GET", code="200", reason="") == 3
    assert metrics.sum(names.REQUESTS, route="orders-api", method="POST", code="200") == 1
    assert metrics.sum(names.REQUESTS, code="404", reason="no_route") == 1


def test_durations_are_histograms_with_buckets_below_a_millisecond(run, upstream):
    proxy = run(proxy_to(upstream()))
    for _ in range(10):
        proxy.get("/")
    proxy.wait_metric(f"{names.REQUEST_DURATION}_count", 10, listener="web")
    metrics = proxy.metrics()
    for name in (names.REQUEST_DURATION, names.UPSTREAM_DURATION):
        assert metrics.types[name] == "histogram"
        buckets = metrics.of(f"{name}_bucket", service="app")
        bounds = [float(labels["le"]) for labels, _ in buckets]
        values = [value for _, value in buckets]
        assert min(bounds) < 0.001 and max(bounds) == float("inf")
        assert values == sorted(values)
        assert values[-1] == 10 == metrics.sum(f"{name}_count", service="app")
        assert 0 < metrics.sum(f"{name}_sum", service="app") < 10


def test_what_is_in_flight_shows_in_the_gauges(run, upstream):
    go = threading.Event()

    def script(peer):
        while peer.request() is not None:
            peer.wait(go)
            peer.send(response())

    server = upstream(script)
    proxy = run(proxy_to(server))
    with proxy.client() as client:
        client.send(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        server.wait_requests(1)
        proxy.wait_metric(names.REQUESTS_ACTIVE, 1)
        proxy.wait_metric(names.CONNECTIONS_ACTIVE, 1)
        go.set()
        client.response()
        proxy.wait_metric(names.REQUESTS_ACTIVE, 0)
        proxy.wait_metric(names.UPSTREAM_IDLE, 1)
    proxy.wait_metric(names.CONNECTIONS_ACTIVE, 0)
    assert proxy.metrics().sum(names.CONNECTIONS) == 1
    assert proxy.metrics().sum(names.UPSTREAM_CONNECTIONS) == 1


def test_the_build_and_the_process_describe_themselves(run, upstream):
    metrics = run(proxy_to(upstream())).metrics()
    [(labels, value)] = metrics.of(names.BUILD_INFO)
    assert value == 1
    assert labels["version"]
    for name in names.PROCESS:
        assert metrics.sum(name) > 0, name


def test_every_metric_has_a_type_and_help_and_the_proxys_own_prefix(run, upstream):
    proxy = run(proxy_to(upstream()))
    proxy.get("/")
    metrics = proxy.metrics()
    for name in metrics.names():
        family = re.sub(r"_(bucket|sum|count)$", "", name)
        family = family if family in metrics.types else name
        assert family in metrics.types, name
        assert metrics.help[family], name
        assert name.startswith(("sidecar_", "process_")), name


@pytest.mark.skipif(shutil.which("promtool") is None, reason="promtool (apt: prometheus) is not installed")
def test_promtool_has_nothing_to_say(run, upstream):
    server = upstream()
    proxy = run(proxy_to(server))
    proxy.get("/")
    server.stop_listening()
    proxy.request("POST", "/", "X A: malformed")
    proxy.wait_metric(names.REQUESTS, 1, code="200")
    done = subprocess.run(["promtool", "check", "metrics"], input=proxy.admin("/metrics")[2], text=True,
                          capture_output=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_metrics_come_as_text_0_0_4_or_openmetrics_as_accepted(run, upstream):
    proxy = run(proxy_to(upstream()))
    assert proxy.admin("/metrics")[1]["Content-Type"].startswith("text/plain; version=0.0.4")
    accept = {"Accept": "application/openmetrics-text; version=1.0.0"}
    _, headers, text = proxy.admin("/metrics", headers=accept)
    assert headers["Content-Type"].startswith("application/openmetrics-text; version=1.0.0")
    assert text.endswith("# EOF\n")
    assert "# TYPE sidecar_requests counter\n" in text


def test_metrics_have_the_sidecar_field_alias(run, upstream):
    proxy = run(proxy_to(upstream()))
    status, _, text = proxy.admin("/stats/prometheus")
    assert status == 200
    assert names.BUILD_INFO in Metrics(text).names()


def test_labels_never_come_from_requests(run, upstream):
    proxy = run(proxy_to(upstream()))
    for number in range(20):
        proxy.request(f"METHOD{number}", f"/path-{number}", host=f"host-{number}.local")
    proxy.wait_metric(names.REQUESTS, 20)
    metrics = proxy.metrics()
    assert len(metrics.of(names.REQUESTS)) == 1
    text = proxy.admin("/metrics")[2]
    assert "METHOD1" not in text and "path-1" not in text and "host-1" not in text


# What runs.


def test_the_running_configuration_can_be_read_back(run, upstream):
    server = upstream()
    proxy = run(proxy_to(server, drain_timeout="3s"))
    status, headers, text = proxy.admin("/config")
    assert status == 200
    assert headers["Content-Type"].startswith("application/json")
    configuration = json.loads(text)
    assert configuration["drain_timeout"] == "3s"
    assert configuration["listeners"][0]["name"] == "web"
    assert configuration["services"][0]["endpoints"][0]["address"] == server.address


def test_the_configuration_read_back_is_itself_a_valid_configuration(run, upstream, tmp_path):
    from support.sidecar import program

    text = run(proxy_to(upstream())).admin("/config")[2]
    (tmp_path / "again.json").write_text(text)
    done = program("check", tmp_path / "again.json")
    assert done.returncode == 0, done.stderr + done.stdout


def test_services_and_their_endpoints_are_listed(run, upstream):
    one, two = upstream(), upstream()
    proxy = run(proxy_to(one, two))
    proxy.get("/")
    status, _, text = proxy.admin("/services")
    assert status == 200
    assert "app" in text and one.address in text and two.address in text
    json.loads(text)


# Who may ask.


def test_a_caller_from_elsewhere_gets_health_and_metrics_and_nothing_else(run, upstream):
    address = other_local_address()
    if address is None:
        pytest.skip("this machine has no address beside loopback")
    port = free_port()
    proxy = run(proxy_to(upstream(), admin={"address": f"0.0.0.0:{port}"}))
    for path in ("/livez", "/readyz", "/startupz", "/metrics", "/healthz", "/ready", "/stats/prometheus"):
        assert proxy.admin(path, host=address)[0] == 200, path
    for path, method in (("/config", "GET"), ("/services", "GET"), ("/drain", "POST"), ("/quitquitquit", "POST")):
        assert proxy.admin(path, method, host=address)[0] == 403, path
    assert proxy.is_running()
    assert proxy.admin("/readyz")[0] == 200
    assert proxy.admin("/config")[0] == 200


def test_garbage_on_the_admin_port_harms_nobody(run, upstream):
    from support.client import RawClient

    proxy = run(proxy_to(upstream()))
    for data in (b"\x00" * 100, b"GET /\r\n\r\n", b"POST /drain HTTP/1.1\r\nContent-Length: x\r\n\r\n",
                 b"GET /" + b"x" * 100_000):
        with RawClient(proxy.admin_port) as client:
            try:
                client.send(data)
                client.half_close()
                client.read_to_end()
            except OSError:
                pass
    assert proxy.admin("/readyz")[0] == 200


def test_a_page_of_another_origin_cannot_drain_the_proxy(run, upstream):
    """A browser on this machine is on loopback too; what it is tricked into sending names a foreign host."""
    proxy = run(proxy_to(upstream()))
    status, _, _ = proxy.admin("/drain", "POST", headers={"Host": "evil.example"})
    assert status == 403
    assert proxy.admin("/readyz")[0] == 200


def test_drain_and_quit_over_http(run, upstream):
    proxy = run(proxy_to(upstream(), drain_timeout="5s"))
    assert proxy.admin("/drain", "POST")[0] in (200, 202)
    wait_for(lambda: proxy.admin("/readyz")[0] == 503, "readiness to turn")
    assert proxy.admin("/livez")[0] == 200
    assert proxy.is_running()
    assert proxy.admin("/quitquitquit", "POST")[0] in (200, 202)
    assert proxy.wait_exit() == 0


def test_recent_failures_are_listed_with_their_details(run, upstream):
    server = upstream()
    server.stop_listening()
    proxy = run(proxy_to(server))
    proxy.get("/lost?order=7")
    status, _, text = proxy.admin("/failures")
    assert status == 200
    failures = json.loads(text)
    found = json.dumps(failures)
    assert "connect_refused" in found
    assert "/lost" in found
    assert server.address in found


def test_held_open_connections_do_not_keep_the_probes_out(run, upstream):
    proxy = run(proxy_to(upstream()))
    held = [socket.create_connection(("127.0.0.1", proxy.admin_port)) for _ in range(300)]
    for sock in held:
        sock.sendall(b"GET /livez HTTP/1.1\r\nHos")
    try:
        assert proxy.admin("/livez")[0] == 200
    finally:
        for sock in held:
            sock.close()


def test_without_descriptors_the_admin_port_waits_instead_of_spinning(run, upstream):
    proxy = run(proxy_to(upstream()), descriptors=40)
    held = [socket.create_connection(("127.0.0.1", proxy.admin_port)) for _ in range(60)]
    try:
        wait_for(lambda: len(proxy.descriptors()) >= 38, "the descriptors to run out")
        began = cpu_seconds(proxy.pid)
        time.sleep(1)
        assert cpu_seconds(proxy.pid) - began < 0.3
    finally:
        for sock in held:
            sock.close()
    wait_for(lambda: proxy.admin("/livez")[0] == 200, "the admin port to recover")


def cpu_seconds(pid):
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(") ", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
