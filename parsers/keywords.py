"""Which form is meant: the keyword a part of a text is opened by."""

from typing import NamedTuple

from parsers.segment import Document
from parsers.tables import Match
from parsers.tokens import COMMA, WORD

HARD = 2
# What tells that a part has begun to say something, so that a later word is no opening any more.
_SUBSTANCE = ("cat", "code", "place", "rel", "weekday", "unit")


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


def keyword_of(doc: Document, first: int, last: int) -> Match | None:
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
    late = _after_courtesy(doc, first, last)
    if late is not None:
        return late
    openers = [match for match in doc.within("op", first, last) if not match.penalty]
    return max(openers, key=lambda match: match.end - match.start, default=None)


def _after_courtesy(doc: Document, first: int, last: int) -> Match | None:
    """A keyword that begins a clause after words that say nothing yet ("espero se encuentren bien. ALERTA ...")."""
    for keyword in doc.within("kw", first, last):
        at = keyword.start
        if keyword.penalty or doc.tokens.items[at].gap < COMMA:
            continue
        plain = all(token.kind == WORD for token in doc.tokens.items[first:at])
        if not plain or any(doc.within(kind, first, at) for kind in _SUBSTANCE):
            return None
        return _best_keyword(doc, at, last)
    return None


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
