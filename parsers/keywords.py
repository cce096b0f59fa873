"""Which form is meant, and where one report of a text ends and the next begins."""

from itertools import pairwise
from typing import NamedTuple

from parsers.segment import Document
from parsers.tables import Match
from parsers.tokens import DATE, NEWLINE, NUMBER, SEMICOLON, SENTENCE

HARD = 2
_ITEM_MAX = 20


class Part(NamedTuple):
    """Tokens first..last-1 opened by ``keyword`` (None: prose)."""

    first: int
    last: int
    keyword: Match | None


def content_start(doc: Document, start: int = 0) -> int:
    """The first token after greetings, thanks and list numbers."""
    at = start
    items = doc.tokens.items
    while at < len(items):
        greeting = doc.at("greet", at) or doc.at("thanks", at)
        if greeting is None or doc.at("kw", at) is not None or doc.at("code", at) is not None:
            break
        at = greeting.end
    return at


def split_reports(doc: Document, start: int) -> list[Part]:
    """Cut the tokens from ``start`` on into parts, each one report."""
    bounds = _boundaries(doc, start)
    edges = [*bounds, len(doc.tokens.items)]
    parts: list[Part] = []
    for first, last in pairwise(edges):
        inner = _skip_item_number(doc, first, last)
        parts.append(Part(inner, last, _keyword(doc, inner, last)))
    return parts


def _skip_item_number(doc: Document, first: int, last: int) -> int:
    items = doc.tokens.items
    if first + 1 < last and items[first].kind == NUMBER and int_of(items[first].text) <= _ITEM_MAX:
        between = doc.tokens.folded.text[items[first].end : items[first + 1].start]
        if between[:1] in (")", ".", "-") and len(between) > 1 - (between[:1] == ")"):
            return first + 1
    return first


def int_of(text: str) -> int:
    return int(text) if text.isdigit() and len(text) < 10 else 10**9


def _boundaries(doc: Document, start: int) -> list[int]:
    bounds = [start]
    keywords = doc.starts("kw")
    for at, token in enumerate(doc.tokens.items[start + 1 :], start + 1):
        may = token.gap >= SEMICOLON or token.kind == NUMBER or at in keywords
        if may and _opens(doc, at, bounds[-1]):
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


def _is_hard(doc: Document, at: int) -> bool:
    return any(match.weight >= HARD and match.start == at for match in doc.matches.get("kw", ()))


def _opens_mid(doc: Document, at: int, since: int, keyword: Match) -> bool:
    """A hard keyword opens a report in mid-line when the words before it already made one."""
    if keyword.value == "correction":
        return False
    return _keyword(doc, since, at) is not None and _has_content(doc, since, at)


def _has_content(doc: Document, first: int, last: int) -> bool:
    return last - first > 1 or (last > first and doc.at("kw", first) is None)


def _keyword_fits(doc: Document, at: int, keyword: Match, gap: int) -> bool:
    """After a full stop or a new line a soft keyword opens a report only where its fields follow."""
    if not _has_event(doc, 0, at) and _keyword(doc, 0, at) is None:
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
    at = _skip_item_number(doc, at, len(doc.tokens.items))
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
    """ "1) ... 2) ...": an item number with a mark after it and an event behind it."""
    items = doc.tokens.items
    if items[at].kind != NUMBER or _skip_item_number(doc, at, len(items)) == at:
        return False
    return _leads_event(doc, at) or (_follows_item(doc, at) and _has_event(doc, at, len(items)))


def _follows_item(doc: Document, at: int) -> bool:
    """A "2)" with a "1)" somewhere before it."""
    items = doc.tokens.items
    before = str(int_of(items[at].text) - 1)
    return any(items[place].text == before and _skip_item_number(doc, place, at) != place for place in range(at))


def _keyword(doc: Document, first: int, last: int) -> Match | None:
    """The keyword a part is opened by: at its start, else a hard one anywhere, else an opening phrase."""
    at = first
    while at < last:
        keyword = _best_keyword(doc, at, last)
        if keyword is not None:
            return keyword
        step = doc.at("greet", at) or doc.at("lead", at) or doc.at("urgent", at) or doc.at("thanks", at)
        if step is None or doc.at("code", at) is not None:
            break
        at = step.end
    hard = [match for match in doc.within("kw", first, last) if match.weight >= HARD and not match.penalty]
    if hard:
        return hard[0]
    openers = [match for match in doc.within("op", first, last) if not match.penalty]
    return max(openers, key=lambda match: match.end - match.start, default=None)


def _is_event_phrase(doc: Document, at: int, last: int, found: list[Match]) -> bool:
    """ "acuerdo comunitario", "alerta alba-keneth": the keyword is the first word of an event's own name."""
    longest = max([match.end for match in found])
    exact = [match for match in found if match.weight >= HARD]
    return not exact and any(
        match.start == at and match.end > longest and not match.penalty for match in doc.within("cat", at, last)
    )


def _best_keyword(doc: Document, at: int, last: int) -> Match | None:
    found = [match for match in doc.within("kw", at, last) if match.start == at]
    opening = [match for match in doc.within("op", at, last) if match.start == at and match.end - at > 1]
    if not found and not opening:
        return None
    if opening and (not found or opening[0].end > max(match.end for match in found)):
        return max(opening, key=lambda match: match.end)
    if found and _is_event_phrase(doc, at, last, found):
        return None
    least = min(match.penalty for match in found) if found else 0.0
    forms = {match.value for match in found if match.penalty == least}
    if len(forms) != 1:
        return None
    return min(found, key=lambda match: (match.penalty, -match.end, -match.weight))
