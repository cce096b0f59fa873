"""Events nobody listed word for word: a category told by what is done to whom, as concepts near each other."""

from parsers.segment import FRAMED, Segment
from parsers.tables import Frame, Match
from parsers.tokens import MONEY, NUMBER, SENTENCE, SPACE

WINDOW = 10


def framed(segment: Segment) -> list[Match]:
    """Every frame the segment fills within one sentence, tightest reading of each."""
    found: dict[str, list[Match]] = {}
    stated = segment.of("concept")
    if not stated:
        return []
    for match in stated:
        if not match.penalty and segment.free(match.start, match.end) and not in_spot(segment, match):
            found.setdefault(match.value, []).append(match)
    for at in range(segment.first, segment.last):
        if segment.items[at].kind == MONEY:
            found.setdefault("money", []).append(Match(at, at + 1, "money", 1, 0.0))
    _bare_money(segment, found)
    if len(found) < 2:
        return []
    said = found.keys()
    fitting = [frame for frame in segment.doc.book.tables.frames if frame.needs <= said]
    matches = (_fill(segment, frame, found) for frame in fitting)
    return [match for match in matches if match is not None]


def _bare_money(segment: Segment, found: dict[str, list[Match]]) -> None:
    """ "me cobraron 100": a number right behind the asking is an amount."""
    for asked in found.get("ask", ()):
        at = asked.end
        if at < segment.last and segment.items[at].kind == NUMBER and segment.items[at].gap <= SPACE:
            found.setdefault("money", []).append(Match(at, at + 1, "money", 1, 0.0))


def in_spot(segment: Segment, match: Match) -> bool:
    """ "a la orilla del rio", "frente a la muni": where it was, not what was done to the river or the town hall."""
    return any(spot.start < match.start and match.end <= spot.end for spot in segment.of("spot"))


def _fill(segment: Segment, frame: Frame, found: dict[str, list[Match]]) -> Match | None:
    for anchor in found[frame.concepts[0]]:
        start, end = anchor.start, anchor.end
        for concept in frame.concepts[1:]:
            near = _nearest(segment, frame, found[concept], start, end)
            if near is None:
                break
            start, end = min(start, near.start), max(end, near.end)
        else:
            return Match(start, end, frame.category, frame.weight, FRAMED)
    return None


def _nearest(segment: Segment, frame: Frame, options: list[Match], start: int, end: int) -> Match | None:
    """The nearest other word of the concept; a word already used by the frame does not fill two of its places."""
    best: Match | None = None
    for option in options:
        after = option.start >= end
        before = option.end <= start
        if not after and (frame.ordered or not before):
            continue
        distance = option.start - end if after else start - option.end
        low, high = (end, option.start + 1) if after else (option.end, start + 1)
        if distance > WINDOW or _crosses(segment, low, high):
            continue
        if best is None or distance < min(abs(best.start - end), abs(start - best.end)):
            best = option
    return best


def _crosses(segment: Segment, low: int, high: int) -> bool:
    return any(segment.items[at].gap >= SENTENCE for at in range(low, min(high, segment.last)))
