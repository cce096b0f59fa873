"""A believable month as a list of turns: who writes what when. The same seed gives the same month."""

import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from importlib.resources import files
from random import Random

from gateway.contact_file import ContactRow
from parsers import Codebook

MONITOR_SORTS = (
    ("report", 46), ("zero", 18), ("commitment", 7), ("return", 6), ("meeting", 5), ("poll", 5), ("draft", 6),
    ("urgent", 4), ("unread", 2), ("help", 1), ("thanks", 2), ("correct", 5), ("ask", 2), ("practice", 2),
    ("cancel", 1), ("language", 1),
)  # fmt: skip
STRANGER_SORTS = (("stranger", 4), ("spam", 4), ("register", 1))
NAMES = ("Berta Ixcoy", "Juan Sales", "Elena Pop", "Domingo Raymundo", "Rosario Can")
DAYS = ("hoy", "ayer", "ayer", "anoche", "antier", "el lunes", "el jueves", "hace 3 dias", "")
STATUSES = ("si", "parcial", "no", "retroceso", "nosabe")
CODES = ("ROB", "AME", "LIN", "TIE", "EXT", "DAN", "LES")
TEXTS_A_DAY = 9
STRANGERS_A_DAY = 0.5
ANSWERED = 0.75
REPEATED = 0.03


@dataclass(frozen=True, slots=True)
class Turn:
    """A text to be sent. `{ref}` in it stands for a report of the sender's, or of the coordinator's places."""

    at: datetime
    sender: str
    text: str
    coordinator: bool = False


class Script:
    """Writes the turns of one day after the other. `people` are the registered ones."""

    def __init__(self, people: Sequence[ContactRow], codebook: Codebook, seed: int) -> None:
        self._random = Random(seed)  # noqa: S311
        self._codebook = codebook
        self._texts = _texts()
        self._monitors = [row for row in people if row.role == "monitor" and row.phone]
        self._coordinators = [row for row in people if row.role == "coordinator" and row.phone]
        self._busy = [self._random.choice((1, 1, 2, 3, 5)) for _ in self._monitors]

    def day(self, start: datetime) -> list[Turn]:
        """Turns of the day that begins at `start`, in order of time."""
        turns = [turn for _ in range(self._about(TEXTS_A_DAY)) for turn in self._monitor(start)]
        turns += [self._stranger(start) for _ in range(self._about(STRANGERS_A_DAY))]
        turns += [turn for row in self._coordinators for turn in self._coordinator(row, start)]
        return sorted(turns, key=lambda turn: turn.at)

    def _about(self, mean: float) -> int:
        return int(self._random.triangular(0, 2 * mean, mean) + 0.5)

    def _hour(self, start: datetime) -> datetime:
        """Most write in the morning and before dark, some at night."""
        hour = self._random.choice((self._random.gauss(8, 1.5), self._random.gauss(16, 2), self._random.uniform(5, 23)))
        return start + timedelta(hours=min(23.5, max(0.5, hour)))

    def _sort(self, sorts: Sequence[tuple[str, int]]) -> str:
        return self._random.choices([sort for sort, _ in sorts], [weight for _, weight in sorts])[0]

    def _pick(self, sort: str) -> str:
        texts = self._texts[sort]
        return self._random.choices([text for _, text in texts], [weight for weight, _ in texts])[0]

    def _monitor(self, start: datetime) -> Iterator[Turn]:
        row = self._random.choices(self._monitors, self._busy)[0]
        assert row.phone is not None
        sort, at = self._sort(MONITOR_SORTS), self._hour(start)
        text = self._filled(self._pick(sort), row.place)
        yield Turn(at, row.phone, text)
        if sort == "draft" and self._random.random() < ANSWERED:
            yield Turn(at + timedelta(minutes=self._random.randint(1, 50)), row.phone, self._pick("answer"))
        if sort == "report" and self._random.random() < REPEATED:
            yield Turn(at + timedelta(minutes=self._random.randint(1, 9)), row.phone, text)

    def _stranger(self, start: datetime) -> Turn:
        text = self._filled(self._pick(self._sort(STRANGER_SORTS)), None)
        return Turn(self._hour(start), f"tel:+5025555{self._random.randint(9000, 9099)}", text)

    def _coordinator(self, row: ContactRow, start: datetime) -> Iterator[Turn]:
        assert row.phone is not None
        for _ in range(self._about(1)):
            sort = self._random.choice(("seen", "seen", "verify", "verify", "verify", "close"))
            yield Turn(self._hour(start), row.phone, self._pick(sort), coordinator=True)

    def _filled(self, text: str, home: str | None) -> str:
        place = self._place(home)
        values = {
            "place": self._codebook.places[place].short, "code4": place, "day": self._random.choice(DAYS),
            "n": str(self._random.randint(1, 4)), "families": str(self._random.randint(3, 40)),
            "people": str(self._random.randint(12, 150)), "status": self._random.choice(STATUSES),
            "code": self._random.choice(CODES), "commitment": self._random.choice(list(self._codebook.commitments)),
            "name": self._random.choice(NAMES),
        }  # fmt: skip
        for name, value in values.items():
            text = text.replace(f"{{{name}}}", value)
        return " ".join(text.split())

    def _place(self, home: str | None) -> str:
        """Mostly the own municipality, now and then a neighbour's in the same department."""
        if home and self._random.random() < 0.8:
            return home
        department = home[:2] if home else "14"
        return self._random.choice(
            [code for code in self._codebook.places if len(code) == 4 and code[:2] == department]
        )


def _texts() -> dict[str, list[tuple[int, str]]]:
    found: dict[str, list[tuple[int, str]]] = {}
    table = files("gateway.rehearsal").joinpath("texts.csv").read_text(encoding="utf-8")
    for row in csv.DictReader(table.splitlines()):
        found.setdefault(row["sort"], []).append((int(row["weight"]), row["text"]))
    return found
