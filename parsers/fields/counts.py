"""Counts: a number and what it counts, in either order, with negation; ages, money, hours and plates are not counts."""

from typing import NamedTuple

from parsers.results import How
from parsers.segment import Segment
from parsers.tables import Match
from parsers.tokens import NUMBER, SENTENCE, SPACE

_LOOK_AHEAD = 5
_LOOK_BACK = 4
_LARGEST = 99_999
_WHOLE_DIGITS = 3
# "mataron a un señor" tells of one person without counting anybody.
_TO = ("a", "como", "unos", "unas", "otros", "otras", "casi")
_MANY = ("families", "people")
# "los heridos son 4"
_ARE = ("son", "fueron", "eran", "suman", "serian")
_ONE = ("un", "una", "uno")
_COUNTS_PEOPLE = ("meeting", "return")
_VERBS = ("kill", "hurt", "seize", "vanish")


class Counted(NamedTuple):
    field: str
    value: int
    start: int
    end: int
    how: How = "exact"


def read_counts(segment: Segment, names: frozenset[str]) -> None:
    """Set every count field of ``names`` the segment states; zero is a value, the first statement stands."""
    for counted in find_counts(segment, names):
        segment.take(counted.start, counted.end)
        if counted.field in segment.values:
            continue
        if counted.value > _LARGEST:
            segment.problem(counted.field, "out_of_range", counted.start, counted.end)
            continue
        segment.put(counted.field, counted.value, counted.how, counted.start, counted.end)


def find_counts(segment: Segment, names: frozenset[str]) -> list[Counted]:
    found = _negated(segment, names)
    numbers = segment.doc.numbers
    if not numbers:
        return found
    labelled = _is_labelled(segment)
    at = segment.first
    while at < segment.last:
        number = None if at in segment.used else numbers.get(at)
        if number is None or _is_code(segment, at, number[1]) or _is_fraction(segment, at):
            at += 1
            continue
        counted = _before(segment, at, number, names, labelled=True) if labelled else None
        counted = counted or _after(segment, at, number, names)
        counted = counted or _by_verb(segment, at, number, names) or _before(segment, at, number, names)
        if counted is not None and segment.free(counted.start, counted.end):
            found.append(counted)
        at = max(number[1], counted.end if counted is not None and counted.start == at else 0)
    return found


def _is_code(segment: Segment, at: int, end: int) -> bool:
    """Four digits that are a code count nothing, save "1200 familias" and "1500 personas"."""
    text = segment.items[at].text
    if len(text) != 4 or text not in segment.doc.book.places:
        return False
    return text.startswith("0") or not counts_many(segment, end)


def _is_fraction(segment: Segment, at: int) -> bool:
    """ "3.5 heridos": nobody counts half a person, so neither number does."""
    if _splits(segment, at + 1):
        return True
    fraction = _splits(segment, at)
    unit = segment.at("unit", at + 1) if fraction else None
    if unit is not None:
        segment.problem(unit.value, "out_of_range", at - 1, at + 1)
    return fraction


def _splits(segment: Segment, at: int) -> bool:
    """Whether a point or comma alone parts two short numbers, the first of which is no code."""
    items = segment.items
    if not segment.first < at < segment.last or not items[at - 1].kind == items[at].kind == NUMBER:
        return False
    short = len(items[at - 1].text) <= _WHOLE_DIGITS and len(items[at].text) == 1
    parted = short and segment.between(at) in (".", ",")
    return parted and (at + 1 >= segment.last or segment.between(at + 1) == " ")


def counts_many(segment: Segment, at: int) -> bool:
    """Whether families or people stand here, and not with a number of their own ("1413 familias 20").

    Without another place in the segment four digits are the place, whatever follows them.
    """
    if not segment.has("place"):
        return False
    unit, person = segment.at("unit", at), segment.at("person", at)
    many = unit if unit is not None and unit.value == "families" else person
    return many is not None and many.value in _MANY and many.end not in segment.doc.numbers


def _is_labelled(segment: Segment) -> bool:
    """ "heridos 2 muertos 1": the run opens with what is counted and closes with a number."""
    units = [match for kind in ("unit", "person") for match in segment.of(kind) if segment.free(match.start, match.end)]
    if (not segment.has("unit") and segment.form not in _COUNTS_PEOPLE) or not units:
        return False
    first = min(units, key=lambda match: match.start)
    leads = not _ends_number(segment, first.start)
    last = max(units, key=lambda match: match.start)
    return leads and last.end in segment.doc.numbers


def _ends_number(segment: Segment, at: int) -> bool:
    return any(end == at and not _is_code(segment, start, end) for start, (_, end) in segment.doc.numbers.items())


def _negated(segment: Segment, names: frozenset[str]) -> list[Counted]:
    found: list[Counted] = []
    for no in segment.of("neg"):
        at = no.end
        while at < min(no.end + _LOOK_AHEAD, segment.last) and segment.items[at].gap < SENTENCE:
            unit = segment.at("unit", at)
            if unit is not None and unit.value in names:
                found.append(Counted(unit.value, 0, no.start, unit.end))
                at = unit.end
            elif segment.at("and", at) or segment.at("link", at) or segment.at("neg", at) or segment.at("person", at):
                at += 1
            else:
                break
    return found


def _after(segment: Segment, at: int, number: tuple[int, int], names: frozenset[str]) -> Counted | None:
    """The number counts what follows it: "2 heridos", "dos personas resultaron heridas", "3 o 4 muertos"."""
    value, end = number
    if segment.at("notcountbefore", at - 1) is not None and segment.items[at].kind == NUMBER:
        return None
    end = _past_range(segment, end)
    person: Match | None = None
    place = end
    while place < min(end + _LOOK_AHEAD, segment.last) and (place == end or segment.items[place].gap < SENTENCE):
        unit = segment.at("unit", place)
        if unit is not None and unit.value in names:
            return Counted(unit.value, value, at, unit.end, _how(unit, ranged=end != number[1]))
        if place != end and place in segment.doc.numbers:
            break
        who = segment.at("person", place)
        if who is None and (segment.at("notcount", place) or segment.at("link", place) is None):
            break
        person = person or who
        place = who.end if who is not None else place + 1
    return _people(segment, at, value, person, names)


def _how(unit: Match, *, ranged: bool = False) -> How:
    """The lower number of a range is the reader's choice, and said to be so."""
    return "inferred" if ranged else "repaired" if unit.penalty > 0 else "exact"


def _past_range(segment: Segment, end: int) -> int:
    """ "3 o 4 heridos", "entre 3 y 5" count the lower number; the upper one is passed over."""
    plain = segment.word(end) == "y" and segment.word(end - 2) != "entre"
    if not plain and segment.at("range", end) and end + 1 in segment.doc.numbers:
        return segment.doc.numbers[end + 1][1]
    return end


def _people(segment: Segment, at: int, value: int, person: Match | None, names: frozenset[str]) -> Counted | None:
    if person is None:
        return None
    acted = _verb_before(segment, at, names)
    if acted is not None:
        return Counted(acted, value, at, person.end) if segment.word(at) not in _ONE else None
    field = {"women": "women", "people": "people", "men": "people"}.get(person.value)
    if field == "people" and segment.form in ("incident", "urgent"):
        return None
    return Counted(field, value, at, person.end) if field in names and field is not None else None


def _verb_before(segment: Segment, at: int, names: frozenset[str]) -> str | None:
    """ "mataron a dos": the verb up to three words back tells what is counted."""
    for kind in _VERBS:
        for back in range(1, _LOOK_BACK + 2):
            verb = segment.at(kind, at - back)
            if verb is None or verb.value not in names or at - verb.end >= _LOOK_BACK or _intended(segment, verb):
                continue
            if (verb.end == at or segment.word(at - 1) in _TO) and _no_number_between(segment, verb.end, at):
                return verb.value
    return None


def _intended(segment: Segment, verb: Match) -> bool:
    """ "quieren linchar a dos": an infinitive tells what may come, not what was done."""
    return segment.word(verb.start).endswith("r") and verb.end - verb.start == 1


def _no_number_between(segment: Segment, start: int, end: int) -> bool:
    return all(place not in segment.doc.numbers and segment.items[place].gap < SENTENCE for place in range(start, end))


def _by_verb(segment: Segment, at: int, number: tuple[int, int], names: frozenset[str]) -> Counted | None:
    """ "hirieron a 3" with nothing counted after the number."""
    follows = number[1]
    if not _ends_clause(segment, follows) and (
        segment.at("notcount", follows) or segment.items[follows].kind == NUMBER
    ):
        return None
    if segment.word(at - 1) != "a" or segment.word(at) in _ONE:
        return None
    acted = _verb_before(segment, at, names)
    return Counted(acted, number[0], at, number[1]) if acted is not None else None


def _ends_clause(segment: Segment, at: int) -> bool:
    return at >= segment.last or segment.items[at].gap > SPACE


def _before(
    segment: Segment, at: int, number: tuple[int, int], names: frozenset[str], *, labelled: bool = False
) -> Counted | None:
    """ "heridos 2", "familias: 35", "HER2"."""
    if segment.word(at) in _ONE and not _ends_clause(segment, number[1]):
        return None
    if segment.at("notcount", number[1]) is not None:
        return None
    stands = at - 1 if segment.word(at - 1) in _ARE else at
    for kind in ("unit", "person"):
        for back in (1, 2):
            label = segment.at(kind, stands - back)
            if label is None or label.end != stands or stands - back in segment.used:
                continue
            field = label.value if kind == "unit" else {"women": "women", "people": "people"}.get(label.value)
            if field in names and field is not None and (labelled or not _ends_number(segment, label.start)):
                return Counted(field, number[0], label.start, number[1], _how(label))
    return None
