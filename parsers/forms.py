"""One segment -> the values of its form: field readers in a fixed order, and forms whose fields lean on each other."""

from collections.abc import Callable

from parsers.codebook import FormSpec
from parsers.corrections import read_correction
from parsers.fields import FIELD_READERS
from parsers.fields.categories import read_category
from parsers.fields.choices import choice_matches
from parsers.fields.counts import read_counts
from parsers.fields.places import read_place
from parsers.fields.refs import read_number
from parsers.segment import Segment
from parsers.tables import Match
from parsers.tokens import NUMBER

COUNTS = ("dead", "injured", "detained", "missing", "families", "people", "women")


def read_fields(segment: Segment, form: FormSpec) -> None:
    """Fill ``segment.values`` with every field of the form the segment states."""
    if segment.opened:
        _use_keyword(segment)
    special = FORM_READERS.get(form.name)
    if special is not None:
        special(segment, form)
        return
    read_generic(segment, form)


def read_generic(segment: Segment, form: FormSpec) -> None:
    """The fields in their order; counts are read together, where the first of them stands."""
    order = segment.doc.book.tables.reading_order[form.name]
    counts = frozenset([spec.name for spec in order if spec.kind == "count"])
    counted = False
    for spec in order:
        if spec.kind != "count":
            FIELD_READERS[spec.kind](segment, spec)
        elif not counted:
            read_counts(segment, counts)
            counted = True


def _use_keyword(segment: Segment) -> None:
    for kind in ("kw", "op"):
        for match in segment.of(kind):
            if match.value == segment.form or {match.value, segment.form} == {"incident", "urgent"}:
                segment.take(match.start, match.end)
                segment.head = match.end
                return


def _read_meeting(segment: Segment, form: FormSpec) -> None:
    read_generic(segment, form)
    if "people" in segment.values:
        return
    for at in range(segment.first, segment.last):
        token = segment.items[at]
        if token.kind == NUMBER and at not in segment.used and len(token.text) <= 4:
            if segment.at("notcount", at + 1) or segment.at("notcountbefore", at - 1):
                continue
            value, end = segment.doc.numbers[at]
            segment.take(at, end)
            segment.put("people", value, "inferred", at, end)
            return


def _read_poll(segment: Segment, form: FormSpec) -> None:
    """Victim or not, of what, reported or not, why not, trust: by words, else by their order."""
    read_place(segment)
    said = [match for match in segment.of("report") if segment.free(match.start, match.end)]
    if said:
        best = max(said, key=lambda match: match.end - match.start)
        segment.put("reported", best.value == "true", "exact", best.start, best.end)
        segment.take(best.start, best.end)
    read_category(segment)
    _poll_answers(segment)
    trust = form.field("trust")
    if trust is not None:
        read_number(segment, trust)


def _poll_answers(segment: Segment) -> None:
    crime = _crime_place(segment)
    reasons = [match for match in choice_matches(segment, "poll.reason") if match.start >= crime]
    answers = choice_matches(segment, "yes_no")
    first = next((match for match in answers if match.start < crime or "category" not in segment.values), None)
    if first is not None:
        segment.put("victim", first.value == "si", "exact", first.start, first.end)
    elif "category" in segment.values:
        segment.put("victim", True, "inferred")
    if segment.values.get("victim") is None or segment.values["victim"].value is not True:
        segment.values.pop("category", None)
        return
    later = [match for match in answers if match is not first and match.start >= crime]
    plain = [match for match in later if not any(r.start == match.start and r.end > match.end for r in reasons)]
    if plain and "reported" not in segment.values:
        segment.put("reported", plain[0].value == "si", "exact", plain[0].start, plain[0].end)
    _poll_reason(
        segment, [match for match in reasons if not plain or match.start >= plain[0].end or match.start > crime]
    )


def read_poll_answer(segment: Segment, asked: str) -> None:
    """An answer to one of the poll's questions, and what follows it ("robo no miedo")."""
    if asked == "category":
        read_category(segment)
    start = _crime_place(segment)
    answers = [match for match in choice_matches(segment, "yes_no") if match.start >= start]
    reasons = [match for match in choice_matches(segment, "poll.reason") if match.start >= start]
    plain = [match for match in answers if not any(r.start == match.start and r.end > match.end for r in reasons)]
    if asked in ("category", "reported") and plain:
        segment.put("reported", plain[0].value == "si", "answer", plain[0].start, plain[0].end)
    if reasons and (asked == "reason" or "reported" in segment.values or asked == "reported"):
        _poll_reason(segment, reasons)


def _poll_reason(segment: Segment, reasons: list[Match]) -> None:
    reported = segment.values.get("reported")
    if not reasons or (reported is not None and reported.value is True):
        return
    best = max(reasons, key=lambda match: (match.end - match.start, -match.start))
    if best.end - best.start == 1:
        best = reasons[0]
    segment.put("reason", best.value, "exact", best.start, best.end)
    segment.take(best.start, best.end)
    if reported is None:
        segment.put("reported", False, "inferred", best.start, best.end)


def _crime_place(segment: Segment) -> int:
    """The token after which reasons and the second answer stand."""
    for match in (*segment.of("code"), *segment.of("cat")):
        if "category" in segment.values and match.value == segment.values["category"].value:
            return match.end
    return segment.first


def _read_help(segment: Segment, form: FormSpec) -> None:
    for match in segment.of("kw"):
        if match.value != "help":
            segment.put("topic", match.value, "exact", match.start, match.end)
            return


def _read_register(segment: Segment, form: FormSpec) -> None:
    for name in ("lang", "place", "name"):
        spec = form.field(name)
        if spec is not None:
            FIELD_READERS[spec.kind](segment, spec)


FORM_READERS: dict[str, Callable[[Segment, FormSpec], None]] = {
    "poll": _read_poll,
    "meeting": _read_meeting,
    "help": _read_help,
    "correction": read_correction,
    "register": _read_register,
}
