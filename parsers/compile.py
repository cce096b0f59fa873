"""Pack -> Codebook: specs from the pack's files, an admin's word lists laid over them, tables built once."""

import gc
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from types import MappingProxyType
from typing import Any

from parsers.codebook import Category, Choice, Codebook, Commitment, FieldSpec, FormSpec, Place
from parsers.fields import ORDER
from parsers.pack import Pack, Row
from parsers.vocabulary import build_tables

Words = Mapping[str, Mapping[str, Sequence[str]]]

# GSM 03.38 knows é ñ ü à but not these; a text with one of them would cost a second segment.
_TO_GSM7 = str.maketrans("áíóúÁÍÓÚ", "aiouAIOU")


def compile_codebook(pack: Pack, *, revision: int = 1, words: Words | None = None) -> Codebook:
    """Build the codebook of one revision.

    ``words`` holds what an admin edited, as whole lists that replace the pack's: {"form": {"incident": [...]},
    "category": {"ROB": [...]}, "choice": {"return.status.mal": [...]}}. Names the pack lacks raise KeyError.
    """
    lists = _overlay(pack, words)
    forms = {form["form"]: _form(form, lists["form"]) for form in pack.forms}
    categories = _categories(pack, lists["category"])
    places = {row["ine_code"]: _place(row) for row in pack.table("places")}
    commitments = {row["code"]: _commitment(row) for row in pack.table("commitments")}
    choices = _choices(pack, lists["choice"])
    with _collector_paused():
        tables = build_tables(pack, forms, categories, places, commitments, choices, _reading_order(forms))
    return Codebook(
        revision=revision,
        pack=pack.name,
        zone=str(pack.about["zone"]),
        language=str(pack.about["language"]),
        forms=MappingProxyType(forms),
        categories=MappingProxyType(categories),
        places=MappingProxyType(places),
        commitments=MappingProxyType(commitments),
        choices=MappingProxyType(choices),
        replies=pack.replies,
        tables=tables,
        ending=frozenset(pack.about.get("ending_categories", ())),
    )


def pack_words(pack: Pack) -> dict[str, dict[str, list[str]]]:
    """The word lists an admin may edit, as the pack ships them, in the shape compile_codebook takes."""
    return {
        "form": {form["form"]: list(form["keywords"]) for form in pack.forms},
        "category": {row["code"]: _split(row["synonyms"]) for row in pack.table("categories")},
        "choice": {f"{row['list']}.{row['value']}": _split(row["words"]) for row in pack.table("choices")},
    }


@contextmanager
def _collector_paused() -> Iterator[None]:
    """Tables are tens of thousands of objects that all stay: walking them over and over is half the time."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def _overlay(pack: Pack, words: Words | None) -> dict[str, dict[str, list[str]]]:
    lists = pack_words(pack)
    for kind, edited in (words or {}).items():
        for name, replaced in edited.items():
            if name not in lists[kind]:
                raise KeyError(f"{kind} {name} is not in pack {pack.name}")
            lists[kind][name] = list(replaced)
    return lists


def _split(cell: str) -> list[str]:
    return [part.strip() for part in cell.split("|") if part.strip()]


def _form(form: Mapping[str, Any], keywords: Mapping[str, list[str]]) -> FormSpec:
    return FormSpec(
        name=form["form"],
        title=form["title"],
        title_en=form["title_en"],
        kind=form["kind"],
        roles=tuple(form["roles"]),
        keywords=tuple(keywords[form["form"]]),
        fields=tuple(_field(entry) for entry in form["fields"]),
        asks=MappingProxyType(dict(form["asks"])),
        reply=form["reply"],
        reply_open=form.get("reply_open"),
        shortest=form["shortest"],
        full=form["full"],
    )


def _field(entry: Mapping[str, Any]) -> FieldSpec:
    return FieldSpec(
        name=entry["name"],
        kind=entry["kind"],
        required=entry["required"],
        hint=entry["hint"],
        default=entry.get("default", ""),
        choices=tuple(entry.get("choices", ())),
    )


def _reading_order(forms: Mapping[str, FormSpec]) -> dict[str, tuple[FieldSpec, ...]]:
    """Each form's fields in the order they are read in, which is not the order they are asked in."""
    return {
        name: tuple(sorted((spec for spec in form.fields if spec.kind in ORDER), key=lambda spec: ORDER[spec.kind]))
        for name, form in forms.items()
    }


def _categories(pack: Pack, synonyms: Mapping[str, list[str]]) -> dict[str, Category]:
    shorts = pack.about["category_short"]
    return {
        row["code"]: Category(
            code=row["code"],
            name=row["name_es"],
            name_en=row["name_en"],
            short=shorts.get(row["code"], row["name_es"]).translate(_TO_GSM7),
            group=row["group"],
            severity=int(row["severity"]),
            urgent=row["urgent"],
            sensitive=row["sensitive"] == "1",
            synonyms=tuple(synonyms[row["code"]]),
        )
        for row in pack.table("categories")
    }


def _place(row: Row) -> Place:
    return Place(
        code=row["ine_code"],
        level=row["level"],
        name=row["name"],
        short=row["name_gsm7"].translate(_TO_GSM7)[:28].rstrip(),
        department=row["department_code"] or row["ine_code"],
        lat=float(row["lat"]),
        lon=float(row["lon"]),
        languages=tuple(_split(row["languages"])),
        aliases=tuple(_split(row["aliases"])),
    )


def _commitment(row: Row) -> Commitment:
    return Commitment(
        row["code"], row["short_es"].translate(_TO_GSM7), row["text_es"], row["text_en"], row["accord_id"]
    )


def _choices(pack: Pack, words: Mapping[str, list[str]]) -> dict[str, Mapping[str, Choice]]:
    lists: dict[str, dict[str, Choice]] = {}
    for row in pack.table("choices"):
        words_of = tuple(words[f"{row['list']}.{row['value']}"])
        lists.setdefault(row["list"], {})[row["value"]] = Choice(row["value"], row["label"], row["label_en"], words_of)
    return {name: MappingProxyType(values) for name, values in lists.items()}
