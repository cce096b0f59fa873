"""A stretch of tokens read as one report: what was found in it, what of it is already used, what it came to mean."""

from bisect import bisect_left
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date

from parsers.codebook import Codebook
from parsers.results import Context, FieldValue, How, Problem, Trace, Value
from parsers.tables import Match, Matches
from parsers.tokens import NUMBER, Token, Tokens

# What a frame costs: surer than nothing, less sure than a phrase of the lists with the same weight.
FRAMED = 0.05
# Up to so many matches are looked through one by one.
_FEW = 8
_NONE: dict[int, Match] = {}
_NO_MATCHES: list[Match] = []
CONFIDENCE: dict[str, float] = {
    "exact": 1.0, "alias": 0.95, "answer": 0.95, "repaired": 0.8, "inferred": 0.6, "sender": 0.7, "default": 0.5,
}  # fmt: skip


@dataclass(slots=True)
class Document:
    """A whole text, scanned once; segments are windows on it."""

    text: str
    book: Codebook
    context: Context
    today: date
    tokens: Tokens
    matches: Matches
    offset: int = 0
    problems: list[Problem] = field(default_factory=list)
    trace: list[Trace] = field(default_factory=list)
    _starts: dict[str, list[int]] = field(default_factory=dict)
    _longest: dict[str, dict[int, Match]] = field(default_factory=dict)
    _numbers: dict[int, tuple[int, int]] | None = None

    def found(self, kind: str) -> list[Match]:
        """Every match of a kind in the text."""
        return self.matches.get(kind, _NO_MATCHES)

    def within(self, kind: str, first: int, last: int) -> list[Match]:
        """Matches of a kind that start and end inside tokens first..last-1."""
        found = self.matches.get(kind)
        if found is None:
            return []
        if first == 0 and last == len(self.tokens.items):
            return found
        if len(found) > _FEW:
            starts = self._starts.get(kind)
            if starts is None:
                starts = self._starts[kind] = [match.start for match in found]
            found = found[bisect_left(starts, first) : bisect_left(starts, last)]
        return [match for match in found if first <= match.start and match.end <= last]

    def at(self, kind: str, start: int) -> Match | None:
        """The longest match of a kind that starts at a token."""
        longest = self._longest.get(kind)
        return (self.starts(kind) if longest is None else longest).get(start)

    def starts(self, kind: str) -> dict[int, Match]:
        """The longest match of a kind at each token one starts at."""
        longest = self._longest.get(kind)
        if longest is None:
            found = self.matches.get(kind)
            longest = self._longest[kind] = _longest(found) if found is not None else _NONE
        return longest

    def span(self, start: int, end: int) -> tuple[int, int]:
        """Span in the given text of tokens start..end-1; (-1, -1) for what stands in a mail's subject."""
        offset = self.offset
        low, high = self.tokens.span(start, end)
        return (low - offset, high - offset) if low >= offset else (-1, -1)

    def text_slice(self, start: int, end: int) -> str:
        return self.text[start:end]

    @property
    def numbers(self) -> dict[int, tuple[int, int]]:
        """start token -> (value, end token) of every number, in digits or in words."""
        if self._numbers is None:
            self._numbers = _numbers(self)
        return self._numbers


@dataclass(slots=True)
class Segment:
    """Tokens first..last-1 of a document as one report of ``form``; ``opened`` when a keyword said so."""

    doc: Document
    first: int
    last: int
    form: str = ""
    opened: bool = False
    used: set[int] = field(default_factory=set)
    values: dict[str, FieldValue] = field(default_factory=dict)
    choices: tuple[str, ...] = ()
    term: str | None = None
    urgent: bool = False
    marks: tuple[int, int] = (0, 0)
    sure: bool = False
    weight: int = 0
    # Where the keyword ends; what a greeting says before it ("espero esten bien. RET ...") answers last.
    head: int = 0
    items: list[Token] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self.items = self.doc.tokens.items

    def of(self, kind: str) -> list[Match]:
        doc = self.doc
        return doc.within(kind, self.first, self.last) if kind in doc.matches else []

    def has(self, kind: str) -> bool:
        return bool(self.of(kind))

    def at(self, kind: str, start: int) -> Match | None:
        doc = self.doc
        if kind not in doc.matches or not self.first <= start < self.last:
            return None
        found = doc.at(kind, start)
        return found if found is not None and found.end <= self.last else None

    def surely_at(self, kinds: Iterable[str], start: int) -> bool:
        """Whether a match of one of these kinds starts at a token, spelt as it should be."""
        matches = self.doc.matches
        stated = [self.at(kind, start) for kind in kinds if kind in matches]
        return any(match is not None and not match.penalty for match in stated) if stated else False

    def free(self, start: int, end: int) -> bool:
        return self.used.isdisjoint(range(start, end))

    def take(self, start: int, end: int) -> None:
        self.used.update(range(start, end))

    def between(self, at: int) -> str:
        """The folded text between a token and the one before it."""
        return self.doc.tokens.folded.text[self.items[at - 1].end : self.items[at].start] if at else ""

    def word(self, at: int) -> str:
        return self.items[at].text if self.first <= at < self.last else ""

    def put(self, name: str, value: Value, how: How, start: int = -1, end: int = -1) -> None:
        """Keep a value, with the span of tokens start..end-1 it came from."""
        doc = self.doc
        low, high = doc.span(start, end) if start >= 0 else (-1, -1)
        self.values[name] = FieldValue(value, how, low, high, CONFIDENCE[how])
        doc.trace.append(Trace("field", low, high, name, str(value), how))

    def problem(self, name: str, code: str, start: int, end: int) -> None:
        low, high = self.doc.span(start, end)
        text = self.doc.text[low:high] if low >= 0 else ""
        self.doc.problems.append(Problem(name, code, low, high, text))


def _longest(matches: Iterable[Match]) -> dict[int, Match]:
    found: dict[int, Match] = {}
    for match in matches:
        start = match[0]
        known = found.get(start)
        if known is None or match[1] > known[1]:
            found[start] = match
    return found


def how_of(penalty: float, weight: int = 9) -> How:
    """How a match was found: by a frame, with a repaired word, by a word of the lists, or as it stands on the card."""
    if penalty == FRAMED:
        return "inferred"
    if penalty > 0:
        return "repaired"
    return "exact" if weight >= 9 else "alias"


def _numbers(doc: Document) -> dict[int, tuple[int, int]]:
    found: dict[int, tuple[int, int]] = {}
    words = _longest(doc.matches.get("number", ()))
    at = 0
    items = doc.tokens.items
    if not words and NUMBER not in [token.kind for token in items]:
        return found
    while at < len(items):
        if items[at].kind == NUMBER:
            digits = items[at].text.replace(",", "").replace(".", "")
            found[at] = (int(digits), at + 1) if len(digits) <= 12 else (10**12, at + 1)
            if at + 1 < len(items) and items[at + 1].text == "mil" and found[at][0] < 1000:
                found[at] = (found[at][0] * 1000, at + 2)
            at = found[at][1]
        elif at in words:
            found[at] = _compose(words, items, at)
            at = found[at][1]
        else:
            at += 1
    return found


def _compose(words: dict[int, Match], items: list[Token], at: int) -> tuple[int, int]:
    """Number words from a token on: ciento treinta y cinco, dos mil, treinta."""
    total, last, end = 0, 10**6, at
    while end in words:
        value = int(words[end].value)
        if value == 1000 and 0 < total < 1000:
            total *= 1000
        elif (value < last and last >= 100) or (value < 10 and 20 <= last < 100) or end == at:
            total += value
        else:
            break
        last = value if value != 1000 else 10**5
        end = words[end].end
        joins = end < len(items) and items[end].text in ("y", "i") and end + 1 in words and 20 <= last < 100
        if joins and int(words[end + 1].value) < 10:
            end += 1
        elif joins:
            break
    return total, end
