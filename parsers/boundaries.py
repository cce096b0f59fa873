"""Where one report of a text ends and the next begins: keywords, items of a list, lines and clauses of their own."""

from itertools import pairwise

from parsers.keywords import HARD, Part, keyword_of
from parsers.segment import Document
from parsers.tables import Match
from parsers.tokens import COMMA, DATE, NEWLINE, NUMBER, SEMICOLON, SENTENCE, WORD

_ITEM_MAX = 20
_LAST_LETTER = "h"
_COUNTED = ("uno", "dos", "tres", "cuatro", "cinco", "primero", "segundo", "tercero")
# So many words may stand between an event and the place of its sentence.
_NEAR = 6


def split_reports(doc: Document, start: int) -> list[Part]:
    """Cut the tokens from ``start`` on into parts, each one report."""
    edges = [*_boundaries(doc, start), len(doc.tokens.items)]
    parts: list[Part] = []
    for first, last in pairwise(edges):
        inner = _skip_item_mark(doc, first, last)
        parts.append(Part(inner, last, keyword_of(doc, inner, last)))
    return parts


def _skip_item_mark(doc: Document, first: int, last: int) -> int:
    """The token after "1)", "2.", "3-" or "a)"; the same one when no item begins here."""
    items = doc.tokens.items
    token = items[first]
    if first + 1 >= last:
        return first
    between = doc.tokens.folded.text[token.end : items[first + 1].start]
    if token.kind != NUMBER and token.text in _COUNTED:
        return first + 1 if between[:1] in (":", ")") else first
    if not (_is_number(token.text) if token.kind == NUMBER else _is_letter(token.text)):
        return first
    marks = (")", ".", "-") if token.kind == NUMBER else (")",)
    marked = between[:1] in marks and len(between) > 1 - (between[:1] == ")")
    return first + 1 if marked else first


def _is_number(text: str) -> bool:
    return _int_of(text) <= _ITEM_MAX


def _is_letter(text: str) -> bool:
    return len(text) == 1 and "a" <= text <= _LAST_LETTER


def _int_of(text: str) -> int:
    return int(text) if text.isdigit() and len(text) < 10 else 10**9


def _boundaries(doc: Document, start: int) -> list[int]:
    bounds = [start]
    keywords = doc.starts("kw")
    for at, token in enumerate(doc.tokens.items[start + 1 :], start + 1):
        short = len(token.text) == 1 or token.text in _COUNTED
        may = token.gap >= SEMICOLON or token.kind == NUMBER or at in keywords or short
        if (may and _opens(doc, at, bounds[-1])) or _opens_elsewhere(doc, at, bounds[-1]):
            bounds.append(at)
    return bounds


def _opens(doc: Document, at: int, since: int) -> bool:
    """Whether the token starts another report, given where the current one began."""
    gap = doc.tokens.items[at].gap
    keyword = doc.at("kw", at)
    if keyword is not None and not keyword.penalty:
        hard = any(match.weight >= HARD for match in doc.within("kw", at, at + 1)) or _is_hard(doc, at)
        if hard and _opens_mid(doc, at, since, keyword):
            return True
        if gap >= SENTENCE and _has_content(doc, since, at) and _keyword_fits(doc, at, keyword, gap):
            return True
    if gap >= SEMICOLON and _has_event(doc, since, at):
        return _leads_event(doc, at) and _has_field(doc, at) and not _begins_body(doc, at)
    return _is_item(doc, at) and _has_event(doc, since, at)


def _opens_elsewhere(doc: Document, at: int, since: int) -> bool:
    """ "robaron en Nebaj ayer, en Chajul hubo un bloqueo", "Robo en Nebaj. Bloqueo en Chajul": an event and another
    place after an event that had its own."""
    token = doc.tokens.items[at]
    if token.gap not in (COMMA, SENTENCE) and token.text != "y":
        return False
    place = _clause_place(doc, at)
    if place is None or place.penalty or len(place.value) == 2:
        return False
    before = {match.value for match in doc.within("place", since, at) if not match.penalty}
    return bool(before) and place.value not in before and _has_event(doc, since, at)


def _clause_place(doc: Document, at: int) -> Match | None:
    """The place a clause opens with before its event, or a sentence names in the words right after its event."""
    items = doc.tokens.items
    start = at + 1 if items[at].text == "y" else at
    prep = doc.at("prep", start)
    place = doc.at("place", prep.end) if prep is not None and prep.value == "in" else None
    if place is not None:
        return place if any(_event_at(doc, place.end + step) for step in range(3)) else None
    if items[at].gap != SENTENCE or not _event_at(doc, at):
        return None
    end = next((one for one in range(at + 1, min(at + _NEAR, len(items))) if items[one].gap >= SENTENCE), at + _NEAR)
    named = [match for match in doc.within("place", at, min(end, len(items))) if doc.at("prep", match.start - 1)]
    return named[0] if named else None


def _is_hard(doc: Document, at: int) -> bool:
    return any(match.weight >= HARD and match.start == at for match in doc.matches.get("kw", ()))


def _opens_mid(doc: Document, at: int, since: int, keyword: Match) -> bool:
    """A hard keyword opens a report in mid-line when the words before it already made one."""
    if keyword.value == "correction":
        return False
    return keyword_of(doc, since, at) is not None and _has_content(doc, since, at)


def _has_content(doc: Document, first: int, last: int) -> bool:
    return last - first > 1 or (last > first and doc.at("kw", first) is None)


def _keyword_fits(doc: Document, at: int, keyword: Match, gap: int) -> bool:
    """After a full stop or a new line a soft keyword opens a report only where its fields follow."""
    if not _has_event(doc, 0, at) and keyword_of(doc, 0, at) is None:
        return False
    after = keyword.end
    items = doc.tokens.items
    if after >= len(items):
        return False
    follows = doc.at("cat", after) or doc.at("code", after) or doc.at("place", after)
    return follows is not None or (gap >= NEWLINE and after in doc.numbers)


def _has_event(doc: Document, first: int, last: int) -> bool:
    return any(match.weight > 1 for match in doc.within("cat", first, last)) or bool(doc.within("code", first, last))


def _leads_event(doc: Document, at: int) -> bool:
    """The line or clause opens with an event, or with a place and then an event."""
    at = _skip_item_mark(doc, at, len(doc.tokens.items))
    joiner = doc.at("and_also", at) or doc.at("article", at)
    at = joiner.end if joiner is not None else at
    if doc.at("unit", at) is not None or doc.at("label", at) is not None:
        return False
    if at >= len(doc.tokens.items):
        return False
    if _event_at(doc, at):
        return True
    place = doc.at("place", at)
    if place is not None:
        return any(_event_at(doc, place.end + step) for step in range(3))
    return doc.tokens.items[at].kind == NUMBER and len(doc.tokens.items[at].text) == 4 and _event_at(doc, at + 1)


def _has_field(doc: Document, at: int) -> bool:
    """The clause states a place, a date or a code of its own; one that does not goes on telling the event before."""
    items = doc.tokens.items
    end = next((place for place in range(at + 1, len(items)) if items[place].gap >= SEMICOLON), len(items))
    stated = any(doc.within(kind, at, end) for kind in ("place", "rel", "code", "weekday", "ago"))
    return stated or any(
        items[place].kind == DATE or len(items[place].text) == 4
        for place in range(at, end)
        if items[place].kind in (DATE, NUMBER)
    )


def _begins_body(doc: Document, at: int) -> bool:
    """A mail's subject and the body's first words tell of one thing."""
    return doc.offset > 0 and doc.span(at - 1, at)[0] < 0 <= doc.span(at, at + 1)[0]


def _event_at(doc: Document, at: int) -> bool:
    if at >= len(doc.tokens.items):
        return False
    return doc.at("code", at) is not None or any(
        match.start == at and match.weight > 1
        for match in doc.within("cat", at, len(doc.tokens.items))
        if match.start == at
    )


def _is_item(doc: Document, at: int) -> bool:
    """ "1) ... 2) ...": an item's mark with an event behind it."""
    items = doc.tokens.items
    if items[at].kind not in (NUMBER, WORD) or _skip_item_mark(doc, at, len(items)) == at:
        return False
    return _leads_event(doc, at) or (_follows_item(doc, at) and _has_event(doc, at, len(items)))


def _follows_item(doc: Document, at: int) -> bool:
    """A "2)" with a "1)" somewhere before it, a "b)" with an "a)"."""
    items = doc.tokens.items
    text = items[at].text
    if text in _COUNTED:
        return any(items[place].text in _COUNTED and _skip_item_mark(doc, place, at) != place for place in range(at))
    before = chr(ord(text) - 1) if items[at].kind == WORD else str(_int_of(text) - 1)
    return any(items[place].text == before and _skip_item_mark(doc, place, at) != place for place in range(at))
