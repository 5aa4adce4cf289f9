"""h2load: HTTP/2, over TLS by ALPN and without it by prior knowledge."""

from __future__ import annotations

import re

from generator_process import GeneratorError, last_words, printed
from load import Load, Outcome, outcome
from process import Cores

_CIPHER = "TLS_AES_256_GCM_SHA384"
_GROUP = "X25519"
# It sets its own lists, over those of openssl.cnf.
_OFFER = [f"--tls13-ciphers={_CIPHER}", f"--groups={_GROUP}"]

_REQUESTS = re.compile(
    r"^requests: \d+ total, \d+ started, (?P<done>\d+) done, \d+ succeeded, (?P<failed>\d+) failed, "
    r"(?P<errored>\d+) errored, (?P<timeout>\d+) timeout$", re.MULTILINE)
_STATUS = re.compile(r"^status codes: \d+ 2xx, (\d+) 3xx, (\d+) 4xx, (\d+) 5xx$", re.MULTILINE)
_BODIES = re.compile(r"^traffic: .* \((\d+)\) data$", re.MULTILINE)


def run(load: Load, port: int, seconds: int, cores: Cores) -> Outcome:
    scheme = "https" if load.tls else "http"
    command = ["h2load", "--threads=1", f"--clients={load.connections}", f"--max-concurrent-streams={load.streams}",
               f"--duration={seconds}", "--warm-up-time=0", *(_OFFER if load.tls else []),
               f"{scheme}://127.0.0.1:{port}{load.path}"]
    ended = printed(command, seconds, cores)
    requests, status, bodies = (each.search(ended.stdout) for each in (_REQUESTS, _STATUS, _BODIES))
    if ended.returncode or not requests or not status or not bodies:
        raise GeneratorError("h2load failed: " + last_words(ended))
    done = int(requests["done"])
    # Requests under way at the end of the time are dropped; apart from a status that just came in, nothing counts them.
    errors = {kind: int(requests[kind]) for kind in ("failed", "errored", "timeout")}
    errors["status"] = sum(map(int, status.groups()))
    if done and (wrong := _negotiated_otherwise(load, ended.stdout)):
        errors[wrong] = 1
    return outcome(load, done, seconds, int(bodies[1]), errors)


def _negotiated_otherwise(load: Load, text: str) -> str | None:
    """What of the first connection's negotiation is not as it is for all others; nil when all is well."""
    expected = {"Application protocol": "h2" if load.tls else "h2c"}
    if load.tls:
        expected |= {"TLS Protocol": "TLSv1.3", "Cipher": _CIPHER, "Server Temp Key": _GROUP}
    for name, value in expected.items():
        found = re.search(rf"^{name}: (\S+)", text, re.MULTILINE)
        if not found or found[1] != value:
            return f"{name} {found[1] if found else 'missing'} instead of {value}"
    return None
