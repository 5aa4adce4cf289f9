"""The soak: many connections against endpoints that die, restart, hang, answer garbage or close in the middle, with
clients that vanish. The proxy must not crash, leak or garble, and must give every failed request its reason.

    python Tests/EndToEnd/soak/soak.py --seconds 60 --connections 1000
    python Tests/EndToEnd/soak/soak.py --quick
"""

import argparse
import asyncio
import collections
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path[:0] = [str(Path(__file__).resolve().parent), str(Path(__file__).resolve().parents[1])]

from clients import CUT, Clients  # noqa: E402
from support import names  # noqa: E402
from support.ports import free_port  # noqa: E402
from support.sidecar import Sidecar  # noqa: E402
from support.waiting import wait_for  # noqa: E402

# What the allocator may keep beyond the first round, which is where the peaks of later ones find their room; a leak of
# 100 bytes a request would be far more.
MEMORY_GROWTH_BYTES = 4 * 1024 * 1024
# Descriptors of the pipes for splicing that the two workers keep.
PIPES_MAX = 2 * 8 * 2


def configuration(good, bad, flaky):
    timeouts = {"connect": "2s", "response": "2s", "idle": "5s"}
    pool = {"idle_timeout": "500ms"}
    return {
        "workers": 2,
        "listeners": [{"name": "web", "address": f"127.0.0.1:{free_port()}"}],
        "services": [
            {"name": name, "endpoints": [f"127.0.0.1:{port}"], "timeouts": timeouts, "pool": pool}
            for name, port in (("good", good), ("bad", bad), ("flaky", flaky))
        ],
        "routes": [{"name": name, "hosts": [name], "service": name} for name in ("good", "bad", "flaky")],
    }


def quiescent(proxy):
    """Waits until nothing is in flight or parked."""
    def still():
        metrics = proxy.metrics()
        return all(metrics.sum(name) == 0 for name in (
            names.REQUESTS_ACTIVE, names.CONNECTIONS_ACTIVE, names.UPSTREAM_IDLE))

    wait_for(still, "the proxy to come to rest", deadline=30)


def check_log(proxy, clients):
    """Every request that was cut, and every one whose client left, has its reason in the access log."""
    wanted = set(clients.cut) | clients.left
    interesting = wanted | clients.perhaps_seen
    reasons = {}

    def complete():
        assert proxy.metrics().sum(names.LOG_DROPPED) == 0, "the access log dropped lines"
        for line in proxy.log_lines():
            if line.get(names.LOG_PATH) in interesting:
                reasons[line[names.LOG_PATH]] = line.get(names.LOG_REASON)
        return wanted <= reasons.keys()

    try:
        wait_for(complete, "the access log to be complete")
    except AssertionError as error:
        missing = sorted(wanted - reasons.keys())
        return [f"{error}; {len(missing)} of {len(wanted)} lines missing, such as {missing[:5]}"]
    problems = []
    for path, kind in clients.cut.items():
        if reasons[path] not in CUT:
            problems.append(f"{path} ({kind}) was cut and the log says {reasons[path]!r}")
    for path in clients.left | (clients.perhaps_seen & reasons.keys()):
        # Who sends the end of the stream together with the request may still wait for the answer, as far as anyone can
        # tell: then it is the endpoint that fails.
        allowed = {"client_closed", "response_timeout"} if path.startswith("/hang/") else {"client_closed"}
        if reasons[path] not in allowed:
            problems.append(f"{path} was left by its client and the log says {reasons[path]!r}")
    return problems


def soak(seconds, connections, directory, rounds, say=print):
    """Problems found; none when all is well."""
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    upstreams = subprocess.Popen(
        [sys.executable, Path(__file__).parent / "upstreams.py"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    proxy, problems = None, []
    try:
        ports = [int(port) for port in upstreams.stdout.readline().split()]
        proxy = Sidecar(directory, configuration(*ports))
        outcomes = collections.Counter()
        figures = []
        for number in range(rounds):
            clients = Clients(proxy.port(), seed=number)
            # Numbers go on from round to round, for the log is one.
            clients.numbers = iter(range(1 + number * 10_000_000, 1 << 60))
            asyncio.run(clients.run(connections, seconds / rounds))
            outcomes += clients.outcomes
            problems += clients.problems
            if not proxy.is_running():
                return problems + [f"the proxy ended with {proxy.process.returncode}: {proxy.errors()[-2000:]}"]
            quiescent(proxy)
            problems += check_log(proxy, clients)
            open_ones = proxy.descriptors()
            pipes = sum(1 for name in open_ones if name.startswith("pipe:"))
            if pipes > PIPES_MAX:
                problems.append(f"{pipes} descriptors of pipes")
            figures.append((len(open_ones) - pipes, proxy.pss()))
            say(f"round {number + 1}: {sum(clients.outcomes.values())} requests, {figures[-1][0]} descriptors, "
                f"{figures[-1][1] / 1048576:.1f} MiB, {len(problems)} problems")
        descriptors, memory = zip(*figures)
        if descriptors[-1] > descriptors[0]:
            problems.append(f"descriptors grew: {descriptors}")
        if memory[-1] - memory[0] > MEMORY_GROWTH_BYTES:
            problems.append(f"memory grew: {memory}")
        for outcome, count in sorted(outcomes.items()):
            say(f"  {count:8} {outcome}")
        if proxy.stop() != 0:
            problems.append(f"the proxy ended with {proxy.process.returncode}: {proxy.errors()[-2000:]}")
        return problems
    finally:
        if proxy and proxy.is_running():
            proxy.process.kill()
            proxy.process.wait()
        upstreams.stdin.close()
        upstreams.terminate()
        upstreams.wait()


def main():
    parser = argparse.ArgumentParser(description="Soaks the proxy in misbehaving clients and endpoints.")
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--connections", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=6)
    parser.add_argument("--quick", action="store_true", help="5 seconds and 100 connections")
    options = parser.parse_args()
    if options.quick:
        options.seconds, options.connections, options.rounds = 5, 100, 4
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="soak-") as directory:
        problems = soak(options.seconds, options.connections, directory, options.rounds)
    print(f"{time.monotonic() - began:.0f} s")
    for problem, count in collections.Counter(problems).most_common(50):
        print(f"PROBLEM: {problem}" + (f" ({count} times)" if count > 1 else ""))
    sys.exit(1 if problems else 0)


if __name__ == "__main__":
    main()
