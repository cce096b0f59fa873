"""Corrections and withdrawals: which report, which field, which new value."""

from datetime import date

from parsers.codebook import FormSpec
from parsers.fields.categories import best_category
from parsers.fields.choices import choice_matches
from parsers.fields.counts import find_counts
from parsers.fields.dates import find_dates
from parsers.fields.places import find_places, resolve
from parsers.fields.refs import read_ref
from parsers.results import Value
from parsers.segment import Segment
from parsers.tables import Match

COUNT_FIELDS = frozenset({"dead", "injured", "detained", "missing", "families", "people", "women"})
Found = tuple[str, Value, int, int]


def read_correction(segment: Segment, form: FormSpec) -> None:
    """Set ref, then cancel, or field and value; a value without a field name tells its field by what it is."""
    ref = form.field("ref")
    if ref is not None:
        read_ref(segment, ref)
    segment.opened = True
    labels = choice_matches(segment, "field_name")
    found = _labelled(segment, labels)
    if found is None and segment.has("cancel"):
        cancel = segment.of("cancel")[0]
        segment.put("cancel", True, "exact", cancel.start, cancel.end)
        return
    found = found or _by_kind(segment)
    if found is not None:
        name, value, start, end = found
        segment.put("field", name, "exact", start, end)
        segment.put("value", value, "exact", start, end)
    elif labels:
        segment.put("field", labels[0].value, "exact", labels[0].start, labels[0].end)


def _labelled(segment: Segment, labels: list[Match]) -> Found | None:
    for label in labels:
        value = _value_after(segment, label) if label.end < segment.last else None
        if value is None and label.value in COUNT_FIELDS:
            value = _number_before(segment, label)
        if value is not None:
            return label.value, value, label.start, segment.last
    return None


def _value_after(segment: Segment, label: Match) -> Value:
    name = label.value
    if name in COUNT_FIELDS:
        return _stated_number(segment, label.end)
    rest = Segment(segment.doc, label.end, segment.last, segment.form, True, segment.used)
    if name == "place":
        return _place(rest)
    if name == "date":
        return _date(rest)
    if name == "category":
        match = best_category(rest)
        return match.value if match is not None else None
    if name in ("status", "topic"):
        for listed in (f"commitment.{name}", f"return.{name}"):
            found = choice_matches(rest, listed)
            if found:
                return found[0].value
        return None
    if name == "commitment":
        number = next(
            (segment.doc.numbers[at][0] for at in range(label.end, segment.last) if at in segment.doc.numbers), 0
        )
        return f"C{number:02d}" if f"C{number:02d}" in segment.doc.book.commitments else None
    low, high = segment.doc.tokens.span(label.end, segment.last)
    return segment.doc.text_slice(low, high)


def _stated_number(segment: Segment, start: int) -> int | None:
    """ "heridos 3", "heridos no 2 sino 3", "familias 18 no 8": the first number that is not denied."""
    found = [at for at in range(start, segment.last) if _is_value(segment, at)]
    if not found:
        none = segment.at("neg", start)
        return 0 if none is not None and none.end >= segment.last else None
    stands = [at for at in found if not _is_denied(segment, at)]
    return segment.doc.numbers[stands[0]][0] if stands else None


def _is_denied(segment: Segment, at: int) -> bool:
    """A "no" up to two words before the number, with no other number between."""
    return segment.word(at - 1) == "no" or (segment.word(at - 2) == "no" and at - 1 not in segment.doc.numbers)


def _is_value(segment: Segment, at: int) -> bool:
    return at in segment.doc.numbers and at not in segment.used


def _number_before(segment: Segment, label: Match) -> int | None:
    for at, (value, end) in segment.doc.numbers.items():
        if end == label.start and at not in segment.used and segment.first <= at:
            return _stands(segment, value, at)
    return None


def _stands(segment: Segment, value: int, at: int) -> int:
    """ "no eran 2 heridos sino 3": a denied number gives way to the one after sino or eran."""
    denied = any(segment.word(place) == "no" for place in range(max(segment.first, at - 2), at))
    later = [
        segment.doc.numbers[place][0]
        for place in range(at + 1, segment.last)
        if _is_value(segment, place) and segment.at("instead", place - 1) is not None
    ]
    return later[-1] if denied and later else value


def _place(rest: Segment) -> Value:
    found = find_places(rest)
    if not found:
        return None
    best = max(found, key=lambda one: (one.score, one.start))
    hints = {code for one in found for code in one.codes if len(code) == 2}
    codes = resolve(rest, best.codes, hints)
    if len(codes) > 1:
        rest.problem("value", "ambiguous", best.start, best.end)
        return None
    return codes[0]


def _date(rest: Segment) -> Value:
    days: list[date] = [one.day for one in find_dates(rest, rest.doc.today) if one.day is not None]
    return days[0].isoformat() if days else None


def _by_kind(segment: Segment) -> Found | None:
    counts = [one for one in find_counts(segment, COUNT_FIELDS) if segment.items[one.start].kind or one.value]
    if counts:
        one = counts[-1]
        return one.field, _stands(segment, one.value, one.start), one.start, one.end
    where = _place(segment)
    if where is not None:
        return "place", where, segment.first, segment.last
    what = best_category(segment)
    if what is not None:
        return "category", what.value, what.start, what.end
    when = _date(segment)
    if when is not None:
        return "date", when, segment.first, segment.last
    return None
