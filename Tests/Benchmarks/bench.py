#!/usr/bin/env python3
"""`make bench`: what a request costs, here and in the proxies that users would take instead.

    make bench-peers                          installs nginx, HAProxy, Envoy, nghttpx and the load generators
    make bench                                the table, in some fifteen minutes
    Tests/Benchmarks/bench.py --quick         a smoke run of a minute or two: it shows that everything works, no more
    Tests/Benchmarks/bench.py --rows small,10k --peers nginx,sidecar --rounds 9
    Tests/Benchmarks/bench.py --rows h2-h1,h2-h2,https,https-h2,tls-connect,idle-h2,idle-tls
    Tests/Benchmarks/bench.py --readme README.md     puts the table between the README's two bench markers

The unit is CPU microseconds per request: user and system time of all processes and threads of a proxy, divided by the
requests that the load generator counted: wrk for HTTP/1.1, h2load for HTTP/2, handshakes.py for new TLS connections.
Each proxy runs one worker, pinned to one core; the load generator and the backend, an nginx, share another.
All proxies take turns in each round, and the figure is the median of the rounds, so that a machine that drifts does so
for all of them. Only the ratios of one run mean anything; microseconds of different machines or days do not compare.

A figure counts only if every request was answered with 200 and its whole body: one error and the cell says `invalid`
and the exit status is 1. A target that was missed is shown and changes no exit status; judging is for people.

`direct` is the backend without a proxy, its CPU time and its latency: the sanity check of everything else. The list of
peers is in peers.py, of rows in rows.py; a row is one entry there. Only loopback is used; all that is started ends with
the run, also when it is interrupted. Python's standard library is all it needs besides nginx, wrk, h2load and openssl.
"""

from __future__ import annotations

import argparse
import os
import resource
import signal
import statistics
import sys
from pathlib import Path

import generator
import machine
import report
import rows as all_rows
from client import check
from load import Load
from peers import PEERS, Backend, Nginx, Peer, Sidecar
from probes import Effort, NotApplicable, Probe, ProbeError, describe_errors
from process import Cores, Stage, StartError
from results import Results
from rows import Row
from stand import Measurement, Stand

_WAITED_SHARE_MAX = 0.05


def main() -> int:
    options = parse_arguments()
    # Two thousand idle connections need descriptors here and in each proxy; children inherit the limit.
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    # Also where a shell started this in the background, deaf to it.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    signal.signal(signal.SIGHUP, lambda *_: sys.exit(129))

    cores = Cores.of_this_machine()
    if cores.are_pinned:
        os.sched_setaffinity(0, cores.load)
    results = Results(peers=options.peers, rows=options.rows)
    interrupted = False
    with Stage(cores) as stage:
        backend = next(peer for peer in options.peers if isinstance(peer, Backend))
        try:
            run(results, Stand(stage, backend), options.effort)
        except KeyboardInterrupt:
            interrupted = True

    warnings = machine.warnings(cores)
    if results.waited and statistics.median(results.waited) > _WAITED_SHARE_MAX:
        warnings.append(f"the proxies' core was shared with other work: they waited for it for "
                        f"{statistics.median(results.waited):.0%} of the time they used")
    circumstances = report.Circumstances(
        machine=machine.description(), versions={peer.name: peer.version() for peer in options.peers if peer.is_proxy},
        rounds=options.effort.rounds, seconds=options.effort.seconds, pinned=cores.are_pinned, warnings=warnings)
    print(report.terminal(results, circumstances), end="")
    if interrupted:
        return 130
    if options.markdown:
        options.markdown.write_text(report.markdown(results, circumstances))
    if options.json:
        options.json.write_text(report.as_json(results, circumstances))
    if options.readme:
        report.replace_between_markers(options.readme, report.markdown(results, circumstances))
    return 1 if results.problems else 0


def run(results: Results, stand: Stand, effort: Effort) -> None:
    """All rounds of all loads, then the probes. What fails spoils its own cell, never the run."""
    leave_out_those_without(results)
    for round_number in range(effort.rounds):
        for what, variant in distinct_loads(results.rows):
            for peer in participants(results, what, variant):
                if round_number == 0:
                    prepare(results, stand, effort, peer, what, variant)
                if not is_spoilt(results, peer, what, variant):
                    measured = stand.measure(stand.running(peer, variant), what, effort.seconds)
                    record(results, peer, what, variant, measured)
                    say(f"round {round_number + 1}/{effort.rounds}  {what.key:<12} {variant:<12} {peer.name:<8}"
                        f"{report.number(measured.cpu_us):>8} µs/request")
    stand.end_variants()
    for row in results.rows:
        for peer in results.peers:
            if row.probe and peer.is_proxy and is_asked(row, peer):
                take_probe(results, stand, effort, row, peer, row.probe)


def distinct_loads(rows: list[Row]) -> list[tuple[Load, str]]:
    """Rows that show different figures of one load share its runs."""
    return list(dict.fromkeys((row.load, row.variant) for row in rows if row.load))


def participants(results: Results, what: Load, variant: str) -> list[Peer]:
    return [peer for peer in results.peers if any(is_asked(row, peer) for row in rows_of(results, what, variant))]


def is_asked(row: Row, peer: Peer) -> bool:
    return (peer.is_ours or not row.ours_only) and peer.supports(row.variant)


def leave_out_those_without(results: Results) -> None:
    """Says of every peer which rows it has no configuration for."""
    for row in results.rows:
        for peer in results.peers:
            if not row.ours_only and not peer.supports(row.variant):
                results.cell(row, peer).absent = f"has nothing like {row.variant}"


def rows_of(results: Results, what: Load, variant: str) -> list[Row]:
    return [row for row in results.rows if row.load == what and row.variant == variant]


def prepare(results: Results, stand: Stand, effort: Effort, peer: Peer, what: Load, variant: str) -> None:
    """Starts the peer, looks at one whole answer, warms up."""
    try:
        running = stand.running(peer, variant)
        problem = check(what, running.ports.listen)
    except StartError as error:
        problem = str(error)
    if problem:
        for row in rows_of(results, what, variant):
            results.cell(row, peer).problems.append(problem)
    elif effort.warm_up_seconds:
        stand.measure(running, what, effort.warm_up_seconds)


def is_spoilt(results: Results, peer: Peer, what: Load, variant: str) -> bool:
    return any(results.cell(row, peer).problems for row in rows_of(results, what, variant))


def record(results: Results, peer: Peer, what: Load, variant: str, measured: Measurement) -> None:
    outcome = measured.outcome
    for row in rows_of(results, what, variant):
        cell = results.cell(row, peer)
        if outcome.errors:
            cell.problems.append(describe_errors(outcome.errors))
        else:
            cell.values.append(measured.cpu_us if row.figure == "cpu_us" else getattr(outcome, row.figure))
    if not outcome.errors:
        key = f"{what.key} ({variant})", peer.name
        results.requests_per_second.setdefault(key, []).append(outcome.requests / outcome.seconds)
        results.waited.append(measured.waited)


def take_probe(results: Results, stand: Stand, effort: Effort, row: Row, peer: Peer, probe: Probe) -> None:
    cell = results.cell(row, peer)
    try:
        reading = probe(stand, peer, effort)
        cell.values.append(reading.value)
        cell.detail = reading.detail
        say(f"           {row.key:<25} {peer.name:<8}{report.number(cell.values[-1]):>8} {row.unit}")
    except NotApplicable as reason:
        cell.absent = str(reason)
        say(f"           {row.key:<25} {peer.name:<8} not measured: {reason}")
    except (ProbeError, StartError, OSError) as error:
        cell.problems.append(str(error) or type(error).__name__)


def say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description="Compares the sidecar's cost per request with that of other proxies.",
        epilog="rows: " + ", ".join(row.key for row in all_rows.ROWS))
    parser.add_argument("--rounds", type=positive, default=5)
    parser.add_argument("--seconds", type=positive, default=2, help="of load per row, peer and round, whole ones")
    parser.add_argument("--rows", help="some of the rows only, separated by commas")
    parser.add_argument("--peers", help="some of the peers only, separated by commas; all installed ones by default")
    parser.add_argument("--binary", type=Path, help="the sidecar's program; .build/release/sidecar by default")
    parser.add_argument("--quick", action="store_true", help="the smoke size: one short round, a minute or two")
    parser.add_argument("--markdown", type=Path, metavar="FILE", help="write the table there as Markdown")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every single figure there")
    parser.add_argument("--readme", type=Path, metavar="FILE", help="replace what is between its bench markers")
    options = parser.parse_args()
    if options.readme and not report.has_markers(options.readme):
        parser.error(f"{options.readme}: no such file, or it lacks {' ... '.join(report.README_MARKERS)}")
    options.rows = choose_rows(parser, options.rows)
    options.peers = choose_peers(parser, options.peers, options.binary)
    if not any(peer.is_ours for peer in options.peers):
        options.rows = [row for row in options.rows if not row.ours_only]
    options.effort = Effort(rounds=options.rounds, seconds=options.seconds, warm_up_seconds=1,
                            idle_connections=2_000, starts=7)
    if options.quick:
        options.effort = Effort(rounds=1, seconds=1, warm_up_seconds=0, idle_connections=200, starts=3)
    return options


def positive(text: str) -> int:
    value = int(text)
    if value < 1:
        raise ValueError
    return value


def choose_rows(parser: argparse.ArgumentParser, wanted: str | None) -> list[Row]:
    if wanted is None:
        return all_rows.ROWS
    known = {row.key: row for row in all_rows.ROWS}
    if unknown := set(wanted.split(",")) - set(known):
        parser.error(f"no row {', '.join(sorted(unknown))}; there are {', '.join(known)}")
    return [row for row in all_rows.ROWS if row.key in wanted.split(",")]


def choose_peers(parser: argparse.ArgumentParser, wanted: str | None, binary: Path | None) -> list[Peer]:
    """The installed ones that are wanted, and the backend itself."""
    known = {kind.name.lower(): kind for kind in PEERS}
    names = list(known) if wanted is None else wanted.lower().split(",")
    if unknown := set(names) - set(known):
        parser.error(f"no peer {', '.join(sorted(unknown))}; there are {', '.join(known)}")
    nginx = Nginx.find()
    missing = ([] if nginx else ["nginx"]) + generator.missing()
    if not nginx or missing:
        parser.error(f"needed and not there: {', '.join(missing)}; make bench-peers installs all")
    if binary is not None and not binary.is_file():
        parser.error(f"{binary}: no such program")
    found: list[Peer] = [Backend(nginx)]
    for kind in PEERS:
        place = binary.resolve() if kind is Sidecar and binary else kind.find()
        if kind.name.lower() in names and place:
            found.append(kind(place))
        elif kind.name.lower() in names:
            say(f"{kind.name} is not there and left out: make {'build' if kind is Sidecar else 'bench-peers'}")
    return found


if __name__ == "__main__":
    sys.exit(main())
