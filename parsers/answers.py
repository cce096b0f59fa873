"""An answer to the open question: a number picks a choice, else the field's own reader; the rest adds to the draft."""

from parsers.codebook import FieldSpec, FormSpec
from parsers.fields.choices import choice_matches
from parsers.forms import read_fields, read_poll_answer
from parsers.interpret import finish
from parsers.keywords import HARD
from parsers.noise import only_thanks
from parsers.results import FieldValue, Pending, Reading
from parsers.segment import Document, Segment
from parsers.tokens import NUMBER

REF_DIGITS = 4
_ORDINALS = {"primero": 1, "primera": 1, "segundo": 2, "segunda": 2, "tercero": 3, "tercera": 3, "cuarto": 4,
             "cuarta": 4, "quinto": 5, "quinta": 5, "sexto": 6}  # fmt: skip


def is_answer(doc: Document, start: int) -> bool:
    """Whether a text answers the open question; a keyword opens something new, unless it is a word of the answer."""
    pending = doc.context.pending
    assert pending is not None
    items = doc.tokens.items
    keyword = doc.at("kw", start)
    if _corrects(doc, start):
        return False
    if keyword is None or keyword.penalty:
        opening = doc.at("op", start)
        return opening is None or opening.value not in ("stop", "help", "correction", "status", "language", "register")
    hard = any(match.weight >= HARD for match in doc.within("kw", start, len(items)) if match.start == start)
    if hard:
        return False
    listed = choice_matches(_segment(doc, start), f"{pending.report.form}.{pending.ask}")
    if listed and listed[0].start == start:
        return True
    return keyword.value in ("incident", "alive") and keyword.end >= len(items) and pending.ask in ("note", "name")


def _corrects(doc: Document, start: int) -> bool:
    """Whether the word for a correction stands anywhere before a number that can be a report's."""
    found = [match for match in doc.within("kw", start, len(doc.tokens.items)) if match.value == "correction"]
    return any(
        not match.penalty and match.end < len(doc.tokens.items) and len(_digits(doc, match.end)) >= REF_DIGITS
        for match in found
    )


def _digits(doc: Document, at: int) -> str:
    return "".join(char for char in doc.tokens.items[at].text.removeprefix("r") if char.isdigit())


def answers_politely(doc: Document) -> bool:
    """ "esta bien" is thanks, and an answer to how something is."""
    pending = doc.context.pending
    return pending is not None and bool(choice_matches(_segment(doc, 0), f"{pending.report.form}.{pending.ask}"))


def _segment(doc: Document, start: int) -> Segment:
    pending = doc.context.pending
    form = pending.report.form if pending is not None else "incident"
    return Segment(doc, start, len(doc.tokens.items), form, opened=True)


def answer(doc: Document, start: int) -> Reading:
    """The pending draft with the answer laid in: accepted when complete, else the next (or same) question."""
    pending = doc.context.pending
    assert pending is not None
    form = doc.book.forms[pending.report.form]
    segment = _segment(doc, start)
    spec = form.field(pending.ask)
    picked = _pick(segment, pending)
    if picked is None:
        _read_answer(segment, form, spec)
    given = dict(segment.values)
    if picked is None and pending.ask not in given and only_thanks(doc, start, len(doc.tokens.items)):
        return Reading("reject", reason="thanks", language=doc.context.language)
    segment.values = {name: value for name, value in pending.report.values.items() if value.value is not None}
    _merge(segment, given, pending, picked)
    if pending.ask == "place" and "place" not in segment.values and not segment.choices:
        segment.choices = pending.choices
    report, question = finish(segment, None, at_home=pending.ask != "place")
    report = type(report)(report.form, report.values, report.urgent or pending.report.urgent, _text(pending, doc))
    return Reading(
        "ask" if question is not None else "accept", (report,), question.field if question else None, question,
        language=doc.context.language, problems=tuple(doc.problems), trace=tuple(doc.trace), answers_pending=True,
    )  # fmt: skip


def _text(pending: Pending, doc: Document) -> str:
    return f"{pending.report.text}\n{doc.text}" if pending.report.text else doc.text


def _pick(segment: Segment, pending: Pending) -> str | None:
    """The choice a number or an ordinal picks."""
    if not pending.choices or pending.ask != "place":
        return None
    for at in range(segment.first, segment.last):
        token = segment.items[at]
        number = _ORDINALS.get(token.text)
        if number is None and at in segment.doc.numbers and (token.kind != NUMBER or len(token.text) < 3):
            number = segment.doc.numbers[at][0]
        if number is not None:
            return pending.choices[number - 1] if 1 <= number <= len(pending.choices) else None
    return None


def _read_answer(segment: Segment, form: FormSpec, spec: FieldSpec | None) -> None:
    pending = segment.doc.context.pending
    if form.name == "poll" and spec is not None and spec.name in ("category", "reported", "reason"):
        read_poll_answer(segment, spec.name)
        return
    read_fields(segment, form)
    if spec is None or pending is None or spec.name in segment.values:
        _narrow(segment, pending)
        return
    if spec.kind == "yes_no":
        found = choice_matches(Segment(segment.doc, segment.first, segment.last, form.name, True), "yes_no")
        if found:
            segment.put(spec.name, found[0].value == "si", "answer", found[0].start, found[0].end)
    elif spec.kind == "count":
        _bare_number(segment, spec)
    _narrow(segment, pending)


def _bare_number(segment: Segment, spec: FieldSpec) -> None:
    for at, (value, end) in sorted(segment.doc.numbers.items()):
        if at >= segment.first and at not in segment.used:
            segment.put(spec.name, value, "answer", at, end)
            return


def _narrow(segment: Segment, pending: Pending | None) -> None:
    """A department name picks among the places offered."""
    place = segment.values.get("place")
    if pending is None or not pending.choices or pending.ask != "place":
        return
    named = {str(place.value)[:2]} if place is not None else {code[:2] for code in segment.choices}
    fits = [code for code in pending.choices if code[:2] in named]
    if len(fits) == 1 and (place is None or place.value not in pending.choices):
        segment.put("place", fits[0], "answer")
        segment.choices = ()


def _merge(segment: Segment, given: dict[str, FieldValue], pending: Pending, picked: str | None) -> None:
    if picked is not None:
        segment.put(pending.ask, picked, "answer", segment.first, segment.last)
        return
    for name, value in given.items():
        known = segment.values.get(name)
        stated = value.how not in ("default", "sender")
        if known is None or (stated and (name == pending.ask or known.how in ("default", "sender"))):
            segment.values[name] = value
