"""Places: INE code, name, alias or misspelling; shared names go to the sender's own department or are asked about."""

from dataclasses import dataclass

from parsers.fields.counts import counts_many
from parsers.fields.localities import read_locality
from parsers.fields.names import is_common, is_person, stands_alone, written_as
from parsers.normalize import words_of
from parsers.results import How
from parsers.segment import Segment
from parsers.tables import Match
from parsers.tokens import COMMA, NUMBER

_CODE_DIGITS = 4
_SCORES = {"in": 6.0, "of": 4.0, "to": 2.0}
_PLAIN, _BARE, _LOCALITY = 5.0, 4.5, 0.5
# A municipality tells more than a department named beside it ("no atienden en quiche").
_VAGUE = 2.0
_DENYING = ("incident", "urgent", "correction")
_SAINTS = ("san", "santa", "santo")
# A name several municipalities share gives way to one that is clear: "Santa Maria Tzeja, Ixcan".
_SHARED = 2.0


@dataclass(slots=True)
class Candidate:
    """A stretch of tokens that may name a place: every code it fits, and how well it stands there."""

    start: int
    end: int
    codes: tuple[str, ...]
    score: float
    penalty: float
    how: How


def read_place(segment: Segment) -> None:
    """Set ``place`` and ``locality``, or leave the codes to choose from in ``segment.choices``."""
    candidates = find_places(segment)
    several = len(candidates) > 1
    hints = {code for one in candidates for code in one.codes if len(code) == 2}
    named = [one for one in candidates if not _only_hints(one, candidates)] if several else candidates
    if named:
        best = _best(segment, named)
        _settle(segment, best, hints)
        for one in candidates if several else ():
            if one is best or _only_hints(one, candidates):
                segment.take(one.start, one.end)
    else:
        _unknown_code(segment)
    read_locality(segment)


def _best(segment: Segment, named: list[Candidate]) -> Candidate:
    """The place that stands best; who registers gives the name first ("Dolores Morales de Nebaj")."""
    if segment.form == "register":
        return named[-1]
    return max(named, key=lambda one: (one.score - _VAGUE * _is_department(one), -one.start))


def _is_department(one: Candidate) -> bool:
    return all(len(code) < _CODE_DIGITS for code in one.codes)


def _unknown_code(segment: Segment) -> None:
    """Four digits where a place would stand, that are no code: asked about, never guessed."""
    if not segment.opened or not segment.doc.numbers:
        return
    for at in range(segment.first, segment.last):
        token = segment.items[at]
        four = token.kind == NUMBER and len(token.text) == _CODE_DIGITS and token.text.isdigit()
        free = four and at not in segment.used and not _year(token.text)
        if free and not _is_counted(segment, at):
            segment.problem("place", "unknown_place", at, at + 1)
            return


def _year(digits: str) -> bool:
    return digits[:2] in ("19", "20")


def find_places(segment: Segment) -> list[Candidate]:
    """Places named in the segment, longest name first where names overlap, in order of their start."""
    grouped: dict[tuple[int, int], list[Match]] = {}
    for match in segment.of("place"):
        grouped.setdefault((match.start - match.end, match.start), []).append(match)
    found: list[Candidate] = []
    taken: set[int] = set()
    for (size, start), matches in sorted(grouped.items()) if len(grouped) > 1 else grouped.items():
        end = start - size
        if taken.isdisjoint(range(start, end)) and segment.free(start, end):
            one = _name(segment, start, end, matches)
            taken.update(range(start, end))
            if one is not None:
                found.append(one)
    found.extend(_coded(segment))
    return sorted(found, key=lambda one: one.start) if len(found) > 1 else found


def _name(segment: Segment, start: int, end: int, matches: list[Match]) -> Candidate | None:
    penalty = min([match.penalty for match in matches])
    weight = max([match.weight for match in matches if match.penalty == penalty])
    fits = {match.value for match in matches if match.penalty == penalty and match.weight == weight}
    if _after_department_word(segment, start):
        fits = {code[:2] for code in fits}
        return Candidate(start, end, tuple(sorted(fits)), 5.5, penalty, "repaired" if penalty else "exact")
    if _is_locality(segment, start):
        return _locality_as_place(segment, start, end, fits) if not penalty else None
    if _is_denied(segment, start) or _inside_verb_phrase(segment, start, end):
        return None
    score = _score(segment, start, end)
    if score is None:
        return None
    how: How = "repaired" if penalty else ("exact" if weight >= 3 else "alias")
    shared = _SHARED if sum(len(code) == _CODE_DIGITS for code in fits) > 1 else 0.0
    return Candidate(start, end, tuple(sorted(fits)), score - shared - penalty * 2 + (end - start) * 0.1, penalty, how)


def _after_department_word(segment: Segment, start: int) -> bool:
    if not segment.has("deptword"):
        return False
    return any((word := segment.at("deptword", start - back)) is not None and word.end == start for back in (1, 2))


def _is_locality(segment: Segment, start: int) -> bool:
    """The name of a village or farm, unless that word belongs to what happened ("invasion de finca")."""
    if segment.items[start].gap >= COMMA and ":" not in segment.between(start):
        return False
    words = [word for word in segment.of("loc") if word.end == start]
    return bool(words) and any(not _in_event(segment, word.end - 1) for word in words)


def _locality_as_place(segment: Segment, start: int, end: int, fits: set[str]) -> Candidate | None:
    """ "la finca Panzos", "la comunidad Sanarate": a municipality's own name after such a word, for want of another.

    Villages are called after saints and common words too, so those tell nothing.
    """
    code = next(iter(fits)) if len(fits) == 1 else ""
    words = [segment.word(at) for at in range(start, end)]
    if len(code) != _CODE_DIGITS or words_of(segment.doc.book.places[code].name)[-len(words) :] != words:
        return None
    if is_common(segment, start, end) or (len(words) < 3 and words[0] in _SAINTS):
        return None
    return Candidate(start, end, (code,), _LOCALITY, 0.0, "inferred")


def _is_denied(segment: Segment, start: int) -> bool:
    """ "fue en Chajul, no en Nebaj"; where a form asks for yes or no ("ac 23 no en Nebaj") the "no" is an answer."""
    if segment.form not in _DENYING or segment.word(start - 2) not in ("no", "ni"):
        return False
    return segment.at("prep", start - 1) is not None and len({match.start for match in segment.of("place")}) > 1


def _in_event(segment: Segment, at: int) -> bool:
    return any(match.start < at < match.end for match in segment.of("cat"))


def _inside_verb_phrase(segment: Segment, start: int, end: int) -> bool:
    """A one-word name inside a longer phrase of a category ("mina", "agua blanca") is part of that phrase."""
    if end - start != 1:
        return False
    around = [match for match in segment.of("cat") if match.start < start and match.end > end]
    return bool(around) and any(match.end - match.start <= 4 for match in around)


def _score(segment: Segment, start: int, end: int) -> float | None:
    prep = _preposition(segment, start)
    if prep is not None:
        common = is_common(segment, start, end)
        return None if common and prep == "to" else _SCORES[prep] - (0.5 if common else 0)
    if is_common(segment, start, end):
        if is_person(segment, start):
            return None
        return _BARE if stands_alone(segment, start, end) else None
    return _PLAIN if segment.opened else _BARE


def _preposition(segment: Segment, start: int) -> str | None:
    ending = [prep for prep in segment.of("prep") if prep.end == start and not _in_event(segment, prep.end - 1)]
    return min(ending, key=lambda prep: prep.start).value if ending else None


def _coded(segment: Segment) -> list[Candidate]:
    found: list[Candidate] = []
    if not segment.doc.numbers:
        return found
    for at, token in enumerate(segment.items[segment.first : segment.last], segment.first):
        if token.kind != NUMBER or at in segment.used:
            continue
        how: How = "repaired" if token.keys[0][1] else "exact"
        if len(token.text) == _CODE_DIGITS and token.text in segment.doc.book.places and not _is_counted(segment, at):
            found.append(Candidate(at, at + 1, (token.text,), 8 - token.keys[0][1], token.keys[0][1], how))
        elif len(token.text) == 2 and token.text in segment.doc.book.places and _after_department_word(segment, at):
            found.append(Candidate(at, at + 1, (token.text,), 5.5, 0, how))
    return found


def _is_counted(segment: Segment, at: int) -> bool:
    """2001 may be a code or a year, 1500 a code or quetzales: what stands beside it decides."""
    if segment.at("bulk", at + 1) or counts_many(segment, at + 1):
        return not segment.items[at].text.startswith("0")
    yearly = segment.items[at].text[:2] in ("20", "21") and segment.word(at - 1) in ("de", "del", "ano", "desde")
    return yearly or segment.word(at - 1) == "r"


def _only_hints(one: Candidate, candidates: list[Candidate]) -> bool:
    """A department named beside one of its municipalities tells which municipality, and is no place of its own."""
    departments = [code for code in one.codes if len(code) == 2]
    if not departments:
        return False
    others = [other for other in candidates if other is not one]
    return any(code[:2] in departments and len(code) == 4 for other in others for code in other.codes)


def _settle(segment: Segment, best: Candidate, hints: set[str]) -> None:
    codes = resolve(segment, best.codes, hints)
    segment.take(best.start, best.end)
    if len(codes) == 1:
        how: How = best.how if len(best.codes) == 1 or best.how == "repaired" else "inferred"
        segment.put("place", codes[0], how, best.start, best.end)
        return
    segment.choices = codes
    segment.term = spelling(segment, best, codes)
    segment.problem("place", "ambiguous", best.start, best.end)


def resolve(segment: Segment, codes: tuple[str, ...], hints: set[str]) -> tuple[str, ...]:
    """The codes that remain after departments named in the text and the sender's own are taken into account."""
    if len(codes) == 1:
        return codes
    towns = tuple(code for code in codes if len(code) == 4)
    departments = {code for code in codes if len(code) == 2}
    if not towns:
        return codes
    hinted = tuple(code for code in towns if code[:2] in hints - departments)
    if hinted:
        return hinted if len(hinted) == 1 else _nearest(segment, hinted) or hinted
    if len(towns) == 1 and departments:
        return _town_or_department(segment, towns[0], departments)
    return towns if len(towns) == 1 else _nearest(segment, towns) or towns


def _town_or_department(segment: Segment, town: str, departments: set[str]) -> tuple[str, ...]:
    if town[:2] in departments:
        return (town,)
    home = (segment.doc.context.home_place or "")[:2]
    if home in departments:
        return (home,)
    return (town,) if home == town[:2] else (*sorted(departments), town)


def _nearest(segment: Segment, towns: tuple[str, ...]) -> tuple[str, ...]:
    home = segment.doc.context.home_place or ""
    near = tuple(code for code in towns if home and code[:2] == home[:2])
    return near if len(near) == 1 else ()


def spelling(segment: Segment, one: Candidate, codes: tuple[str, ...]) -> str:
    """The name as the gazetteer writes it, for the question."""
    written = [written_as(segment.items[at]) for at in range(one.start, one.end)]
    for code in codes:
        place = segment.doc.book.places[code]
        for name in (place.name, *place.aliases):
            if words_of(name) == written:
                return name
    return " ".join(written)
