"""Fixtures: everything a test starts is stopped when it ends, and a proxy that crashed fails the test it crashed in."""

import itertools

import pytest

from support.nginx import NGINX, Nginx
from support.sidecar import BINARY, Sidecar
from support.upstream import ScriptedUpstream


def pytest_configure(config):
    import os

    if not os.access(BINARY, os.X_OK):
        pytest.exit(f"{BINARY} is missing: run `make build` first, or set SIDECAR_BINARY", returncode=2)


@pytest.fixture
def upstream():
    """Starts scripted upstreams: `upstream(script)`."""
    started = []

    def start(script=None, **options):
        started.append(ScriptedUpstream(script, **options))
        return started[-1]

    yield start
    for one in started:
        one.close()


@pytest.fixture
def run(tmp_path):
    """Starts proxies: `run(configuration)`."""
    started = []
    numbers = itertools.count()

    def start(configuration, **options):
        directory = tmp_path / f"sidecar-{next(numbers)}"
        directory.mkdir()
        started.append(Sidecar(directory, configuration, **options))
        return started[-1]

    yield start
    for one in started:
        status = one.stop()
        print(one.errors())
        assert status == 0, f"the proxy ended with {status}"


@pytest.fixture(scope="session")
def nginx(tmp_path_factory):
    """One nginx for the whole run; its files and checksums never change."""
    if NGINX is None:
        pytest.fail("nginx is missing: run `make setup`")
    server = Nginx(tmp_path_factory.mktemp("nginx"))
    yield server
    server.close()
