"""Commands and configuration files: what is said of bad ones, and that JSON says the same as YAML."""

import json
import re
import socket

import pytest
import yaml

from support.ports import free_port
from support.sidecar import EX_CONFIG, EX_OK, EX_UNAVAILABLE, EX_USAGE, Sidecar, program, proxy_to

GOOD = """
admin: {address: 127.0.0.1:15020}
listeners:
  - name: web
    address: 127.0.0.1:8000
services:
  - name: orders
    endpoints: [127.0.0.1:9000]
routes:
  - name: all
    location: /
    service: orders
"""

BAD = """\
drain_timeout: 8
listeners:
  - name: web
    adress: 127.0.0.1:8000
services:
  - name: orders
    endpoints: [127.0.0.1:99999]
routes:
  - name: all
    location: /
    service: ordrs
"""


def said(done):
    return done.stdout + done.stderr


def test_without_a_command_it_prints_help():
    done = program()
    assert done.returncode == EX_OK
    for command in ("run", "check", "wait", "healthcheck", "drain", "quit"):
        assert command in said(done)


@pytest.mark.parametrize("arguments", [["nonsense"], ["run", "--nonsense"], ["check"], ["run", "--config"]])
def test_wrong_usage_is_64(arguments):
    done = program(*arguments)
    assert done.returncode == EX_USAGE
    assert done.stderr


def test_check_accepts_a_good_file_without_starting_anything(tmp_path):
    (tmp_path / "good.yaml").write_text(GOOD)
    assert program("check", tmp_path / "good.yaml").returncode == EX_OK


def test_check_lists_every_problem_with_its_place_and_a_suggestion(tmp_path):
    file = tmp_path / "bad.yaml"
    file.write_text(BAD)
    done = program("check", file)
    assert done.returncode == EX_CONFIG
    text = said(done)
    problems = [line for line in text.splitlines() if re.match(rf"^{re.escape(str(file))}:\d+:\d+: ", line)]
    found = {int(line[len(str(file)) + 1:].split(":")[0]) for line in problems}
    assert {1, 4, 7, 11} <= found, text
    assert "8s" in text
    assert "did you mean" in text and "address" in text and "orders" in text


def test_check_reads_several_files_and_reports_on_each(tmp_path):
    (tmp_path / "good.yaml").write_text(GOOD)
    (tmp_path / "bad.yaml").write_text(BAD)
    done = program("check", tmp_path / "good.yaml", tmp_path / "bad.yaml")
    assert done.returncode == EX_CONFIG
    assert "bad.yaml:1:" in said(done)
    assert "good.yaml:1:" not in said(done)


def test_check_of_a_missing_file_names_it(tmp_path):
    done = program("check", tmp_path / "absent.yaml")
    assert done.returncode == EX_CONFIG
    assert "absent.yaml" in said(done)


def test_starting_on_a_bad_file_is_78_with_every_problem_listed(tmp_path):
    file = tmp_path / "bad.yaml"
    file.write_text(BAD)
    done = program("run", "--config", file)
    assert done.returncode == EX_CONFIG
    for line in (1, 4, 7, 11):
        assert f"{file}:{line}:" in done.stderr


HOSTILE = {
    "empty": b"",
    "nul": b"\0\0\0",
    "not_utf8": b"listeners: \xff\xfe",
    "tab": b"listeners:\n\t- x",
    "unclosed": b"listeners: [",
    "scalar": b"hello",
    "list": b"- a\n- b",
    "duplicate": b"workers: 1\nworkers: 2\n",
    "deep": b"[" * 5000,
    "deep_json": b'{"a":' * 5000,
    "alias_bomb": b"a: &a [x,x,x,x,x,x,x,x,x]\n" + b"".join(
        b"%c: &%c [%s]\n" % (98 + i, 98 + i, b",".join([b"*%c" % (97 + i)] * 9)) for i in range(9)),
    "self_alias": b"a: &a [*a]",
    "two_documents": b"workers: 1\n---\nworkers: 2\n",
    "tag": b"workers: !!python/object:os.system 1\n",
    "huge": b"# " + b"x" * 20_000_000,
    "wrong_types": b"listeners: {a: b}\nservices: 7\nroutes: text\nadmin: [1]\nworkers: {}\n",
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_file_gets_an_error_and_never_a_crash(tmp_path, name):
    file = tmp_path / "hostile.yaml"
    file.write_bytes(HOSTILE[name])
    done = program("check", file)
    assert done.returncode == EX_CONFIG, said(done)[:2000]
    assert "hostile.yaml" in said(done)
    assert len(said(done)) < 100_000


def test_json_says_the_same_as_yaml(run, upstream):
    server = upstream()
    configuration = proxy_to(server, drain_timeout="3s")
    by_yaml = run(configuration)
    one = json.loads(by_yaml.admin("/config")[2])
    assert by_yaml.get("/").status == 200
    by_yaml.stop()
    text = json.dumps(by_yaml.configuration, indent=1)
    # The name says nothing: the content decides.
    by_json = run(by_yaml.configuration, text=text, name="sidecar.conf")
    assert by_json.get("/").status == 200
    two = json.loads(by_json.admin("/config")[2])
    for each in (one, two):
        each.pop("access_log", None)
    assert one == two


def test_services_may_stand_in_a_file_of_their_own(run, upstream, tmp_path):
    configuration = proxy_to(upstream())
    services = tmp_path / "services.yaml"
    services.write_text(yaml.safe_dump({"services": configuration.pop("services")}))
    assert run({**configuration, "services_file": str(services)}).get("/").status == 200


def test_the_environment_comes_before_the_file(run, upstream):
    port = free_port()
    proxy = run(proxy_to(upstream()), environment={"SIDECAR_ADMIN_ADDRESS": f"127.0.0.1:{port}"}, wait=False)
    proxy.admin_port = port
    proxy.wait_ready()
    assert proxy.get("/").status == 200


@pytest.mark.parametrize("which", ["listener", "admin"])
def test_a_port_in_use_is_69_with_its_address_named(tmp_path, upstream, which):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        address = "127.0.0.1:%d" % taken.getsockname()[1]
        configuration = proxy_to(upstream(), **({"admin": {"address": address}} if which == "admin" else {}))
        if which == "listener":
            configuration["listeners"][0]["address"] = address
        proxy = Sidecar(tmp_path, configuration, wait=False)
        assert proxy.wait_exit() == EX_UNAVAILABLE
        assert address in proxy.errors()


@pytest.mark.parametrize("workers", [1, 2])
def test_a_second_proxy_on_the_same_ports_is_told_so(run, upstream, tmp_path, workers):
    """SO_REUSEPORT would let two processes share a port, and each get half of the connections."""
    configuration = proxy_to(upstream(), workers=workers)
    run(configuration)
    second = Sidecar(tmp_path, {**configuration, "admin": {"address": f"127.0.0.1:{free_port()}"}}, wait=False)
    try:
        assert second.wait_exit(5) == EX_UNAVAILABLE
        assert configuration["listeners"][0]["address"] in second.errors()
    finally:
        second.process.kill()
