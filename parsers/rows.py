"""The rows of a table as reports: columns by the pack's names in any order, each cell read by its field alone."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import lru_cache

from parsers.codebook import Choice, Codebook, FieldSpec, FormSpec
from parsers.normalize import fold, fold_text
from parsers.reading import local_day, read_message
from parsers.results import Context, FieldValue, ReportReading, Value

NAMES = ("column_name", "field_name")
TEXTS = frozenset({"text", "name", "locality"})
COUNT_AT_MOST = 100_000
NEEDED = ("yes", "yes*")
FORM = "form"

Cells = Sequence[str]
Row = tuple[int, Cells]


@dataclass(frozen=True, slots=True)
class RowReading:
    """One row: `line` in its file, what is required and absent (`lacks`), what was written and not understood (`bad`).

    Without a report nothing in the row could be told.
    """

    line: int
    report: ReportReading | None
    lacks: tuple[str, ...] = ()
    bad: tuple[str, ...] = ()


def read_rows(rows: Sequence[Row], codebook: Codebook, context: Context) -> list[RowReading] | None:
    """Every row below the heading, in order; None when the heading names no column that tells what happened."""
    if not rows:
        return None
    columns = _columns(rows[0][1], codebook)
    if not columns.keys() & {"category", "commitment", "topic", "people", FORM}:
        return None
    alone = replace(context, pending=None, subject=None)
    return [_read(line, _named(cells, columns), codebook, alone) for line, cells in rows[1:]]


def _named(cells: Cells, columns: Mapping[str, int]) -> dict[str, str]:
    found = {name: cells[at].strip() for name, at in columns.items() if at < len(cells)}
    return {name: text for name, text in found.items() if text}


def _columns(heading: Cells, codebook: Codebook) -> dict[str, int]:
    """Field name -> column, by the pack's words for fields or the fields' own names; the first of a name counts."""
    words = _column_words(codebook)
    found: dict[str, int] = {}
    for at, title in enumerate(heading):
        name = words.get(fold_text(title))
        if name is not None:
            found.setdefault(name, at)
    return found


@lru_cache(maxsize=4)
def _words_of(choices: tuple[tuple[str, Choice], ...], fields: frozenset[str]) -> Mapping[str, str]:
    words = {fold_text(name): name for name in fields}
    for name, choice in choices:
        words.update({fold_text(word): name for word in (*choice.words, choice.label, choice.label_en)})
    return words


def _column_words(codebook: Codebook) -> Mapping[str, str]:
    choices = tuple((name, choice) for which in NAMES for name, choice in codebook.choices.get(which, {}).items())
    return _words_of(choices, frozenset(spec.name for form in codebook.forms.values() for spec in form.fields) | {FORM})


def _read(line: int, cells: Mapping[str, str], codebook: Codebook, context: Context) -> RowReading:
    form = _form_of(cells, codebook)
    values: dict[str, FieldValue] = {}
    bad = []
    for spec in form.fields:
        if spec.name not in cells:
            continue
        value = _cell(cells[spec.name], form, spec, codebook, context)
        if value is None:
            bad.append(spec.name)
        else:
            values[spec.name] = value
    if not values:
        return RowReading(line, None, bad=tuple(bad))
    _fill_in(values, form, bad, codebook, context)
    lacks = tuple(spec.name for spec in form.fields if spec.required in NEEDED and spec.name not in values)
    text = " | ".join(cells.values())
    report = ReportReading(form.name, values, _is_urgent(form, values, codebook, context), text)
    return RowReading(line, report, lacks, tuple(bad))


def _form_of(cells: Mapping[str, str], codebook: Codebook) -> FormSpec:
    """The form a row names, else the one its columns belong to; an incident when nothing tells."""
    wanted = fold_text(cells.get(FORM, ""))
    for form in _reports(codebook):
        if wanted and wanted in {fold_text(word) for word in (*form.keywords, form.name, form.title)}:
            return form
    if "category" not in cells:
        for form in _reports(codebook):
            if any(spec.name in cells and spec.name in ("commitment", "topic") for spec in form.fields):
                return form
    return codebook.forms["incident"]


def _reports(codebook: Codebook) -> Iterator[FormSpec]:
    return (form for form in codebook.forms.values() if form.kind == "report" and form.name != "poll")


def _cell(text: str, form: FormSpec, spec: FieldSpec, codebook: Codebook, context: Context) -> FieldValue | None:
    """The value of one cell, None when it says nothing its field can hold."""
    if spec.kind in TEXTS:
        return FieldValue(text)
    if spec.kind in ("count", "number"):
        number = text.replace(" ", "")
        plain = number.isascii() and number.isdigit() and len(number) <= len(str(COUNT_AT_MOST))
        return FieldValue(int(number)) if plain and int(number) <= COUNT_AT_MOST else None
    if spec.kind in ("choice", "yes_no"):
        return _choice(text, form, spec, codebook)
    return _probe(text, spec, codebook, context)


def _choice(text: str, form: FormSpec, spec: FieldSpec, codebook: Codebook) -> FieldValue | None:
    named = "yes_no" if spec.kind == "yes_no" else f"{form.name}.{spec.name}"
    said = fold(text).strip()
    for value, choice in codebook.choices.get(named, {}).items():
        if said in {fold(word) for word in (value, choice.label, choice.label_en, *choice.words)}:
            found: Value = value in ("true", "yes", "si") if spec.kind == "yes_no" else value
            return FieldValue(found, "alias")
    return None


def _probe(text: str, spec: FieldSpec, codebook: Codebook, context: Context) -> FieldValue | None:
    """A kind, a place, a day or an accord, by the same ladder as in a text; nothing is taken from elsewhere."""
    incident = codebook.forms["incident"].keywords[0]
    accord = codebook.forms[spec.name].keywords[0] if spec.name in codebook.forms else incident
    label = codebook.choices["field_name"]["place"].label
    frames = {"category": f"{incident} {text}", "place": f"{incident} {label} {text}", "date": f"{incident} {text}"}
    reading = read_message(frames.get(spec.name, f"{accord} {text}"), codebook, context)
    found = reading.reports[0].values.get(spec.name) if reading.reports else None
    if found is None or found.how in ("sender", "default") or len(reading.reports) > 1:
        return None
    return FieldValue(found.value, found.how, confidence=found.confidence)


def _fill_in(
    values: dict[str, FieldValue], form: FormSpec, bad: Sequence[str], codebook: Codebook, context: Context
) -> None:
    """The sender's own municipality for an empty place, today for an empty day; never for what was written badly."""
    if form.field("place") and "place" not in values and "place" not in bad and context.home_place:
        values["place"] = FieldValue(context.home_place, "sender", confidence=0.7)
    if form.field("date") and "date" not in values:
        values["date"] = FieldValue(local_day(codebook, context).isoformat(), "default", confidence=0.5)
    category = form.field("category")
    if category is not None and category.default and "category" not in values and "category" not in bad:
        values["category"] = FieldValue(category.default, "default", confidence=0.5)


def _is_urgent(form: FormSpec, values: Mapping[str, FieldValue], codebook: Codebook, context: Context) -> bool:
    """An alert, or a grave event of today or yesterday."""
    if form.name == "urgent":
        return True
    said, when = values.get("category"), values.get("date")
    category = codebook.categories.get(str(said.value)) if said else None
    if form.name != "incident" or category is None or category.urgent != "if_recent" or when is None:
        return False
    return (local_day(codebook, context) - date.fromisoformat(str(when.value))).days <= 1
