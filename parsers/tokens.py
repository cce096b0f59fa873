"""Folded text -> tokens: words, numbers, date and time literals, money, phones, links; punctuation becomes gaps."""

import re
from dataclasses import dataclass, field

from parsers.normalize import READ_LIMIT, Folded, fold_mapped

# What stands between a token and the one before it, from weakest to strongest.
GLUED, SPACE, COMMA, SENTENCE, SEMICOLON, NEWLINE = range(6)

WORD, NUMBER, MIXED, DATE, TIME, MONEY, PHONE, LINK = (
    "word",
    "number",
    "mixed",
    "date",
    "time",
    "money",
    "phone",
    "link",
)

_TOKEN = re.compile(
    r"""
[ ]*+(?:
    (?P<plain>[a-z]++(?:'++[a-z]*+)*+(?![^\s,;!?*\#():]|:/))
  | (?P<link>https?:\S+|www\.\S+|[a-z0-9._+-]+@[a-z0-9-]+(?:\.[a-z0-9-]+)+
      |\b[a-z0-9-]+\.(?:com|net|org|gt|ly|info|me|link|xyz|online|site|app|shop|tk|co)\b\S*)
  | (?P<date>(?<![\d/])(?:\d{4}[-/.]\d{1,2}[-/.]\d{1,2}
      |\d{1,2}(?P<sep>[ ]?[-/.][ ]?)\d{1,2}(?P=sep)(?:\d{4}|\d{2})|\d{1,2}/\d{1,2}
      |(?<![^\s,])\d{1,2}-\d{1,2}(?![^\s,.]))(?![\d/]))
  | (?P<time>\d{1,2}(?::|h)\d{2}(?:\s?(?:hrs?|[ap]\.?m\b\.?))?(?!\d)|\d{1,2}\s?(?:[ap]\.?m\b\.?|hrs?\b))
  | (?P<money>(?:\bq\.?|\$)\s?\d[\d.,]*\d|(?:\bq\.?|\$)\d)
  | (?P<phone>\+\d[\d\s-]{6,}\d|\b\d{4}-\d{4}\b)
  | (?P<number>\d{1,3}(?:[.,]\d{3})+(?![\d.,]*\d)|\d+(?![a-z0-9']))
  | (?P<word>[a-z]+(?:'+[a-z]*)*(?![a-z0-9']))
  | (?P<mixed>[a-z0-9]+(?:'[a-z0-9]*)*))
    """,
    re.VERBOSE,
)


@dataclass(slots=True)
class Token:
    """One token: ``start``/``end`` are places in the folded text; ``keys`` are what it is looked up by."""

    text: str
    start: int
    end: int
    kind: str
    gap: int
    keys: tuple[tuple[str, float], ...] = ()


@dataclass(slots=True)
class Tokens:
    """The tokens of one text with the folded text they came from."""

    folded: Folded
    items: list[Token] = field(default_factory=list)

    def span(self, first: int, last: int) -> tuple[int, int]:
        """Original-text span of tokens first..last-1."""
        if last <= first:
            return -1, -1
        start, end = self.items[first].start, self.items[last - 1].end
        return (start, end) if self.folded.index is None else self.folded.span(start, end)


def tokenise(text: str) -> Tokens:
    """Fold and cut a text; what lies beyond READ_LIMIT characters is not read."""
    folded = fold_mapped(text[:READ_LIMIT])
    items: list[Token] = []
    last = 0
    whole = folded.text
    for match in _TOKEN.finditer(whole):
        kind = match.lastgroup or WORD
        start, end = match.span(kind)
        gap = SPACE if start - last == 1 and whole[last] == " " else _gap(whole, last, start)
        items.append(Token(whole[start:end], start, end, WORD if kind == "plain" else kind, gap))
        last = end
    if items:
        items[0].gap = NEWLINE
    return Tokens(folded, items)


def _gap(whole: str, last: int, start: int) -> int:
    between = whole[last:start]
    if not between:
        return GLUED
    if "\n" in between:
        return NEWLINE
    if ";" in between or "//" in between or "|" in between:
        return SEMICOLON
    if "." in between or "!" in between or "?" in between:
        return SENTENCE
    return COMMA if between.strip() else SPACE
