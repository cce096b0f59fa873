"""One part of a text -> one report, or none: which form really fits, what is missing, whether it is urgent."""

from datetime import date

from parsers.codebook import FieldSpec, FormSpec
from parsers.forms import read_fields
from parsers.keywords import Part
from parsers.plausible import plausible
from parsers.results import Question, ReportReading, Trace
from parsers.segment import Document, Segment

_REPORTS = ("incident", "urgent")
_STRONG = 2
_DANGER = 3
_COUNTED_AS = (("dead", "HOM"), ("missing", "DES"), ("injured", "LES"))
FIRST_ASKED = ("category", "place")


def interpret(doc: Document, part: Part) -> Segment | None:
    """The segment of the part read as the form that fits it best; None when it holds no report."""
    form = _form_of(doc, part)
    if form is not None and form not in _REPORTS:
        segment = _read(doc, part, form, opened=True)
        if plausible(segment, part):
            _trace_form(segment, part)
            return segment
    opened = part.keyword is not None and part.keyword.value in _REPORTS
    segment = _read(doc, part, "incident", opened=opened)
    if not _is_report(segment, part, opened):
        return None
    _trace_form(segment, part)
    return segment


def _trace_form(segment: Segment, part: Part) -> None:
    """Which form the part was read as, and by which word."""
    keyword = part.keyword
    by_word = keyword is not None and (segment.form == keyword.value or segment.opened)
    low, high = segment.doc.span(keyword.start, keyword.end) if keyword is not None and by_word else (-1, -1)
    note = "keyword" if by_word else "words"
    segment.doc.trace.append(Trace("form", low, high, "form", segment.form, note))


def _form_of(doc: Document, part: Part) -> str | None:
    name = part.keyword.value if part.keyword is not None else _by_code(doc, part)
    form = doc.book.forms.get(name)
    return form.name if form is not None and doc.context.role in form.roles else None


def _by_code(doc: Document, part: Part) -> str:
    """A commitment's code opens its form as a keyword would ("C23 NO")."""
    first = doc.tokens.items[part.first] if part.first < part.last else None
    return "commitment" if first is not None and first.text.upper() in doc.book.commitments else ""


def _read(doc: Document, part: Part, form: str, *, opened: bool) -> Segment:
    problems, trace = len(doc.problems), len(doc.trace)
    segment = Segment(doc, part.first, part.last, form, opened)
    read_fields(segment, doc.book.forms[form])
    segment.marks = (problems, trace)
    return segment


def _is_report(segment: Segment, part: Part, opened: bool) -> bool:
    """Prose is a report when it states an event surely enough, or calls for help."""
    said = part.keyword is not None and part.keyword.value == "urgent"
    segment.form = "urgent" if said or _cries(segment) else "incident"
    if segment.weight < _STRONG:
        _category_from_counts(segment)
    category = segment.values.get("category")
    segment.sure = category is not None and (segment.weight >= _STRONG or category.how == "inferred")
    if opened or said:
        return True
    if category is None:
        return segment.form == "urgent"
    return segment.sure or segment.values.get("place") is not None or segment.values["date"].how != "default"


def _category_from_counts(segment: Segment) -> None:
    if segment.opened:
        return
    for name, code in _COUNTED_AS:
        counted = segment.values.get(name)
        if counted is not None and counted.value:
            segment.put("category", code, "inferred")
            return


def _cries(segment: Segment) -> bool:
    """An urgent word that is not denied, or a call for help beside a danger."""
    cried = [match for match in segment.of("urgent") if not match.penalty and not _denied(segment, match.start)]
    if cried:
        return True
    if not segment.has("helpword"):
        return False
    category = segment.values.get("category")
    if category is not None and segment.doc.book.categories[str(category.value)].severity >= _DANGER:
        return True
    dangers = segment.doc.book.tables.dangers
    return any(match.value in dangers and not match.penalty for match in segment.of("concept"))


def _denied(segment: Segment, at: int) -> bool:
    return segment.word(at - 1) in ("no", "nada") or segment.word(at - 2) == "no"


def finish(segment: Segment, before: Segment | None, *, at_home: bool = True) -> tuple[ReportReading, Question | None]:
    """Fill in what the report before and (``at_home``) the sender's registration give; say what is to be asked."""
    form = segment.doc.book.forms[segment.form]
    _fill_place(segment, form, before, at_home)
    for spec in form.fields:
        if spec.default == "OTR" and spec.name not in segment.values:
            segment.put(spec.name, "OTR", "default")
        elif spec.kind == "date" and spec.name not in segment.values:
            segment.put(spec.name, segment.doc.today.isoformat(), "default")
    segment.urgent = is_urgent(segment, form)
    report = ReportReading(form.name, dict(segment.values), segment.urgent, segment.doc.text)
    return report, next_question(segment, form)


def _fill_place(segment: Segment, form: FormSpec, before: Segment | None, at_home: bool) -> None:
    spec = form.field("place")
    if spec is None or "place" in segment.values or segment.choices or spec.required == "yes":
        return
    if before is not None and "place" in before.values:
        segment.values["place"] = before.values["place"]
        return
    unknown = any(problem.field == "place" for problem in segment.doc.problems)
    home = segment.doc.context.home_place
    if at_home and home and not unknown and segment.doc.context.registered:
        segment.put("place", home, "sender")


def is_urgent(segment: Segment, form: FormSpec) -> bool:
    if form.name == "urgent":
        return True
    said = segment.values.get("category")
    category = segment.doc.book.categories.get(str(said.value)) if said is not None else None
    if form.name != "incident" or category is None or category.urgent != "if_recent":
        return False
    return _is_recent(segment)


def _is_recent(segment: Segment) -> bool:
    """Today or yesterday; a draft's date that is none (kept by an older codebook) counts as today."""
    when = segment.values.get("date")
    try:
        day = date.fromisoformat(str(when.value)) if when is not None else segment.doc.today
    except ValueError:
        day = segment.doc.today
    return (segment.doc.today - day).days <= 1


def next_question(segment: Segment, form: FormSpec) -> Question | None:
    """The first required field that is not known: category, place, then the form's own order."""
    missing = [
        spec
        for spec in form.fields
        if spec.required != "no" and spec.name not in segment.values and _required(segment, spec)
    ]
    if not missing:
        return None
    if form.name != "register":
        missing.sort(key=lambda spec: FIRST_ASKED.index(spec.name) if spec.name in FIRST_ASKED else len(FIRST_ASKED))
    name = missing[0].name
    shared = name == "place" and bool(segment.choices)
    kind = "place_ambiguous" if shared else name
    return Question(form.name, name, kind, segment.term if shared else None, segment.choices if shared else ())


def _required(segment: Segment, spec: FieldSpec) -> bool:
    if spec.required in ("yes", "yes*"):
        return True
    if spec.required == "if victim=si":
        return _is(segment, "victim", True)
    if spec.required == "if reported=no":
        return _is(segment, "reported", False)
    return spec.required == "yes unless cancel" and "cancel" not in segment.values


def _is(segment: Segment, name: str, value: bool) -> bool:
    found = segment.values.get(name)
    return found is not None and found.value is value
