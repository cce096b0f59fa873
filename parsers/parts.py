"""Parts a person numbered by hand: "1/2 INC ROB ..." then "2/2 ...". "inc 1/2 disturbios" is a date, not a part."""

import re

from parsers.codebook import Codebook
from parsers.normalize import fold
from parsers.prepare import prepare
from parsers.tables import Matches, scan
from parsers.tokens import DATE

# Possessive: blanks are what an emoji folds to, and a hundred thousand of them must not be tried in pairs.
_PART = re.compile(
    r"\s*+(?:[(\[]\s*+)?(?:parte\s+|sms\s+)?(\d{1,2})\s*(?:/|de)\s*(\d{1,2})(?!\s*+(?:/\s*+)?\d)\s*+"
    r"(?:[)\].:\-]\s*+)?(?=\S)"
)
_CLOSING = re.compile(r"(?<=\s)[(\[]\s*(\d{1,2})\s*/\s*(\d{1,2})\s*[)\]]\s*$")
_MOST_PARTS = 10
_FEW_CHARACTERS = 60
_EVENTS = ("kw", "code", "cat")
_DAYS = ("rel", "weekday", "ago")


def split_hand_part(text: str, codebook: Codebook | None = None) -> tuple[int, int, str] | None:
    """(sequence, total, rest) of a hand-numbered part; None when the text is whole.

    With a codebook, "3/3 robo en Nebaj" is known for a date.
    """
    for pattern in (_PART, _CLOSING):
        found = pattern.match(fold(text)) if pattern is _PART else pattern.search(text)
        if found is None:
            continue
        seq, total = int(found.group(1)), int(found.group(2))
        if not 1 <= seq <= total <= _MOST_PARTS or total < 2:
            continue
        if pattern is _CLOSING:
            return seq, total, text[: found.start()].strip()
        rest = text[found.end() :].strip() if len(fold(text)) == len(text) else fold(text)[found.end() :].strip()
        if rest and not _counts(found.group(0)) and not (codebook is not None and _is_date(seq, total, rest, codebook)):
            return seq, total, rest
    return None


def _is_date(seq: int, total: int, rest: str, codebook: Codebook) -> bool:
    """ "3/3 robo en Nebaj" is a day: no later part opens a report. Nor does anybody cut a few words in three or more
    ("1/4 robo en Nebaj"), unless another day stands among them."""
    items = prepare(rest, codebook.tables).items
    found = scan(codebook.tables.trie, items)
    if seq > 1:
        return _opens(found, _EVENTS)
    dated = any(token.kind == DATE for token in items) or any(kind in found for kind in _DAYS)
    return total > 2 and len(rest) <= _FEW_CHARACTERS and not dated and _opens(found, (*_EVENTS, "place"))


def _opens(found: Matches, kinds: tuple[str, ...]) -> bool:
    """Whether the words after the mark begin a report: a keyword, a code or an event first."""
    return any(match.start == 0 and match.penalty == 0 for kind in kinds for match in found.get(kind, ()))


def _counts(mark: str) -> bool:
    """ "1 de 5 heridos" tells a number; only a slash, or the word parte, makes a part of it."""
    return "/" not in mark and "parte" not in mark and "sms" not in mark
