"""Words that each hint at a kind of event; together they tell it where no phrase and no frame does."""

from collections.abc import Callable

from parsers.frames import in_spot
from parsers.segment import FRAMED, Segment
from parsers.tables import Match

_ENOUGH = 3
_FEWEST = 2


def cued(segment: Segment, denied: Callable[[Segment, Match], bool]) -> Match | None:
    """The category most hints agree on; None when they are few or divided. Weight 1: no report by itself."""
    found: dict[str, dict[str, Match]] = {}
    for match in segment.of("cue"):
        if match.penalty or not segment.free(match.start, match.end) or in_spot(segment, match):
            continue
        if not denied(segment, match):
            found.setdefault(match.value, {}).setdefault(_words(segment, match), match)
    sums = [(sum(hint.weight for hint in hints.values()), name) for name, hints in found.items()]
    sums.sort(reverse=True)
    if not sums or sums[0][0] < _enough(segment, sums[0][1]) or (len(sums) > 1 and sums[0][0] == sums[1][0]):
        return None
    hints = list(found[sums[0][1]].values())
    if len(hints) < _FEWEST:
        return None
    return Match(min(one.start for one in hints), max(one.end for one in hints), sums[0][1], 1, FRAMED)


def _enough(segment: Segment, category: str) -> int:
    """What would raise an alarm takes more to believe."""
    return _ENOUGH + (segment.doc.book.categories[category].urgent != "no")


def _words(segment: Segment, match: Match) -> str:
    """A hint said twice is one hint."""
    return " ".join(segment.word(at) for at in range(match.start, match.end))
