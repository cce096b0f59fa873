"""Report numbers and other plain numbers."""

import re

from parsers.codebook import FieldSpec
from parsers.segment import Segment
from parsers.tokens import MIXED, NUMBER

_REF = re.compile(r"r(\d{1,9})$")
_SHORTEST_REF = 3
_LONGEST = 9


def read_ref(segment: Segment, spec: FieldSpec) -> None:
    """R4821, r 4821 or 4821: digits only, kept as text without the R."""
    for at in range(segment.first, segment.last):
        token = segment.items[at]
        marked = _REF.match(token.text) if token.kind == MIXED else None
        if marked:
            _put(segment, spec.name, marked.group(1), at)
            return
        plain = token.kind == NUMBER and token.text.isdigit() and _SHORTEST_REF <= len(token.text) <= _LONGEST
        if plain and not _labelled(segment, at):
            _put(segment, spec.name, token.text, at)
            return


def _put(segment: Segment, name: str, digits: str, at: int) -> None:
    segment.take(at, at + 1)
    segment.put(name, digits.lstrip("0") or "0", "exact", at, at + 1)


def _labelled(segment: Segment, at: int) -> bool:
    """The number belongs to a field named right before it ("lugar 1413", "familias 120")."""
    if segment.at("unit", at - 1) is not None:
        return True
    label = segment.at("label", at - 1)
    code = segment.items[at].text in segment.doc.book.places
    return label is not None and label.end == at and (label.value != "place" or code)


def read_number(segment: Segment, spec: FieldSpec) -> None:
    """The first unused number: trust 1..5, a personal number, a line of a list."""
    for at in range(segment.first, segment.last):
        token = segment.items[at]
        if at in segment.used or token.kind != NUMBER or not token.text.isdigit() or len(token.text) > _LONGEST:
            continue
        if spec.name == "trust" and not 1 <= int(token.text) <= 5:
            segment.problem(spec.name, "out_of_range", at, at + 1)
            continue
        segment.take(at, at + 1)
        segment.put(spec.name, int(token.text) if spec.name == "trust" else token.text, "exact", at, at + 1)
        return
