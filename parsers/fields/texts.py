"""Free text fields: a name, a topic, a note; always the words as they were typed."""

from parsers.codebook import FieldSpec
from parsers.segment import Segment
from parsers.tables import Match
from parsers.tokens import COMMA, NUMBER, SENTENCE, WORD

_LONGEST_NAME = 6
_LONGEST_TOPIC = 6


def original(segment: Segment, start: int, end: int) -> str:
    """The text of tokens start..end-1 as it was written."""
    low, high = segment.doc.tokens.span(start, end)
    return segment.doc.text_slice(low, high)


def read_topic(segment: Segment, spec: FieldSpec) -> None:
    """What follows "tema", "sobre", "se hablo de", up to the next field."""
    for label in segment.of("topiclabel"):
        label = max((each for each in segment.of("topiclabel") if each.start == label.start), key=lambda each: each.end)
        end = _topic_end(segment, label.end)
        if end > label.end:
            segment.put(spec.name, original(segment, label.end, end), "exact", label.end, end)
            return
    left = _leftover(segment)
    if left is not None:
        segment.put(spec.name, original(segment, *left), "inferred", *left)


def _topic_end(segment: Segment, at: int) -> int:
    end = at
    while end < min(at + _LONGEST_TOPIC, segment.last) and segment.items[end].kind == WORD and end not in segment.used:
        if end > at and segment.items[end].gap >= COMMA:
            break
        end += 1
    return end


def _leftover(segment: Segment) -> tuple[int, int] | None:
    """The last run of words nothing else has read."""
    run: tuple[int, int] | None = None
    at = segment.first
    while at < segment.last:
        end = at
        while (
            end < segment.last
            and end not in segment.used
            and segment.items[end].kind == WORD
            and not _small(segment, end)
        ):
            end += 1
        run = (at, end) if end > at else run
        at = max(end, at + 1)
    return run


def _small(segment: Segment, at: int) -> bool:
    return any(
        segment.at(kind, at) for kind in ("prep", "article", "kw", "op", "link", "and", "greet", "thanks", "person")
    )


def read_text(segment: Segment, spec: FieldSpec) -> None:
    """A note is what stands after everything else that was read."""
    if spec.name in ("topic",):
        read_topic(segment, spec)
        return
    if spec.name != "note" or segment.form not in ("note", "verify"):
        return
    start = max(segment.used, default=segment.first) + 1
    if start < segment.last:
        segment.put(spec.name, original(segment, start, segment.last), "exact", start, segment.last)


def read_name(segment: Segment, spec: FieldSpec) -> None:
    """The first run of unused words, without the words that lead up to a name."""
    at = _name_start(segment)
    end = at
    while end < min(at + _LONGEST_NAME, segment.last) and _names(segment, end, at):
        end += 1
    if end > at:
        segment.take(at, end)
        segment.put(spec.name, original(segment, at, end), "exact", at, end)


def _name_start(segment: Segment) -> int:
    for lead in segment.of("namelead"):
        if lead.end < segment.last and _names(segment, lead.end, lead.end) and segment.at("namelead", lead.end) is None:
            return lead.end
    at = segment.first
    while at < segment.last and (at in segment.used or not _can_start(segment, at)):
        at = max(at + 1, _skip(segment, at))
    return at


def _skip(segment: Segment, at: int) -> int:
    found = [match.end for kind in ("kw", "op", "greet", "lead") if (match := segment.at(kind, at)) is not None]
    return max(found, default=at + 1)


def _can_start(segment: Segment, at: int) -> bool:
    if segment.items[at].kind != WORD:
        return False
    return not any(segment.at(kind, at) for kind in ("kw", "op", "greet", "lead", "article", "prep", "and"))


def _names(segment: Segment, at: int, start: int) -> bool:
    token = segment.items[at]
    if at in segment.used or token.kind != WORD or (at > start and token.gap >= SENTENCE):
        return False
    if at > start and token.gap == COMMA:
        return False
    found = (segment.at(kind, at) for kind in ("prep", "langword", "thanks", "namelead"))
    stop: Match | None = next((match for match in found if match is not None and not match.penalty), None)
    return stop is None or (token.text in ("de", "del") and at > start and _continues(segment, at))


def _continues(segment: Segment, at: int) -> bool:
    """ "Maria del Carmen" goes on after del; "Ana de Nebaj" stops, since Nebaj was read as the place."""
    return (
        at + 1 < segment.last
        and at + 1 not in segment.used
        and segment.items[at + 1].kind != NUMBER
        and (segment.word(at) == "del" and segment.at("loc", at + 1) is None and segment.word(at + 1) != "municipio")
    )
