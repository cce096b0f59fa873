"""Every word of the pages and of mail: gettext catalogues whose keys are the English words.

A language without a catalogue (the Mayan ones so far) falls back to Spanish. `{name}` marks are filled by plain
replacement after translation, so a value is never read as a template.
"""

import gettext
from functools import lru_cache
from pathlib import Path

FOLDER = Path(__file__).parent
DOMAIN = "vocero"
LANGUAGES = {"es": "Español", "en": "English"}
DEFAULT = "es"


class Translator:
    """Words of one language: `t("Save")`, `t("Revision {n}", n=3)`, `t.plural("{n} text", "{n} texts", 2)`."""

    def __init__(self, language: str, catalogue: gettext.NullTranslations) -> None:
        self.language = language
        self._catalogue = catalogue

    def __call__(self, message: str, **values: object) -> str:
        return _filled(self._catalogue.gettext(message), values)

    def plural(self, one: str, many: str, n: int, **values: object) -> str:
        return _filled(self._catalogue.ngettext(one, many, n), {"n": n, **values})


def N_(message: str) -> str:  # noqa: N802
    """Mark a word for the catalogue that is translated later, where it is shown."""
    return message


@lru_cache
def translator(language: str) -> Translator:
    """The translator of a language tag ("es", "en", "ixl"); unknown ones speak Spanish."""
    known = language if language in LANGUAGES else DEFAULT
    return Translator(known, gettext.translation(DOMAIN, FOLDER, languages=[known]))


def best_language(accept_language: str) -> str:
    """The language of an Accept-Language header (RFC 9110 12.5.4) that there is a catalogue for."""
    wanted: list[tuple[float, str]] = []
    for part in accept_language[:200].split(","):
        tag, _, quality = part.strip().partition(";q=")
        try:
            weight = float(quality) if quality else 1.0
        except ValueError:
            continue
        wanted.append((-weight, tag.strip().lower().split("-")[0]))
    return next(
        (tag for weight, tag in sorted(wanted, key=lambda found: found[0]) if tag in LANGUAGES and weight < 0), DEFAULT
    )


def _filled(text: str, values: dict[str, object]) -> str:
    pieces: list[str] = []
    rest = text
    while rest:
        before, mark, rest = rest.partition("{")
        pieces.append(before)
        if mark:
            name, closed, after = rest.partition("}")
            known = bool(closed) and name in values
            pieces.append(str(values[name]) if known else mark)
            rest = after if known else rest
    return "".join(pieces)
