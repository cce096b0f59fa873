"""Clauses and lines that open a report of their own because they name another place, or repeat a label."""

from parsers.items import event_at, has_event, skip_item_mark
from parsers.segment import Document
from parsers.tables import Match
from parsers.tokens import COMMA, NEWLINE, SENTENCE

# So many words may stand between an event and the place of its sentence, or before the place of a line.
_NEAR = 6
_LINE_LEAD = 5
_DEPARTMENT = 2


def opens_elsewhere(doc: Document, at: int, since: int) -> bool:
    """ "robaron en Nebaj ayer, en Chajul hubo un bloqueo", "Robo en Nebaj. Bloqueo en Chajul": an event and another
    place after an event that had its own."""
    token = doc.tokens.items[at]
    if token.gap not in (COMMA, SENTENCE) and token.text != "y":
        return False
    place = _clause_place(doc, at)
    if place is None or place.penalty or len(place.value) == 2:
        return False
    before = {match.value for match in doc.within("place", since, at) if not match.penalty}
    return bool(before) and place.value not in before and has_event(doc, since, at)


def _clause_place(doc: Document, at: int) -> Match | None:
    """The place a clause opens with before its event, or a sentence names in the words right after its event."""
    items = doc.tokens.items
    start = at + 1 if items[at].text == "y" else at
    prep = doc.at("prep", start)
    place = doc.at("place", prep.end) if prep is not None and prep.value == "in" else None
    if place is not None:
        return place if any(event_at(doc, place.end + step) for step in range(3)) else None
    if items[at].gap == COMMA and "/" in doc.tokens.folded.text[items[at - 1].end : items[at].start]:
        place = doc.at("place", at)
        return place if place is not None and event_at(doc, place.end) else None
    if items[at].gap != SENTENCE or not event_at(doc, at):
        return None
    end = next((one for one in range(at + 1, min(at + _NEAR, len(items))) if items[one].gap >= SENTENCE), at + _NEAR)
    named = [match for match in doc.within("place", at, min(end, len(items))) if doc.at("prep", match.start - 1)]
    return named[0] if named else None


def opens_line(doc: Document, at: int, since: int) -> bool:
    """A line that names a place of its own near its start and tells an event, or that all is calm there."""
    if not has_event(doc, since, at) or begins_body(doc, at):
        return False
    items = doc.tokens.items
    last = next((one for one in range(at + 1, len(items)) if items[one].gap == NEWLINE), len(items))
    first = skip_item_mark(doc, at, last)
    places = doc.within("place", first, min(first + _LINE_LEAD, last))
    own = {match.value for match in places if not match.penalty and len(match.value) > _DEPARTMENT}
    own |= {items[one].text for one in range(first, min(first + 2, last)) if items[one].text in doc.book.places}
    before = {match.value for match in doc.within("place", since, at)}
    apart = first > at or not own <= before
    return bool(own) and apart and (_tells(doc, first, last) or bool(doc.within("calm", first, last)))


def _tells(doc: Document, first: int, last: int) -> bool:
    """An event of the lists, or words that may make one together."""
    return has_event(doc, first, last) or len({match.value for match in doc.within("concept", first, last)}) > 1


def labels(doc: Document, at: int) -> bool:
    """ "Hecho: robo": the word names the field that follows the colon."""
    label = doc.at("label", at)
    items = doc.tokens.items
    if label is None or label.end >= len(items):
        return False
    return ":" in doc.tokens.folded.text[items[label.end - 1].end : items[label.end].start]


def opens_block(doc: Document, at: int, since: int) -> bool:
    """A label that was already filled in begins the next block ("Municipio: Nebaj ... Municipio: Chajul ...")."""
    label = doc.at("label", at)
    if label is None or not labels(doc, at) or not has_event(doc, since, at):
        return False
    return any(one.value == label.value and labels(doc, one.start) for one in doc.within("label", since, at))


def begins_body(doc: Document, at: int) -> bool:
    """A mail's subject and the body's first words tell of one thing."""
    return doc.offset > 0 and doc.span(at - 1, at)[0] < 0 <= doc.span(at, at + 1)[0]
