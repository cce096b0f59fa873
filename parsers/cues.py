"""Words that each hint at a kind of event; together they tell it where no phrase and no frame does."""

from parsers.frames import in_spot
from parsers.segment import FRAMED, Segment
from parsers.tables import Match

_ENOUGH = 3
_LEAD = 1


def cued(segment: Segment) -> Match | None:
    """The category most hints agree on; None when they are few or divided. Weight 1: no report by itself."""
    found: dict[str, dict[str, Match]] = {}
    for match in segment.of("cue"):
        if not match.penalty and segment.free(match.start, match.end) and not in_spot(segment, match):
            found.setdefault(match.value, {}).setdefault(_words(segment, match), match)
    totals = sorted(
        ((sum(hint.weight for hint in hints.values()), name) for name, hints in found.items()), reverse=True
    )
    if not totals or totals[0][0] < _ENOUGH or (len(totals) > 1 and totals[0][0] - totals[1][0] < _LEAD):
        return None
    hints = found[totals[0][1]]
    start, end = min(hint.start for hint in hints.values()), max(hint.end for hint in hints.values())
    return Match(start, end, totals[0][1], 1, FRAMED)


def _words(segment: Segment, match: Match) -> str:
    """A hint said twice is one hint."""
    return " ".join(segment.word(at) for at in range(match.start, match.end))
