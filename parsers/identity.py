"""The personal number by which a borrowed phone tells who writes: "ID 1234 INC ROB", "... PIN 1234"."""

import re
from functools import lru_cache
from typing import NamedTuple

from parsers.codebook import Codebook

FORM = "identify"
HIDDEN = "*"
# Nearly every text lacks this, and every text is asked.
_RUN = re.compile(r"[0-9*]{4}")


class Pin(NamedTuple):
    """Its digits, the characters start..end-1 it takes with its keyword, and where the digits begin."""

    digits: str
    start: int
    end: int
    digits_at: int


def find_pin(text: str, codebook: Codebook) -> Pin | None:
    """The number after ID or PIN among the first words of a text or at its end; 4 to 8 digits, never from inside it."""
    if _RUN.search(text) is None:
        return None
    form = codebook.forms.get(FORM)
    if form is None:
        return None
    opening, closing = _patterns(form.keywords)
    found = opening.search(text) or closing.search(text)
    if found is None:
        return None
    return Pin(found["pin"], found.start("id"), found.end("pin"), found.start("pin"))


def without_pin(text: str, codebook: Codebook) -> str:
    """The text to read, keyword and number blanked: every other character stays where it was."""
    pin = find_pin(text, codebook)
    return text if pin is None else text[: pin.start] + " " * (pin.end - pin.start) + text[pin.end :]


def hide_pin(text: str, codebook: Codebook) -> str:
    """The text to keep, with stars for the digits."""
    pin = find_pin(text, codebook)
    return text if pin is None else text[: pin.digits_at] + HIDDEN * len(pin.digits) + text[pin.end :]


@lru_cache(maxsize=16)
def _patterns(keywords: tuple[str, ...]) -> tuple[re.Pattern[str], re.Pattern[str]]:
    words = "|".join(re.escape(word) for word in keywords)
    said = r"(?:(?:es|no|num|numero|nro)\W{1,3})?"
    told = rf"(?P<id>(?<!\w)(?:{words})\W{{0,3}}{said}(?P<pin>\d{{4,8}}|\*{{4,8}}))(?![\d*])"
    opening = rf"\A\W{{0,10}}(?:[^\W\d_]{{1,12}}\W{{1,3}}){{0,3}}?{told}"
    return re.compile(opening, re.I | re.A), re.compile(rf"{told}\W{{0,5}}\Z", re.I | re.A)
