"""The lookup tables a codebook is compiled into: one trie over folded words, and repairs for words nobody knows."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from parsers.codebook import FieldSpec
from parsers.tokens import NEWLINE, SEMICOLON, SENTENCE, Token

Keys = tuple[tuple[str, float], ...]
# word -> Node; END -> list[Entry]; GAP -> Node. A recursive type says less than this line and costs a cast per step.
Node = dict[str, Any]

END = ""
GAP = "*"
GAP_WORDS = 3
# Shorter words are not looked for inside a word nobody knows.
GLUED_MIN = 3


class Entry(NamedTuple):
    """What a phrase means: ``kind`` names the table it came from, ``weight`` how surely it means ``value``."""

    kind: str
    value: str
    weight: int


class Frame(NamedTuple):
    """A category told by concepts near each other ("crowd", "hold", "suspect"), in this order when ``ordered``."""

    category: str
    weight: int
    ordered: bool
    concepts: tuple[str, ...]
    needs: frozenset[str]


class Match(NamedTuple):
    """A phrase found in tokens start..end-1; ``penalty`` > 0 when a word had to be repaired for it."""

    start: int
    end: int
    value: str
    weight: int
    penalty: float


Matches = dict[str, list[Match]]
_MATCH = tuple.__new__


class KnownWords(dict[str, Keys]):
    """A known word -> the keys it is looked up by, worked out when it is first met; an unknown one has none."""

    def __init__(
        self, vocabulary: frozenset[str], shorthand: Mapping[str, str], classes: Mapping[str, tuple[str, ...]]
    ) -> None:
        super().__init__()
        self._vocabulary, self._shorthand, self._classes = vocabulary, shorthand, classes

    def __missing__(self, word: str) -> Keys:
        if word not in self._vocabulary:
            return ()
        meant = self._shorthand.get(word)
        written = (word,) if meant is None else (word, meant)
        keys = tuple((key, 0.0) for key in (*written, *self._classes.get(meant or word, ())))
        self[word] = keys
        return keys


@dataclass(frozen=True, slots=True)
class Tables:
    """Compiled lookups. ``choice_tries`` holds one small trie per closed list, read only by the form that asks."""

    trie: Node
    vocabulary: frozenset[str]
    known: "KnownWords"
    classes: Mapping[str, tuple[str, ...]]
    shorthand: Mapping[str, str]
    gluable: frozenset[str]
    gluable_heads: frozenset[str]
    repair: Callable[[str], Keys]
    choice_tries: Mapping[str, Node]
    place_common: frozenset[str]
    place_words: frozenset[str]
    keyword_prefixes: Mapping[str, str]
    frames: tuple[Frame, ...]
    actors: frozenset[str]
    dangers: frozenset[str]
    reading_order: Mapping[str, tuple[FieldSpec, ...]]


def add_phrase(root: Node, words: list[str], entry: Entry) -> None:
    node = root
    for word in words:
        node = node.setdefault(word, {})
    node.setdefault(END, []).append(entry)


def scan(root: Node, tokens: list[Token], first: int = 0, last: int | None = None) -> Matches:
    """All phrases of a trie in tokens first..last-1, by kind, in order of their start."""
    found: Matches = {}
    stop = len(tokens) if last is None else last
    lookup = root.get
    for start in range(first, stop):
        for key, penalty in tokens[start].keys:
            node = lookup(key)
            if node is not None:
                _follow(node, start, start + 1, penalty, tokens, stop, found)
    return found


def _follow(node: Node, start: int, at: int, penalty: float, tokens: list[Token], stop: int, found: Matches) -> None:
    entries = node.get(END)
    if entries is not None:
        for kind, value, weight in entries:
            match = _MATCH(Match, (start, at, value, weight, penalty))
            if kind in found:
                found[kind].append(match)
            else:
                found[kind] = [match]
        if len(node) == 1:
            return
    if at >= stop or (tokens[at].gap >= SENTENCE and _breaks(tokens, at)):
        return
    for key, more in tokens[at].keys:
        child = node.get(key)
        if child is not None:
            _follow(child, start, at + 1, penalty if penalty >= more else more, tokens, stop, found)
    gap = node.get(GAP)
    if gap is not None:
        _skip(gap, start, at, penalty, tokens, stop, found)


def _skip(node: Node, start: int, at: int, penalty: float, tokens: list[Token], stop: int, found: Matches) -> None:
    for place in range(at, min(at + GAP_WORDS + 1, stop)):
        if tokens[place].gap >= SENTENCE:
            return
        for key, more in tokens[place].keys:
            child = node.get(key)
            if child is not None:
                _follow(child, start, place + 1, max(penalty, more), tokens, stop, found)


def _breaks(tokens: list[Token], at: int) -> bool:
    gap = tokens[at].gap
    return gap in (SEMICOLON, NEWLINE) or len(tokens[at - 1].text) > 3
