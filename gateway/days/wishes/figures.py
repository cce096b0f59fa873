"""Expectations of the figures that pages show: matrix, return board, map, polls, public figures."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from gateway.days.lines import Node
from gateway.days.record import Look, Row
from gateway.days.wishes.base import (
    AT_ONCE,
    OTHER_WORDS,
    Ground,
    View,
    Words,
    read_category,
    read_date,
    read_place,
    read_ref,
    read_within,
    read_words,
)
from gateway.days.wishes.rows import RowWish

CELL_KEYS = ("commitment", "place", "state", "colour", "ref", "reports", "exists", "within")
BOARD_KEYS = ("place", "topic", "state", "colour", "families", "people", "ref", "exists", "within")
SPOT_KEYS = ("place", "colour", "silent_since", "reports", "refs", "exists", "within")
PUBLIC_KEYS = ("until", "has", "not", "cells", "polls", "today", "within")
POLL_KEYS = ("answers", "victims", "dark", "within")
OTHER_KEYS = {"status": "state", "color": "colour", "dark_figure": "dark", **OTHER_WORDS}
HIDDEN = ("hidden", "fewer than 5", "<5", "< 5")


def _read_row(node: Node, ground: Ground, name: str, keys: tuple[str, ...], found_by: tuple[str, ...]) -> RowWish:
    """A row of a figure found by some of its values; the others are what is wanted of it."""
    fields = node.fields(keys, name, OTHER_KEYS)
    values: dict[str, str] = {}
    for key, value in fields.items():
        if key == "place":
            values[key] = read_place(value, ground.codebook)
        elif key == "ref":
            values[key] = str(read_ref(value))
        elif key == "refs":
            values[key] = ", ".join(str(read_ref(one)) for one in value.items())
        elif key == "silent_since":
            values[key] = str(read_date(value, ground.calendar))
        elif key == "commitment":
            values[key] = value.text(key).strip().upper()
        elif key not in ("exists", "within"):
            values[key] = value.text(key)
    missing = [key for key in found_by if key not in values]
    if missing:
        raise node.wrong(f"{name} needs {' and '.join(missing)}")
    exists = fields["exists"].flag("exists") if "exists" in fields else True
    by = {key: values[key] for key in found_by}

    def find(look: Look) -> Row | None:
        rows: list[Row] = look.figures[name]
        return next((row for row in rows if all(row[key] == value for key, value in by.items())), None)

    what = f"line of the {name} for {' '.join(by.values())}"
    return RowWish(node.line, what, find, values, read_within(fields, AT_ONCE), exists)


def read_matrix(node: Node, ground: Ground) -> RowWish:
    """`matrix {commitment: C23, place: 1405, state: no, colour: red}`."""
    return _read_row(node, ground, "matrix", CELL_KEYS, ("commitment", "place"))


def read_board(node: Node, ground: Ground) -> RowWish:
    """`board {place: 1305, topic: agua, state: mal, families: 22}`."""
    return _read_row(node, ground, "board", BOARD_KEYS, ("place", "topic"))


def read_map(node: Node, ground: Ground) -> RowWish:
    """`map {place: 1612, colour: grey, silent_since: 2026-03-02, reports: 1}`."""
    return _read_row(node, ground, "map", SPOT_KEYS, ("place",))


def read_polls(node: Node, _ground: Ground) -> RowWish:
    """`polls {answers: 1, victims: 1, dark: 1}`, of all that was ever answered."""
    fields = node.fields(POLL_KEYS, "polls", OTHER_KEYS)
    wants = {key: str(value.number(key)) for key, value in fields.items() if key != "within"}
    return RowWish(node.line, "polls", lambda look: look.figures["polls"], wants, read_within(fields, AT_ONCE))


@dataclass(frozen=True, slots=True)
class PublicWish:
    """What the public figures hold: until when they go, which cells, and words that stand in them or do not."""

    line: int
    until: date | None
    words: Words
    cells: Mapping[tuple[str, str, str], str]
    today: int | None
    within: timedelta = AT_ONCE

    @property
    def needs(self) -> Mapping[timedelta | str, tuple[str, ...]]:
        return {self.within: ()}

    def failures(self, view: View) -> Iterator[str]:
        look = view.look(self.within)
        found = look.figures["public"]
        if self.until is not None and found["until"] != str(self.until):
            yield f"the public figures should end before {self.until}, and end before {found['until']}"
        if self.today is not None and found["today"] != self.today:
            yield f"{self.today} reports of the day should be public, and {found['today']} are"
        for (part, department, what), wanted in self.cells.items():
            number = found[part].get(f"{department} {what}", "absent")
            if str(number) != wanted:
                yield f"the public {part} for {department} {what} should be {wanted}, and are {number}"
        text = str(found)
        if missing := self.words.missing(text):
            yield f"the public figures should hold {', '.join(missing)}, and are {text}"
        if unwanted := self.words.unwanted(text):
            yield f"the public figures should not hold {', '.join(unwanted)}, and are {text}"


def read_public(node: Node, ground: Ground) -> PublicWish:
    """`public {until: 2026-03-03, cells: {"14 ROB": 6, "13 TIE": hidden}, polls: {"08 answers": hidden}, not: [...]}`.

    `until` is the first day that is not told. A cell is `absent` where nothing at all happened.
    """
    fields = node.fields(PUBLIC_KEYS, "public", OTHER_KEYS)
    cells: dict[tuple[str, str, str], str] = {}
    for part in ("cells", "polls"):
        for key, value in fields[part].mapping(part).items() if part in fields else ():
            department, _, what = key.strip().partition(" ")
            code = read_place(Node(value.line, department), ground.codebook)
            if len(code) != 2:
                raise value.wrong("public figures go by department: a code of 2 digits")
            known = read_category(Node(value.line, what), ground.codebook) if part == "cells" else what
            number = value.text(part).strip().lower()
            cells[("reports" if part == "cells" else part, code, known)] = "hidden" if number in HIDDEN else number
    until = read_date(fields["until"], ground.calendar) if "until" in fields else None
    today = fields["today"].number("today") if "today" in fields else None
    return PublicWish(node.line, until, read_words(fields), cells, today, read_within(fields, AT_ONCE))
