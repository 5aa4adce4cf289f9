"""wrk: HTTP/1.1, with and without TLS, over connections that are kept or opened anew for each request.

Over TLS only kept ones: wrk resumes sessions, and a resumed handshake proves nothing about a full one.
"""

from __future__ import annotations

import json
from pathlib import Path

from generator_process import GeneratorError, last_words, printed
from load import Load, Outcome, outcome
from process import Cores

_SCRIPT = Path(__file__).with_name("wrk.lua")


def run(load: Load, port: int, seconds: int, cores: Cores) -> Outcome:
    scheme = "https" if load.tls else "http"
    command = ["wrk", "--threads", "1", "--connections", str(load.connections), "--duration", f"{seconds}s",
               "--timeout", "10s", "--script", str(_SCRIPT), *(["-H", "Connection: close"] if load.closes else []),
               f"{scheme}://127.0.0.1:{port}{load.path}", "--", *([] if load.routes is None else [str(load.routes)])]
    ended = printed(command, seconds, cores)
    for line in ended.stdout.splitlines():
        if line.startswith("FIGURES "):
            figures = json.loads(line.removeprefix("FIGURES "))
            return outcome(load, figures["requests"], figures["duration_us"] / 1e6, figures["bytes"],
                           figures["errors"], figures["p50_us"], figures["p99_us"])
    raise GeneratorError("wrk failed: " + last_words(ended))
