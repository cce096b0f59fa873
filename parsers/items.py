"""Marks of a list ("1)", "a)", "uno:"), and whether a stretch of a text states an event."""

from parsers.segment import Document
from parsers.tokens import NUMBER

_ITEM_MAX = 20
_LAST_LETTER = "h"
COUNTED = ("uno", "dos", "tres", "cuatro", "cinco", "primero", "segundo", "tercero")


def skip_item_mark(doc: Document, first: int, last: int) -> int:
    """The token after "1)", "2.", "3-" or "a)"; the same one when no item begins here."""
    items = doc.tokens.items
    token = items[first]
    if first + 1 >= last:
        return first
    between = doc.tokens.folded.text[token.end : items[first + 1].start]
    if token.kind != NUMBER and token.text in COUNTED:
        return first + 1 if between[:1] in (":", ")") else first
    if not (_is_number(token.text) if token.kind == NUMBER else _is_letter(token.text)):
        return first
    marks = (")", ".", "-") if token.kind == NUMBER else (")",)
    marked = between[:1] in marks and len(between) > 1 - (between[:1] == ")")
    return first + 1 if marked else first


def _is_number(text: str) -> bool:
    return int_of(text) <= _ITEM_MAX


def _is_letter(text: str) -> bool:
    return len(text) == 1 and "a" <= text <= _LAST_LETTER


def int_of(text: str) -> int:
    return int(text) if text.isdigit() and len(text) < 10 else 10**9


def has_event(doc: Document, first: int, last: int) -> bool:
    return any(match.weight > 1 for match in doc.within("cat", first, last)) or bool(doc.within("code", first, last))


def event_at(doc: Document, at: int) -> bool:
    if at >= len(doc.tokens.items):
        return False
    return doc.at("code", at) is not None or any(
        match.start == at and match.weight > 1
        for match in doc.within("cat", at, len(doc.tokens.items))
        if match.start == at
    )
