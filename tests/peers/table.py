"""What each peer showed, one row a channel, told at the end of the run and kept as JSON.

A test adds its row by the fixture `table`:

    table.row("kannel", peer="Kannel 1.4.5, fakesmsc", texts_in=20, texts_out=20, receipts=40, faults=("kill -9",))
    table.outage("kannel", peer="Kannel 1.4.5", down="40 s; retries every 2 s", sent=10, arrived=10, how="retries")
"""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

ROWS = ("channel", "peer", "texts_in", "texts_out", "receipts", "faults", "lost", "doubled")
OUTAGES = ("channel", "peer", "down", "sent", "arrived", "lost", "how")


@dataclass
class Row:
    """Texts that came in and went out, receipts, the faults tried, and what they cost."""

    channel: str
    peer: str
    texts_in: int = 0
    texts_out: int = 0
    receipts: int = 0
    faults: Sequence[str] = ()
    lost: int = 0
    doubled: int = 0


@dataclass
class Outage:
    """What people sent while the gateway was `down`, what had `arrived` afterwards, and `how`."""

    channel: str
    peer: str
    down: str
    sent: int
    arrived: int
    how: str

    @property
    def lost(self) -> int:
        return self.sent - self.arrived


@dataclass
class Table:
    rows: list[Row] = field(default_factory=list)
    outages: list[Outage] = field(default_factory=list)

    def row(
        self, channel: str, *, peer: str, texts_in: int = 0, texts_out: int = 0, receipts: int = 0,
        faults: Sequence[str] = (), lost: int = 0, doubled: int = 0,
    ) -> None:  # fmt: skip
        """Rows of one channel and peer add up."""
        mine = next((row for row in self.rows if (row.channel, row.peer) == (channel, peer)), None)
        if mine is None:
            mine = Row(channel, peer)
            self.rows.append(mine)
        mine.texts_in += texts_in
        mine.texts_out += texts_out
        mine.receipts += receipts
        mine.faults = (*mine.faults, *(fault for fault in faults if fault not in mine.faults))
        mine.lost += lost
        mine.doubled += doubled

    def outage(self, channel: str, *, peer: str, down: str, sent: int, arrived: int, how: str) -> None:
        self.outages.append(Outage(channel, peer, down, sent, arrived, how))

    def lines(self) -> list[str]:
        """Both tables as text."""
        told: list[str] = []
        if self.rows:
            told += _aligned(ROWS, [[_shown(getattr(row, name)) for name in ROWS] for row in self.rows])
        if self.outages:
            told += ["", *_aligned(OUTAGES, [[_shown(getattr(one, name)) for name in OUTAGES] for one in self.outages])]
        return told

    def write(self, path: Path) -> None:
        outages = [asdict(one) | {"lost": one.lost} for one in self.outages]
        path.write_text(json.dumps({"rows": [asdict(row) for row in self.rows], "outages": outages}, indent=1) + "\n")


def _shown(value: object) -> str:
    return ", ".join(map(str, value)) if isinstance(value, (tuple, list)) else str(value)


def _aligned(head: Sequence[str], rows: list[list[str]]) -> list[str]:
    table = [[name.replace("_", " ") for name in head], *rows]
    widths = [max(len(row[column]) for row in table) for column in range(len(head))]
    return [" | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in table]
