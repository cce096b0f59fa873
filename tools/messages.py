"""Bring the catalogues under gateway/locale up to date with the words in code and templates, and compile them.

Run it with the environment's Python from the project's folder: `.venv/bin/python tools/messages.py`. New words stand in
the Spanish catalogue with an empty translation; fill them in and run it again. `--check` writes nothing.
"""

import io
import sys
from datetime import UTC, datetime
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

ROOT = Path(__file__).parent.parent
FOLDER = ROOT / "gateway" / "locale"
LANGUAGES = ("es", "en")
SOURCES = [("**.py", "python"), ("**/templates/**.html", "jinja2"), ("**/templates/**.txt", "jinja2")]
KEYWORDS = {"_": None, "N_": None, "t": None, "ngettext": (1, 2), "plural": (1, 2)}
SOME_DAY = datetime(2026, 1, 1, tzinfo=UTC)


def extract() -> Catalog:
    """Every word of code and templates."""
    words = _catalog(None)
    found = extract_from_dir(str(ROOT / "gateway"), SOURCES, keywords=KEYWORDS)
    for name, _line, message, _comments, _context in found:
        words.add(message, locations=[(f"gateway/{name}", 0)])
    return words


def updated(language: str, words: Catalog) -> Catalog:
    """The language's catalogue with the present words: new ones empty, those no longer used dropped."""
    path = po_path(language)
    known = read_po(io.BytesIO(path.read_bytes()), locale=language) if path.exists() else _catalog(language)
    fresh = _catalog(language)
    for message in words:
        if not message.id:
            continue
        old = known.get(message.id)
        string = old.string if old is not None else None
        fresh.add(message.id, string, locations=sorted(set(message.locations)))
    return fresh


def as_po(catalog: Catalog) -> bytes:
    buffer = io.BytesIO()
    write_po(buffer, catalog, width=120, sort_output=True, include_lineno=False, ignore_obsolete=True)
    return buffer.getvalue()


def as_mo(po: bytes, language: str) -> bytes:
    buffer = io.BytesIO()
    write_mo(buffer, read_po(io.BytesIO(po), locale=language))
    return buffer.getvalue()


def po_path(language: str) -> Path:
    return FOLDER / language / "LC_MESSAGES" / "vocero.po"


def untranslated(catalog: Catalog) -> list[str]:
    """Words without a translation; in the English catalogue none is needed."""
    return [str(one.id) for one in catalog if one.id and not all(_strings(one.string))]


def _strings(string: "str | tuple[str, ...] | None") -> tuple[str, ...]:
    return string if isinstance(string, tuple) else (string or "",)


def _catalog(language: str | None) -> Catalog:
    return Catalog(
        locale=language, domain="vocero", project="Vocero", version="0", creation_date=SOME_DAY,
        revision_date=SOME_DAY, fuzzy=False, copyright_holder="the Vocero authors", header_comment="# Words of Vocero.",
        last_translator="the Vocero authors", language_team="the Vocero authors", msgid_bugs_address="",
    )  # fmt: skip


def main() -> int:
    words = extract()
    lacking = 0
    for language in LANGUAGES:
        catalog = updated(language, words)
        po = as_po(catalog)
        if "--check" not in sys.argv:
            po_path(language).parent.mkdir(parents=True, exist_ok=True)
            po_path(language).write_bytes(po)
            po_path(language).with_suffix(".mo").write_bytes(as_mo(po, language))
        if language != "en":
            for word in untranslated(catalog):
                lacking += 1
                print(f"{language}: {word}")
    print(f"{len(words)} words, {lacking} without a translation")
    return 1 if lacking else 0


if __name__ == "__main__":
    raise SystemExit(main())
