"""Shows results: a table for the terminal, Markdown for the README, JSON for the record."""

from __future__ import annotations

import datetime
import json
import statistics
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from peers import Peer
from results import Results
from rows import BEST_PEER, Row

README_MARKERS = "<!-- bench:start -->", "<!-- bench:end -->"


@dataclass(frozen=True)
class Circumstances:
    """Everything beside the figures that their reader must know."""

    machine: dict[str, str]
    versions: dict[str, str]
    rounds: int
    seconds: int
    pinned: bool
    warnings: list[str]

    @property
    def sentence(self) -> str:
        today = datetime.date.today().isoformat()
        pinned = "proxy on one core, load generator and backend on another" if self.pinned else "nothing pinned"
        versions = ", ".join(f"{name} {version}" for name, version in self.versions.items())
        return (f"{today}, {self.machine['processor']}, {self.machine['memory']}, {self.machine['system']}, "
                f"kernel {self.machine['kernel']}; {pinned}; {self._extent}; {versions}.")

    @property
    def _extent(self) -> str:
        if self.rounds == 1:
            return f"a single round of {self.seconds} s per figure"
        return f"medians of {self.rounds} interleaved rounds of {self.seconds} s per figure"


def terminal(results: Results, circumstances: Circumstances) -> str:
    table = _table(results, best="*{}".format)
    widths = [max(len(line[i]) for line in table) for i in range(len(table[0]))]

    def aligned(line: list[str]) -> str:
        words = [line[0].ljust(widths[0]), *(word.rjust(width) for word, width in zip(line[1:], widths[1:]))]
        return "  ".join(words).rstrip()

    lines = [aligned(table[0]), "  ".join("-" * width for width in widths), *map(aligned, table[1:]), ""]
    lines.append("* best peer. CPU is user + system time of all processes of the proxy. — not applicable.")
    lines.append(circumstances.sentence)
    lines += results.details
    lines += [f"! {problem}" for problem in results.problems]
    lines += [f"warning: {warning}" for warning in circumstances.warnings]
    return "\n".join(lines) + "\n"


def markdown(results: Results, circumstances: Circumstances) -> str:
    head, *body = _table(results, best="**{}**".format)
    lines = [head, ["---"] + ["---:"] * (len(head) - 1), *body]
    text = "\n".join("| " + " | ".join(line) + " |" for line in lines)
    notes = [
        "CPU is user + system time of all processes of the proxy, one worker, per request that the load generator "
        "counted; the best peer is bold, — is not applicable. Repeat with `make bench-peers bench`.",
        circumstances.sentence,
        *(f"{detail}." for detail in results.details),
        *(f"Not valid: {problem}." for problem in results.problems),
        *(f"Warning: {warning}." for warning in circumstances.warnings),
    ]
    return text + "\n\n" + "\n\n".join(notes) + "\n"


def as_json(results: Results, circumstances: Circumstances) -> str:
    return json.dumps({
        "circumstances": vars(circumstances),
        "rows": [{
            "key": row.key, "title": row.title, "unit": row.unit,
            "ratio": results.ratio(row), "met": results.is_met(row),
            "peers": {
                peer.name: {"median": cell.figure, "values": cell.values, "problems": cell.problems,
                            "detail": cell.detail, "absent": cell.absent}
                for peer in results.peers if (cell := results.cells.get((row.key, peer.name)))},
        } for row in results.rows],
        "requests_per_second": {
            f"{load}, {peer}": statistics.median(values)
            for (load, peer), values in results.requests_per_second.items()},
    }, indent=2) + "\n"


def has_markers(file: Path) -> bool:
    """Whether the file is there and says where the table belongs."""
    start, end = README_MARKERS
    return file.is_file() and end in file.read_text().partition(start)[2]


def replace_between_markers(file: Path, text: str) -> None:
    """The file has the markers; they stay."""
    start, end = README_MARKERS
    before, _, rest = file.read_text().partition(start)
    _, _, after = rest.partition(end)
    file.write_text(f"{before}{start}\n{text}{end}{after}")


def _table(results: Results, best: Callable[[str], str]) -> list[list[str]]:
    """Rows of words, the head first."""
    head = ["work", *(peer.name for peer in results.peers)]
    if results.ours:
        head += ["ratio", "target", ""]
    table = [head]
    for row in results.rows:
        winner = results.best_peer(row)
        line = [f"{row.title}, {row.unit}"]
        for peer in results.peers:
            word = _word(results, row, peer)
            line.append(best(word) if winner and winner[0] is peer else word)
        if results.ours:
            ratio = results.ratio(row)
            met = results.is_met(row)
            line += ["" if ratio is None else f"{ratio:.2f}", _target(row),
                     "" if met is None else "met" if met else "missed"]
        table.append(line)
    return table


def _word(results: Results, row: Row, peer: Peer) -> str:
    cell = results.cells.get((row.key, peer.name))
    if cell is None:
        return ""
    if cell.figure is not None:
        return number(cell.figure)
    return "invalid" if cell.problems else "—" if cell.absent else ""


def _target(row: Row) -> str:
    if row.target is None:
        return ""
    limit = f"≤ {row.target.limit:g}"
    if row.target.of is None:
        return f"{limit} {row.unit}"
    return f"{limit} of the {BEST_PEER}" if row.target.of == BEST_PEER else f"{limit} of {row.target.of}"


def number(value: float) -> str:
    """Three digits, which is more than the noise leaves."""
    return f"{value:.2f}" if abs(value) < 10 else f"{value:.1f}" if abs(value) < 100 else f"{value:,.0f}"
