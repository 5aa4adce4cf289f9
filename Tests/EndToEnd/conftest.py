"""Fixtures: everything a test starts is stopped when it ends, and a proxy that crashed fails the test it crashed in."""

import itertools

import pytest

from support.certificates import Authority
from support.nginx import NGINX, Nginx
from support.sidecar import BINARY, Sidecar
from support.upstream import ScriptedUpstream, answers, response


def pytest_configure(config):
    import os

    if not os.access(BINARY, os.X_OK):
        pytest.exit(f"{BINARY} is missing: run `make build` first, or set SIDECAR_BINARY", returncode=2)


def _upstreams():
    started = []

    def start(script=None, **options):
        started.append(ScriptedUpstream(script, **options))
        return started[-1]

    yield start
    for one in started:
        one.close()


def _proxies(directory):
    started = []
    numbers = itertools.count()

    def start(configuration, **options):
        place = directory / f"sidecar-{next(numbers)}"
        place.mkdir()
        started.append(Sidecar(place, configuration, **options))
        return started[-1]

    yield start
    for one in started:
        status = one.stop()
        print(one.errors())
        assert status == 0, f"the proxy ended with {status}"


@pytest.fixture
def upstream():
    """Starts scripted upstreams: `upstream(script)`."""
    yield from _upstreams()


@pytest.fixture
def run(tmp_path):
    """Starts proxies: `run(configuration)`."""
    yield from _proxies(tmp_path)


@pytest.fixture(scope="module")
def shared_upstream():
    """`upstream` for all tests of a file."""
    yield from _upstreams()


@pytest.fixture(scope="module")
def shared_run(tmp_path_factory):
    """`run` for all tests of a file: for those that only look at what one connection gets."""
    yield from _proxies(tmp_path_factory.mktemp("shared"))


@pytest.fixture(scope="session")
def authority(tmp_path_factory):
    """Who issues the certificates."""
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="session")
def nginx(tmp_path_factory):
    """One nginx for the whole run; its files and checksums never change."""
    if NGINX is None:
        pytest.fail("nginx is missing: run `make setup`")
    server = Nginx(tmp_path_factory.mktemp("nginx"))
    yield server
    server.close()


@pytest.fixture(scope="session")
def server_certificate(authority):
    """What most servers of the tests show."""
    return authority.issue("test.local", "127.0.0.1")


@pytest.fixture(scope="session")
def people(authority):
    """Clients' certificates, good and bad."""
    return {
        "alice": authority.issue("alice.local", "spiffe://story/alice", common_name="alice"),
        "bob": authority.issue("bob.local", common_name="bob"),
        "revoked": authority.issue("mallory.local", common_name="mallory"),
        "expired": authority.issue("late.local", days=-0.5, begins=-2),
    }


@pytest.fixture(scope="session")
def strangers(tmp_path_factory):
    """Who issues certificates that nobody trusts."""
    return Authority(tmp_path_factory.mktemp("strangers"), "Another Authority")


@pytest.fixture(scope="module")
def plain(shared_upstream):
    """An endpoint without TLS that answers `ok`."""
    return shared_upstream(answers(response(b"ok\n")))
