"""How each kind of field is read: one literal table."""

from collections.abc import Callable

from parsers.codebook import FieldSpec
from parsers.fields.categories import read_category
from parsers.fields.choices import read_choice, read_commitment, read_lang, read_yes_no
from parsers.fields.counts import read_counts
from parsers.fields.dates import read_date
from parsers.fields.places import read_place
from parsers.fields.refs import read_number, read_ref
from parsers.fields.texts import read_name, read_text
from parsers.segment import Segment

FieldReader = Callable[[Segment, FieldSpec], None]


def _category(segment: Segment, spec: FieldSpec) -> None:
    read_category(segment)


def _date(segment: Segment, spec: FieldSpec) -> None:
    read_date(segment)


def _place(segment: Segment, spec: FieldSpec) -> None:
    read_place(segment)


def _count(segment: Segment, spec: FieldSpec) -> None:
    if spec.name not in segment.values:
        read_counts(segment, frozenset({spec.name}))


# Read in this order, whatever order the form lists its fields in: what is surest takes its words first.
FIELD_READERS: dict[str, FieldReader] = {
    "ref": read_ref,
    "commitment": read_commitment,
    "lang": read_lang,
    "date": _date,
    "count": _count,
    "place": _place,
    "category": _category,
    "yes_no": read_yes_no,
    "choice": read_choice,
    "number": read_number,
    "name": read_name,
    "text": read_text,
}
ORDER = {kind: place for place, kind in enumerate(FIELD_READERS)}
