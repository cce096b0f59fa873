"""What kind of event: the code of the card, a synonym, or the words people use for it; negated events do not count."""

from parsers.cues import cued
from parsers.frames import framed, in_spot
from parsers.segment import FRAMED, Segment, how_of
from parsers.tables import Match
from parsers.tokens import COMMA, SPACE

DECISIVE = 6
_REST = "OTR"
_SHORT = 8
_STRONG = 2
# A word repaired over so much tells less than one that stands there.
_FAR = 0.3
_NOT = ("no", "nunca", "tampoco")


def read_category(segment: Segment) -> None:
    """Set ``category`` from the surest mention; a code in field position beats everything."""
    best = best_category(segment)
    if best is not None:
        segment.weight = best.weight
        segment.put("category", best.value, how_of(best.penalty, best.weight), best.start, best.end)


def best_category(segment: Segment) -> Match | None:
    """A code, else an event of decisive weight, else what stands where the field would, else the surest mention."""
    code = _code(segment)
    if code is not None:
        return code
    found = mentions(segment)
    if segment.opened:
        found = [match for match in found if segment.free(match.start, match.end) or match.end - match.start > 1]
    best = _decisive(found) or _leading(segment, found, _STRONG)
    if best is not None:
        return best
    found = [*found, *(match for match in framed(segment) if not is_negated(segment, match))]
    best = _decisive(found) or _leading(segment, found, 1)
    best = best or max(found, key=lambda match: _rank(segment, match), default=None)
    return cued(segment, is_negated) or best if best is None or best.weight < _STRONG else best


def _decisive(found: list[Match]) -> Match | None:
    return next((match for match in found if match.weight >= DECISIVE), None)


def _leading(segment: Segment, found: list[Match], least: int) -> Match | None:
    """After a keyword, the event named first; a phrase of the lists before a frame."""
    if not segment.opened or not found:
        return None
    head = _field_position(segment)
    leading = [match for match in found if match.start == head and match.weight >= least]
    return max(
        leading, key=lambda match: (match.penalty != FRAMED, match.end, match.weight, -match.penalty), default=None
    )


def _rank(segment: Segment, match: Match) -> tuple[bool, int, bool, float, int, int]:
    """Words nobody else has read, how surely they tell, what was done before who did it, spelling, and place."""
    free = segment.free(match.start, match.start + 1)
    deed = match.value not in segment.doc.book.tables.actors
    return free, match.weight - (match.penalty >= _FAR), deed, -match.penalty, -match.start, match.end


def mentions(segment: Segment) -> list[Match]:
    """Every stated (not negated) event of the segment, by start; where repairs disagree, none of them."""
    found = [
        match for match in segment.of("cat") if not is_negated(segment, match) and not _only_beside(segment, match)
    ]
    if len(found) < 2:
        return found
    best: dict[tuple[int, int], tuple[float, set[str]]] = {}
    for match in found:
        span = (match.start, match.end)
        penalty, values = best.get(span, (match.penalty, set()))
        if match.penalty < penalty:
            penalty, values = match.penalty, set()
        if match.penalty == penalty:
            values.add(match.value)
        best[span] = (penalty, values)
    return _outermost([match for match in found if _stands(match, *best[match.start, match.end])])


def _only_beside(segment: Segment, match: Match) -> bool:
    """A weak word that tells where it was, and "otra" where no field stands ("gente de otra comunidad")."""
    if match.value == _REST:
        return not segment.opened and match.weight <= _STRONG
    return match.weight < _STRONG and in_spot(segment, match)


def _outermost(found: list[Match]) -> list[Match]:
    """Without those a longer phrase holds within ("mataron" in "mataron a una mujer")."""
    return [
        match
        for match in found
        if not any(
            other.start <= match.start
            and other.end >= match.end
            and other.end - other.start > match.end - match.start
            and other.weight >= match.weight
            for other in found
        )
    ]


def _stands(match: Match, penalty: float, values: set[str]) -> bool:
    return match.penalty == penalty and (not penalty or len(values) == 1)


def is_negated(segment: Segment, match: Match) -> bool:
    """ "ya no hay bloqueo", "sin robo": a negation reaches over articles and link words to what it denies."""
    if segment.word(match.start - 1) in _NOT and segment.items[match.start].gap <= SPACE and match.weight < DECISIVE:
        return segment.form not in ("poll", "commitment")
    for no in segment.of("negate"):
        if no.end <= match.start and no.end > segment.first - 1:
            between = range(no.end, match.start)
            if len(between) <= 3 and all(_passes(segment, at) for at in between):
                return not _own_start(segment, no, match)
    return False


def _own_start(segment: Segment, no: Match, match: Match) -> bool:
    """The negation belongs to the phrase itself ("no reciben denuncia") when the phrase starts with it."""
    return match.start <= no.start


def _passes(segment: Segment, at: int) -> bool:
    return segment.at("article", at) is not None or segment.at("and", at) is not None or segment.word(at) in (
        "mas", "de", "ningun", "ninguna", "ni", "cat",
    )  # fmt: skip


def _field_position(segment: Segment) -> int:
    at = segment.first
    while at < segment.last:
        keyword = segment.at("kw", at)
        skipped = keyword or segment.at("greet", at) or segment.at("urgent", at)
        if skipped is not None:
            at = skipped.end
        elif at in segment.used or segment.items[at].kind != "word" or segment.at("place", at) or _filler(segment, at):
            at += 1
        else:
            return at
    return at


def _filler(segment: Segment, at: int) -> bool:
    return segment.at("article", at) is not None or segment.word(at) in ("de", "del", "por", "en", "hay", "hubo")


def _code(segment: Segment) -> Match | None:
    for match in segment.of("code"):
        if not _in_lead(segment, match) and _is_code(segment, match):
            return match
    return None


def _in_lead(segment: Segment, match: Match) -> bool:
    return any(
        lead.start <= match.start and lead.end >= match.end and lead.end - lead.start > 1 for lead in segment.of("lead")
    )


def _field_follows(segment: Segment, at: int) -> bool:
    if at >= segment.last or at in segment.doc.numbers or segment.items[at].kind != "word":
        return True
    return any(segment.at(kind, at) is not None for kind in ("prep", "place", "rel", "weekday", "ago", "article"))


def _ends_field(segment: Segment, at: int) -> bool:
    return _field_follows(segment, at) or segment.items[at].gap >= COMMA


def _is_code(segment: Segment, match: Match) -> bool:
    at = match.start
    prior = at - 1
    follows_field = (
        prior in segment.used
        or (prior >= segment.first and segment.items[prior].kind != "word")
        or any(each.end == at for kind in ("kw", "place", "urgent", "label") for each in segment.of(kind))
    )
    if segment.at("wordcode", at) is not None:
        if segment.opened and (follows_field or (segment.items[at].gap == COMMA and _ends_field(segment, at + 1))):
            return True
        return (follows_field or prior < segment.first) and _field_follows(segment, at + 1)
    return segment.opened or follows_field or prior < segment.first or segment.last - segment.first <= _SHORT
