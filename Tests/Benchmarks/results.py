"""What was measured: figures by row and peer, and what spoiled some of them."""

from __future__ import annotations

import statistics
from dataclasses import dataclass, field

from peers import Peer
from rows import BEST_PEER, Row, Target


@dataclass
class Cell:
    """One row's figures for one peer. One problem makes the cell invalid: failed requests are cheap ones."""

    values: list[float] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    detail: str = ""
    """What the figure is made of."""
    absent: str | None = None
    """Why it could not be measured, where that is nobody's failure."""

    @property
    def figure(self) -> float | None:
        """The median over the rounds."""
        return None if self.problems or not self.values else statistics.median(self.values)


@dataclass
class Results:
    peers: list[Peer]
    rows: list[Row]
    cells: dict[tuple[str, str], Cell] = field(default_factory=dict)
    requests_per_second: dict[tuple[str, str], list[float]] = field(default_factory=dict)
    """By load and peer; for the record, it is no figure to judge by."""
    waited: list[float] = field(default_factory=list)
    """Shares of time that proxies waited for their core."""

    def cell(self, row: Row, peer: Peer) -> Cell:
        return self.cells.setdefault((row.key, peer.name), Cell())

    def figure(self, row: Row, peer: Peer) -> float | None:
        cell = self.cells.get((row.key, peer.name))
        return cell.figure if cell else None

    @property
    def ours(self) -> Peer | None:
        return next((peer for peer in self.peers if peer.is_ours), None)

    def best_peer(self, row: Row) -> tuple[Peer, float] | None:
        figures = [(peer, figure) for peer in self.peers
                   if peer.is_proxy and not peer.is_ours and (figure := self.figure(row, peer)) is not None]
        return min(figures, key=lambda each: each[1], default=None)

    def ratio(self, row: Row) -> float | None:
        """Ours to what its target refers to."""
        ours = self.figure(row, self.ours) if self.ours else None
        if ours is None or row.target is None or row.target.of is None:
            return None
        reference = self._reference(row, row.target)
        return ours / reference if reference else None

    def is_met(self, row: Row) -> bool | None:
        """Whether our figure keeps its target; none without a figure or a target."""
        ours = self.figure(row, self.ours) if self.ours else None
        if row.target is None or ours is None:
            return None
        judged = ours if row.target.of is None else self.ratio(row)
        return None if judged is None else judged <= row.target.limit

    @property
    def problems(self) -> list[str]:
        return [f"{row_key}, {peer}: {problem}" for (row_key, peer), cell in self.cells.items()
                for problem in dict.fromkeys(cell.problems)]

    @property
    def details(self) -> list[str]:
        return [f"{row_key}, {peer}: {cell.detail}" for (row_key, peer), cell in self.cells.items() if cell.detail]

    def _reference(self, row: Row, target: Target) -> float | None:
        if target.of == BEST_PEER:
            best = self.best_peer(row)
            return best[1] if best else None
        other = next((each for each in self.rows if each.key == target.of), None)
        return self.figure(other, self.ours) if other and self.ours else None
