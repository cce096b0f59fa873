import re

import pytest

from gateway.locale import LANGUAGES, best_language, translator
from tools.messages import as_mo, as_po, extract, po_path, untranslated, updated


@pytest.mark.parametrize("language", sorted(LANGUAGES))
def test_the_compiled_catalogue_is_what_the_source_says(language: str) -> None:
    po = po_path(language).read_bytes()
    assert po_path(language).with_suffix(".mo").read_bytes() == as_mo(po, language)


@pytest.mark.parametrize("language", sorted(LANGUAGES))
def test_the_catalogue_holds_the_words_of_code_and_templates_and_no_others(language: str) -> None:
    assert po_path(language).read_bytes() == as_po(updated(language, extract()))


def test_every_word_is_said_in_spanish() -> None:
    assert untranslated(updated("es", extract())) == []


def test_a_translation_has_the_marks_of_its_word() -> None:
    for message in updated("es", extract()):
        ids = message.id if isinstance(message.id, tuple) else (message.id,)
        strings = message.string if isinstance(message.string, tuple) else (message.string,)
        marks = {mark for one in ids for mark in re.findall(r"\{\w+\}", one)}
        for string in strings:
            assert set(re.findall(r"\{\w+\}", string)) == marks, message.id


@pytest.mark.parametrize(
    ("header", "language"),
    [
        ("en-GB,en;q=0.9,es;q=0.5", "en"),
        ("es-GT,es;q=0.9,en;q=0.8", "es"),
        ("fr,en;q=0.3", "en"),
        ("fr", "es"),
        ("", "es"),
        ("en;q=0, fr", "es"),
        ("en;q=x", "es"),
        (",;q=1,,en", "en"),
        ("quc", "es"),
    ],
)
def test_the_best_language_of_a_browser(header: str, language: str) -> None:
    assert best_language(header) == language


def test_a_language_without_a_catalogue_speaks_spanish() -> None:
    assert translator("ixl")("yes") == "sí"


def test_a_value_is_never_read_as_a_template() -> None:
    assert translator("en")("Revision {n}", n="{n} {x}") == "Revision {n} {x}"


def test_a_mark_without_a_value_stands() -> None:
    assert translator("en")("{x} and {") == "{x} and {"


def test_plurals() -> None:
    spanish = translator("es")
    assert spanish.plural("{n} try", "{n} tries", 1) == "1 intento"
    assert spanish.plural("{n} try", "{n} tries", 2) == "2 intentos"
