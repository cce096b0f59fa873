"""What an expectation is: read from the file, held against the record of a day, answered with failures in words."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Protocol

from gateway.days.cast import Cast, plain
from gateway.days.lines import Node
from gateway.days.moments import Calendar, read_span
from gateway.days.record import Look, LookKey, Record
from parsers import Codebook

BEFORE = "before"
AT_ONCE = timedelta(0)
OTHER_WORDS = {"contains": "has", "with": "has", "without": "not", "has_not": "not", "in": "within"}


@dataclass(frozen=True, slots=True)
class Ground:
    """What reading expectations needs: who there is, what can be said, what time means here."""

    cast: Cast
    codebook: Codebook
    calendar: Calendar


@dataclass(frozen=True, slots=True)
class View:
    """The part of a record that one expectation is about: step `number` (-1: the checks), from `begin` to `end`."""

    record: Record
    ground: Ground
    number: int
    begin: datetime
    end: datetime

    def look(self, delay: timedelta = AT_ONCE) -> Look:
        return self.record.looks[look_key(self.number, delay)]

    @property
    def look_before(self) -> Look:
        return self.record.looks[(self.number, BEFORE)]

    def time(self, at: datetime) -> str:
        return self.ground.calendar.shown(at)


def look_key(number: int, delay: timedelta) -> LookKey:
    return number, f"+{int(delay.total_seconds())}"


class Wish(Protocol):
    """One expectation. `needs` says when to look (delays after the step, or BEFORE) and which pages to open then."""

    @property
    def line(self) -> int: ...

    @property
    def needs(self) -> Mapping[timedelta | str, tuple[str, ...]]: ...

    def failures(self, view: View) -> Iterator[str]: ...


@dataclass(frozen=True, slots=True)
class Words:
    """Words that must stand in a text, and words that must not; compared without case, accents and white space."""

    has: tuple[str, ...] = ()
    lacks: tuple[str, ...] = ()

    def missing(self, text: str) -> list[str]:
        found = plain(text)
        return [word for word in self.has if plain(word) not in found]

    def unwanted(self, text: str) -> list[str]:
        found = plain(text)
        return [word for word in self.lacks if plain(word) in found]

    def fits(self, text: str) -> bool:
        return not self.missing(text) and not self.unwanted(text)


def read_words(fields: Mapping[str, Node]) -> Words:
    """`has` and `not`: a list or a single text each."""
    return Words(
        fields["has"].words("has") if "has" in fields else (), fields["not"].words("not") if "not" in fields else ()
    )


def read_within(fields: Mapping[str, Node], otherwise: timedelta) -> timedelta:
    return read_span(fields["within"], "within") if "within" in fields else otherwise


def read_place(node: Node, codebook: Codebook) -> str:
    """The code of a place written as code or name. Raises DayError when there is none or the name fits several."""
    text = node.text("place").strip()
    if text in codebook.places:
        return text
    names = {code: (place.name, place.short) for code, place in codebook.places.items()}
    found = {code for code, own in names.items() if plain(text) in map(plain, own)}
    found = found or {code for code, place in codebook.places.items() if plain(text) in map(plain, place.aliases)}
    towns = {code for code in found if len(code) == 4} or found
    if len(towns) != 1:
        raise node.wrong(f"{text!r} is no place; write its code of 2 or 4 digits, such as 1413")
    return towns.pop()


def read_category(node: Node, codebook: Codebook) -> str:
    """The code of a category written as code, name, or one of the words people use for it. Raises DayError."""
    text = node.text("category").strip()
    for code, found in codebook.categories.items():
        if plain(text) in map(plain, (code, found.name, found.short, *found.synonyms)):
            return code
    raise node.wrong(f"{text!r} is no category; write a code such as {', '.join(list(codebook.categories)[:6])}")


def read_ref(node: Node) -> int | None:
    """`3205` or `R3205`; None for `none`, a report without a number."""
    text = node.text("ref").strip().upper().removeprefix("R")
    if text.lower() in ("none", "no"):
        return None
    if not (text.isascii() and text.isdigit()):
        raise node.wrong(f"{node.text('ref')!r} is no number of a report")
    return int(text)


def read_date(node: Node, calendar: Calendar) -> date:
    """2026-03-09, 09/03, 09/03/2026, today or yesterday (of the step's day). Raises DayError."""
    text = node.text("date").strip().lower()
    today = (calendar.before.astimezone(calendar.zone).date()) if calendar.before else calendar.first
    words = {"today": today, "hoy": today, "yesterday": today - timedelta(days=1), "ayer": today - timedelta(days=1)}
    if text in words:
        return words[text]
    try:
        if "/" in text:
            parts = [int(part) for part in text.split("/")]
            return date(parts[2] if len(parts) > 2 else today.year, parts[1], parts[0])
        return date.fromisoformat(text)
    except (ValueError, IndexError):
        raise node.wrong(f"{text!r} is no date; write 2026-03-09 or 09/03") from None


def same(wanted: str, found: Any) -> bool:
    """Whether a value of the record is what the file says, compared as people read it."""
    if isinstance(found, bool):
        return plain(wanted) in (("yes", "true", "si") if found else ("no", "false"))
    return plain(wanted) == plain("none" if found is None else str(found))
