"""A text cut into pieces, so that a page can colour the characters each value was read from."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

COLOURS = 6


@dataclass(frozen=True, slots=True)
class Piece:
    """Characters of a text; `field` is empty where nothing was read from them."""

    text: str
    field: str = ""
    colour: int = 0


@dataclass(frozen=True, slots=True)
class Found:
    """A value of a reading: what, how it was found, and from which characters (-1: none)."""

    field: str
    value: Any
    how: str
    start: int
    end: int
    confidence: float


def values_of(report: Mapping[str, Any]) -> list[Found]:
    """The values of one report of a stored reading."""
    return [Found(field, *found) for field, found in report["values"].items()]


def pieces(text: str, found: Iterable[Found]) -> list[Piece]:
    """The whole text in order; where two values claim the same characters the first keeps them."""
    cut: list[Piece] = []
    at = 0
    colours: dict[str, int] = {}
    for value in sorted(found, key=lambda one: (one.start, -one.end)):
        if value.start < at or not value.start < value.end <= len(text):
            continue
        if value.start > at:
            cut.append(Piece(text[at : value.start]))
        colour = colours.setdefault(value.field, len(colours) % COLOURS)
        cut.append(Piece(text[value.start : value.end], value.field, colour))
        at = value.end
    if at < len(text):
        cut.append(Piece(text[at:]))
    return cut
