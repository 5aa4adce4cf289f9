"""The built program as a process: started on a configuration, watched, stopped, never to crash unnoticed."""

import ctypes
import http.client
import json
import os
import resource
import signal
import subprocess
from pathlib import Path

import yaml

from .client import RawClient
from .ports import free_port
from .prometheus import Metrics
from .waiting import wait_for

ROOT = Path(__file__).resolve().parents[3]
BINARY = os.environ.get("SIDECAR_BINARY", str(ROOT / ".build" / "release" / "sidecar"))

_Dumper = getattr(yaml, "CSafeDumper", yaml.SafeDumper)

EX_OK, EX_USAGE, EX_UNAVAILABLE, EX_CONFIG = 0, 64, 69, 78


def program(*arguments, timeout=20, **options):
    """Runs one of the program's commands to its end."""
    return subprocess.run(
        [BINARY, *map(str, arguments)], capture_output=True, text=True, timeout=timeout, check=False, **options)


def proxy_to(*endpoints, listener=None, service=None, **top):
    """A configuration: one listener `web` whose whole port goes to one service `app` with these endpoints."""
    listeners = [{"name": "web", "address": f"127.0.0.1:{free_port()}", "service": "app", **(listener or {})}]
    services = [{"name": "app", "endpoints": [getattr(e, "address", e) for e in endpoints], **(service or {})}]
    return {"listeners": listeners, "services": services, **top}


def gateway(routes, services=None, listener=None, **top):
    """A configuration: one listener `web` with these routes; services are given as name: upstream."""
    return {
        "listeners": [{"name": "web", "address": f"127.0.0.1:{free_port()}", **(listener or {})}],
        "services": [
            {"name": name, "endpoints": [getattr(upstream, "address", upstream)]}
            for name, upstream in (services or {}).items()
        ],
        "routes": routes,
        **top,
    }


class Sidecar:
    """One running proxy. What the configuration leaves out: an admin address on loopback, one worker, and a JSON access
    log in the test's directory."""

    def __init__(self, directory, configuration, text=None, name="sidecar.yaml", environment=None, descriptors=None,
                 wait=True):
        self.directory = Path(directory)
        self.admin_port = free_port()
        self.access_log = self.directory / "access.log"
        configuration = {
            "workers": 1,
            "admin": {"address": f"127.0.0.1:{self.admin_port}"},
            "access_log": {"path": str(self.access_log), "format": "json"},
            **configuration,
        }
        admin = configuration["admin"]["address"]
        self.admin_port = int(admin.rsplit(":", 1)[1])
        self.configuration = {key: value for key, value in configuration.items() if value is not None}
        self.file = self.directory / name
        self.file.write_text(text or yaml.dump(self.configuration, Dumper=_Dumper, sort_keys=False))
        self.stdout = self.directory / "stdout"
        self.stderr = self.directory / "stderr"
        self._environment = environment
        self._descriptors = descriptors
        self.start()
        if wait:
            self.wait_ready()

    def start(self):
        with open(self.stdout, "ab") as stdout, open(self.stderr, "ab") as stderr:
            self.process = subprocess.Popen(
                [BINARY, "run", "--config", str(self.file)], stdout=stdout, stderr=stderr, preexec_fn=self._prepare,
                env={**os.environ, **(self._environment or {})}, cwd=self.directory)

    def _prepare(self):
        if self._descriptors:
            resource.setrlimit(resource.RLIMIT_NOFILE, (self._descriptors, self._descriptors))
        # Should the tests be killed, the kernel ends the proxy too.
        ctypes.CDLL(None).prctl(1, signal.SIGKILL)

    def wait_ready(self):
        def ready():
            status = self.process.poll()
            assert status is None, f"ended with {status} instead of becoming ready: {self.errors()}"
            try:
                return self.admin("/readyz")[0] == 200
            except (ConnectionError, http.client.HTTPException):
                return False

        wait_for(ready, "the proxy to become ready")

    def errors(self):
        return self.stderr.read_text(errors="replace")

    def output(self):
        return self.stdout.read_text(errors="replace")

    # Its ports.

    def port(self, listener="web"):
        for entry in self.configuration["listeners"]:
            if entry["name"] == listener:
                return int(entry["address"].rsplit(":", 1)[1])
        raise KeyError(listener)

    def url(self, path="/", listener="web"):
        return f"http://127.0.0.1:{self.port(listener)}{path}"

    def client(self, listener="web", **options):
        return RawClient(self.port(listener), **options)

    def get(self, path="/", *lines, host="test.local"):
        """One request on a connection of its own."""
        return self.request("GET", path, *lines, host=host)

    def request(self, method, path="/", *lines, host="test.local", body=b"", listener="web"):
        with self.client(listener) as client:
            return client.request(method, path, *lines, host=host, body=body)

    # What it says of itself.

    def admin(self, path, method="GET", headers=None, host="127.0.0.1", body=None):
        """Status, headers and text of one request to the admin port."""
        connection = http.client.HTTPConnection(host, self.admin_port, timeout=10)
        try:
            connection.request(method, path, body=body, headers=headers or {})
            response = connection.getresponse()
            return response.status, response.headers, response.read().decode()
        finally:
            connection.close()

    def metrics(self):
        status, _, text = self.admin("/metrics")
        assert status == 200
        return Metrics(text)

    def wait_metric(self, name, value, **labels):
        """A metric is published a moment after what it counts."""
        wait_for(lambda: self.metrics().sum(name, **labels) == value, f"{name}{labels} to be {value}")

    def log_lines(self):
        """The access log so far; every complete line must be one JSON object."""
        if not self.access_log.exists():
            return []
        lines = self.access_log.read_text().split("\n")[:-1]
        return [json.loads(line) for line in lines]

    def log_line(self, **fields):
        """The one line with these fields (dots written as double underscores); waits, for the log is buffered."""
        wanted = {key.replace("__", "."): value for key, value in fields.items()}

        def matching():
            return [line for line in self.log_lines() if all(line.get(k) == v for k, v in wanted.items())]

        found = wait_for(matching, f"an access log line with {wanted} in {self.access_log}")
        assert len(found) == 1, f"{len(found)} lines with {wanted}: {found}"
        return found[0]

    # The process.

    @property
    def pid(self):
        return self.process.pid

    def descriptors(self):
        """What each open descriptor is."""
        directory = f"/proc/{self.pid}/fd"
        found = []
        for entry in os.listdir(directory):
            try:
                found.append(os.readlink(f"{directory}/{entry}"))
            except FileNotFoundError:
                pass
        return sorted(found)

    def sockets(self):
        return sum(1 for name in self.descriptors() if name.startswith("socket:"))

    def pss(self):
        """Proportional set size in bytes."""
        for line in Path(f"/proc/{self.pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) * 1024
        raise AssertionError("no Pss")

    def signal(self, number):
        self.process.send_signal(number)

    def wait_exit(self, timeout=15):
        return self.process.wait(timeout)

    def is_running(self):
        return self.process.poll() is None

    def stop(self):
        """Ends it by two signals, that is at once, and demands the clean exit code."""
        if self.is_running():
            self.signal(signal.SIGTERM)
            self.signal(signal.SIGTERM)
        try:
            return self.wait_exit()
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait(5)
            raise AssertionError("did not exit after two SIGTERM; killed") from None
