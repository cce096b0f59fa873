"""Where one report of a text ends and the next begins: keywords, items of a list, lines and clauses of their own."""

from itertools import pairwise

from parsers.clauses import begins_body, labels, opens_block, opens_elsewhere, opens_line
from parsers.items import COUNTED, event_at, has_event, int_of, skip_item_mark
from parsers.keywords import HARD, Part, keyword_of
from parsers.segment import Document
from parsers.tables import Match
from parsers.tokens import DATE, NEWLINE, NUMBER, SEMICOLON, SENTENCE, WORD


def split_reports(doc: Document, start: int) -> list[Part]:
    """Cut the tokens from ``start`` on into parts, each one report."""
    edges = [*_boundaries(doc, start), len(doc.tokens.items)]
    parts: list[Part] = []
    for first, last in pairwise(edges):
        inner = skip_item_mark(doc, first, last)
        parts.append(Part(inner, last, keyword_of(doc, inner, last)))
    return parts


def _boundaries(doc: Document, start: int) -> list[int]:
    bounds = [start]
    keywords = doc.starts("kw")
    for at, token in enumerate(doc.tokens.items[start + 1 :], start + 1):
        short = len(token.text) == 1 or token.text in COUNTED
        may = token.gap >= SEMICOLON or token.kind == NUMBER or at in keywords or short
        if (may and _opens(doc, at, bounds[-1])) or opens_elsewhere(doc, at, bounds[-1]):
            bounds.append(at)
    return bounds


def _opens(doc: Document, at: int, since: int) -> bool:
    """Whether the token starts another report, given where the current one began."""
    gap = doc.tokens.items[at].gap
    if gap == NEWLINE and (opens_block(doc, at, since) or opens_line(doc, at, since)):
        return True
    keyword = doc.at("kw", at)
    if keyword is not None and not keyword.penalty and not labels(doc, at):
        hard = any(match.weight >= HARD for match in doc.within("kw", at, at + 1)) or _is_hard(doc, at)
        if hard and _opens_mid(doc, at, since, keyword):
            return True
        if gap >= SENTENCE and _has_content(doc, since, at) and _keyword_fits(doc, at, keyword, gap):
            return True
    if gap >= SEMICOLON and has_event(doc, since, at):
        return _leads_event(doc, at) and _has_field(doc, at) and not begins_body(doc, at)
    return _is_item(doc, at) and has_event(doc, since, at)


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
    if not has_event(doc, 0, at) and keyword_of(doc, 0, at) is None:
        return False
    after = keyword.end
    items = doc.tokens.items
    if after >= len(items):
        return False
    follows = doc.at("cat", after) or doc.at("code", after) or doc.at("place", after)
    return follows is not None or (gap >= NEWLINE and after in doc.numbers)


def _leads_event(doc: Document, at: int) -> bool:
    """The line or clause opens with an event, or with a place and then an event."""
    at = skip_item_mark(doc, at, len(doc.tokens.items))
    joiner = doc.at("and_also", at) or doc.at("article", at)
    at = joiner.end if joiner is not None else at
    if doc.at("unit", at) is not None or doc.at("label", at) is not None:
        return False
    if at >= len(doc.tokens.items):
        return False
    if event_at(doc, at):
        return True
    place = doc.at("place", at)
    if place is not None:
        return any(event_at(doc, place.end + step) for step in range(3))
    return doc.tokens.items[at].kind == NUMBER and len(doc.tokens.items[at].text) == 4 and event_at(doc, at + 1)


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


def _is_item(doc: Document, at: int) -> bool:
    """ "1) ... 2) ...": an item's mark with an event behind it."""
    items = doc.tokens.items
    if items[at].kind not in (NUMBER, WORD) or skip_item_mark(doc, at, len(items)) == at:
        return False
    return _leads_event(doc, at) or (_follows_item(doc, at) and has_event(doc, at, len(items)))


def _follows_item(doc: Document, at: int) -> bool:
    """A "2)" with a "1)" somewhere before it, a "b)" with an "a)"."""
    items = doc.tokens.items
    text = items[at].text
    if text in COUNTED:
        return any(items[place].text in COUNTED and skip_item_mark(doc, place, at) != place for place in range(at))
    before = chr(ord(text) - 1) if items[at].kind == WORD else str(int_of(text) - 1)
    return any(items[place].text == before and skip_item_mark(doc, place, at) != place for place in range(at))
