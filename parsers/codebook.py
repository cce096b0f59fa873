"""What can be said: forms, categories, places and choices, frozen, with their lookup tables compiled once."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from parsers.tables import Tables

FormKind = Literal["report", "command"]


@dataclass(frozen=True, slots=True)
class FieldSpec:
    """One field of a form. ``kind`` is a key of FIELD_READERS; ``required`` is yes, no, yes*, auto or a condition."""

    name: str
    kind: str
    required: str = "no"
    hint: str = ""
    default: str = ""
    choices: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class FormSpec:
    """A form or command: its keywords, its fields in order, its questions and its answers (GSM-7 templates)."""

    name: str
    title: str
    title_en: str
    kind: FormKind
    roles: tuple[str, ...]
    keywords: tuple[str, ...]
    fields: tuple[FieldSpec, ...]
    asks: Mapping[str, str]
    reply: str
    reply_open: str | None = None
    shortest: str = ""
    full: str = ""

    def field(self, name: str) -> FieldSpec | None:
        named = [spec for spec in self.fields if spec.name == name]
        return named[0] if named else None


@dataclass(frozen=True, slots=True)
class Choice:
    """One value of a closed list: ``label`` is the GSM-7 word used in answers, ``words`` are what people write."""

    value: str
    label: str
    label_en: str
    words: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Category:
    """A kind of event. ``urgent`` is no or if_recent; ``sensitive`` categories are named to nobody in answers."""

    code: str
    name: str
    name_en: str
    short: str
    group: str
    severity: int
    urgent: str
    sensitive: bool
    synonyms: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Place:
    """A department (2-digit code) or municipality (4-digit code); ``short`` is GSM-7 and at most 28 characters."""

    code: str
    level: str
    name: str
    short: str
    department: str
    lat: float
    lon: float
    languages: tuple[str, ...] = ()
    aliases: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Commitment:
    """A local commitment of the peace accords; ``short`` is the GSM-7 name used in answers."""

    code: str
    short: str
    text: str
    text_en: str
    accord: str


@dataclass(frozen=True, slots=True)
class Codebook:
    """The compiled rules one text is read by. Immutable; ``revision`` names them in every reading.

    ``ending`` are the categories that say a danger is over.
    """

    revision: int
    pack: str
    zone: str
    language: str
    forms: Mapping[str, FormSpec]
    categories: Mapping[str, Category]
    places: Mapping[str, Place]
    commitments: Mapping[str, Commitment]
    choices: Mapping[str, Mapping[str, Choice]]
    replies: Mapping[str, str]
    tables: "Tables" = field(repr=False, compare=False)
    ending: frozenset[str] = frozenset()
