"""What the examples tell readers to type, typed; and what they say one sees, compared. `...` stands for anything."""

import os
import re
import signal
import socket
import subprocess
import sys

import pytest

from support.ports import free_port
from support.sidecar import BINARY, ROOT, EX_OK, program
from support.waiting import wait_for

EXAMPLES = sorted(path.parent for path in (ROOT / "examples").glob("*/README.md"))


def console(text):
    """The commands of the ```console blocks, each with the output that follows it."""
    steps = []
    for block in re.findall(r"^```console\n(.*?)^```", text, re.M | re.S):
        for line in block.splitlines():
            if line.startswith("$ "):
                steps.append((line[2:], []))
            else:
                steps[-1][1].append(line)
    return [(command, "".join(line + "\n" for line in output)) for command, output in steps]


def like(expected):
    """A pattern: what is written, with `...` for anything, a line of it for any lines."""
    escaped = re.escape(expected).replace(re.escape("...\n"), r"(?s:.*)").replace(re.escape("..."), r"(?s:.*)")
    return re.compile(escaped + r"\s*\Z")


def accepts(port):
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@pytest.mark.parametrize("example", EXAMPLES, ids=[path.name for path in EXAMPLES])
def test_what_a_reader_types_answers_what_the_reader_is_told(example, tmp_path):
    """The files and commands are taken as they stand, but for their ports, which may be taken here, and the program."""
    readme = (example / "README.md").read_text()
    configuration = (example / "sidecar.yaml").read_text()
    ports = {port: str(free_port()) for port in sorted(set(re.findall(r"127\.0\.0\.1:(\d+)", readme + configuration)))}

    def moved(text):
        for old, new in ports.items():
            text = re.sub(rf"(127\.0\.0\.1:|--port ){old}\b", rf"\g<1>{new}", text)
        text = text.replace(f"examples/{example.name}/sidecar.yaml", str(tmp_path / "sidecar.yaml"))
        text = text.replace("/tmp/sidecar-mistake.yaml", str(tmp_path / "mistake.yaml"))
        text = re.sub(r"\.build/release/sidecar (wait|drain|quit)", rf"\g<0> --admin 127.0.0.1:{ports['15020']}", text)
        return text.replace(".venv/bin/python", sys.executable).replace(".build/release/sidecar", BINARY)

    (tmp_path / "sidecar.yaml").write_text(moved(configuration))
    own = example / "app.py"
    app = subprocess.Popen([
        sys.executable, *([own, "serve"] if own.exists() else [ROOT / "examples/hello/app.py"]), "--port", ports["9000"]])
    with open(tmp_path / "log", "wb") as log:
        proxy = subprocess.Popen([BINARY, "run", "--config", tmp_path / "sidecar.yaml"], stdout=log, stderr=log)
    try:
        wait_for(lambda: accepts(int(ports["9000"])), "the application")
        for command, expected in console(moved(readme)):
            done = subprocess.run(
                command, shell=True, cwd=ROOT, capture_output=True, text=True, timeout=30, check=False)
            shown = done.stdout + done.stderr
            assert like(expected).fullmatch(shown), f"$ {command}\n{shown}\ninstead of\n{expected}"
        assert proxy.wait(10) == 0
    finally:
        for process in (proxy, app):
            if process.poll() is None:
                process.kill()
            process.wait()


@pytest.mark.parametrize("file", sorted([*(ROOT / "examples").glob("*/*.yaml"), ROOT / "sidecar.yaml"]),
                         ids=lambda path: str(path.relative_to(ROOT)))
def test_every_configuration_of_the_repository_is_valid(file):
    done = program("check", file)
    assert done.returncode == EX_OK, done.stdout + done.stderr


def test_the_example_runs_and_shows_what_it_says(tmp_path):
    """It uses the ports of sidecar.yaml, which somebody else may have."""
    taken = [port for port in (8000, 9000, 9001, 15020) if accepts(port)]
    if taken:
        pytest.skip(f"ports in use: {taken}")
    with open(tmp_path / "shown", "w") as shown:
        example = subprocess.Popen(
            [ROOT / "examples" / "hello" / "run"], stdout=shown, stderr=subprocess.STDOUT, start_new_session=True,
            env={**os.environ, "PROGRAM": BINARY})
    try:
        text = _shown(example, tmp_path / "shown")
    finally:
        # As Ctrl-C does: to the whole group.
        os.killpg(example.pid, signal.SIGINT)
        status = example.wait(15)
    assert status == 0, text
    assert "hello\n" in text
    assert '[{"id": 1, "item": "tea"}' in text
    assert '{"id": 3, "item": "jam"}' in text
    assert "\n301 http://127.0.0.1:8000/\n" in text
    assert "x-sidecar-reason: bad_request" in text
    assert 'sidecar_requests_total{listener="orders-local"' in text
    wait_for(lambda: not any(accepts(port) for port in (8000, 9000, 9001, 15020)), "everything to have ended")


def _shown(example, file):
    def shown():
        assert example.poll() is None, file.read_text()
        text = file.read_text()
        return text if "The access log:" in text else None

    return wait_for(shown, "the example to be up")
