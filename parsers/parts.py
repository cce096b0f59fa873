"""Parts a person numbered by hand: "1/2 INC ROB ..." then "2/2 ...". "inc 1/2 disturbios" is a date, not a part."""

import re

from parsers.normalize import fold

_PART = re.compile(
    r"\s*[(\[]?\s*(?:parte\s+|sms\s+)?(\d{1,2})\s*(?:/|de)\s*(\d{1,2})(?!\s*/?\s*\d)\s*[)\].:\-]?\s*(?=\S)"
)
_CLOSING = re.compile(r"(?<=\s)[(\[]\s*(\d{1,2})\s*/\s*(\d{1,2})\s*[)\]]\s*$")
_MOST_PARTS = 10


def split_hand_part(text: str) -> tuple[int, int, str] | None:
    """(sequence, total, rest) of a hand-numbered part; None when the text is whole."""
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
        if rest and not _counts_or_dates(found.group(0), rest):
            return seq, total, rest
    return None


def _counts_or_dates(mark: str, rest: str) -> bool:
    """ "1 de 5 heridos" tells a number; only a slash, or the word parte, makes a part of it."""
    return "/" not in mark and "parte" not in mark and "sms" not in mark
