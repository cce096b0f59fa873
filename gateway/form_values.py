"""What a person picked or typed in a page's form, as the values a text would have given: a function per field kind."""

from collections.abc import Callable, Mapping
from datetime import date, datetime
from zoneinfo import ZoneInfo

from parsers import Codebook, FieldSpec, FieldValue, FormSpec, ReportReading
from parsers.results import Value

COUNT_AT_MOST = 100_000
TEXT_AT_MOST = 1000
NEEDED = ("yes", "yes*")


class BadValues(ValueError):
    """`problems` holds a word for each field that cannot stand: missing, unknown, number or future."""

    def __init__(self, problems: Mapping[str, str]) -> None:
        super().__init__(", ".join(problems))
        self.problems = dict(problems)


class _Bad(ValueError):
    """One value cannot stand; the message is the word for it."""


def _category(text: str, form: str, spec: FieldSpec, codebook: Codebook, today: date) -> Value:
    return _known(text, codebook.categories)


def _place(text: str, form: str, spec: FieldSpec, codebook: Codebook, today: date) -> Value:
    """A code, a code with the name behind it as the page's list offers, or a name that only one place has."""
    code = text.split(" ", 1)[0]
    if code in codebook.places:
        return code
    named = [place.code for place in codebook.places.values() if place.name.casefold() == text.casefold()]
    if len(named) != 1:
        raise _Bad("unknown")
    return named[0]


def _date(text: str, form: str, spec: FieldSpec, codebook: Codebook, today: date) -> Value:
    try:
        day = date.fromisoformat(text)
    except ValueError:
        raise _Bad("unknown") from None
    if day > today:
        raise _Bad("future")
    return day.isoformat()


def _count(text: str, form: str, spec: FieldSpec, codebook: Codebook, today: date) -> Value:
    if not (text.isascii() and text.isdigit()) or int(text[:9]) > COUNT_AT_MOST:
        raise _Bad("number")
    return int(text)


def _yes_no(text: str, form: str, spec: FieldSpec, codebook: Codebook, today: date) -> Value:
    return _known(text, ("yes", "no")) == "yes"


def _choice(text: str, form: str, spec: FieldSpec, codebook: Codebook, today: date) -> Value:
    return _known(text, codebook.choices.get(f"{form}.{spec.name}", {}))


def _commitment(text: str, form: str, spec: FieldSpec, codebook: Codebook, today: date) -> Value:
    return _known(text, codebook.commitments)


def _text(text: str, form: str, spec: FieldSpec, codebook: Codebook, today: date) -> Value:
    return text[:TEXT_AT_MOST]


def _known(text: str, words: Mapping[str, object] | tuple[str, ...]) -> str:
    if text not in words:
        raise _Bad("unknown")
    return text


PICKED: Mapping[str, Callable[[str, str, FieldSpec, Codebook, date], Value]] = {
    "category": _category,
    "place": _place,
    "date": _date,
    "count": _count,
    "number": _count,
    "yes_no": _yes_no,
    "choice": _choice,
    "commitment": _commitment,
    "text": _text,
    "name": _text,
}


def read_values(form: FormSpec, typed: Mapping[str, str], codebook: Codebook, at: datetime) -> dict[str, Value]:
    """The values of the fields that were filled in; raises BadValues. Future is seen from the local day of `at`."""
    today = at.astimezone(ZoneInfo(codebook.zone)).date()
    values: dict[str, Value] = {}
    problems: dict[str, str] = {}
    for spec in form.fields:
        text = typed.get(spec.name, "").strip()
        if not text or spec.kind not in PICKED:
            continue
        try:
            values[spec.name] = PICKED[spec.kind](text, form.name, spec, codebook, today)
        except _Bad as error:
            problems[spec.name] = str(error)
    if problems:
        raise BadValues(problems)
    return values


def missing(form: FormSpec, known: Mapping[str, object]) -> list[str]:
    """Names of the required fields that have no value."""
    return [spec.name for spec in form.fields if spec.required in NEEDED and known.get(spec.name) is None]


def as_reading(form: FormSpec, values: Mapping[str, Value], *, urgent: bool, text: str) -> ReportReading:
    """The same shape a text would have been read into. Raises BadValues when a required field has no value."""
    lacking = missing(form, values)
    if lacking:
        raise BadValues(dict.fromkeys(lacking, "missing"))
    found = {name: FieldValue(value) for name, value in values.items() if value is not None}
    return ReportReading(form.name, found, urgent, text)
