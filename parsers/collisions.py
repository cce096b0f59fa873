"""Which words of a codebook stand in each other's way: the lint an admin's edit must pass."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Literal

from rapidfuzz.distance import OSA

from parsers.normalize import fold, words_of
from parsers.pack import Pack
from parsers.phonetic import phonetic_key
from parsers.repair import SHORTEST, SHORTEST_TWO_EDITS

Kind = Literal["same", "near", "reserved", "empty", "long", "literal"]
Severity = Literal["error", "warning"]

LONGEST = 40
_LITERAL = re.compile(r"[^\W_]+(?:[ './-]+[^\W_]+)*'?|\?")
_WARN_FROM = 3


@dataclass(frozen=True, slots=True)
class Collision:
    """A word and what it collides with; ``message_key`` names the sentence an admin is shown."""

    word: str
    other: str
    kind: Kind
    where: str
    other_where: str
    severity: Severity
    message_key: str


@dataclass(frozen=True, slots=True)
class _Entry:
    word: str
    folded: str
    where: str
    space: str


def collisions(pack: Pack, words: Mapping[str, Mapping[str, Sequence[str]]]) -> list[Collision]:
    """Every collision in a set of word lists (the shape pack_words gives), errors first.

    Two words collide when they mean different things and are equal after folding, or so near that the repair ladder
    could take a misspelling of one for the other; shorter near pairs are warnings.
    """
    entries = list(_entries(words))
    found = [one for entry in entries for one in _alone(pack, entry)]
    sound = [entry for entry in entries if entry.folded]
    found.extend(_same([*sound, *_fixed(pack)]))
    found.extend(_near(sound))
    return sorted(found, key=lambda one: (one.severity != "error", one.where, one.word, one.other))


def _entries(words: Mapping[str, Mapping[str, Sequence[str]]]) -> Iterator[_Entry]:
    for kind, lists in words.items():
        for name, given in lists.items():
            space = name.rpartition(".")[0] if kind == "choice" else "text"
            for word in given:
                yield _Entry(word, " ".join(words_of(word)), f"{kind}.{name}", space)


def _fixed(pack: Pack) -> Iterator[_Entry]:
    """Words nobody edits yet everybody meets: category codes, words of other languages, place names."""
    for row in pack.table("categories"):
        yield _Entry(row["code"], fold(row["code"]), f"category.{row['code']}", "text")
    for row in pack.table("languages"):
        if row["kind"] in ("kw", "cat"):
            where = f"{'form' if row['kind'] == 'kw' else 'category'}.{row['value']}"
            yield _Entry(row["word"], " ".join(words_of(row["word"])), where, "text")
    for row in pack.table("places"):
        for name in (row["name"], *row["aliases"].split("|")):
            folded = " ".join(words_of(name))
            if folded:
                yield _Entry(name, folded, f"place.{row['ine_code']}", "text")


def _alone(pack: Pack, entry: _Entry) -> Iterator[Collision]:
    """What is wrong with a word by itself."""
    if not entry.word.strip():
        yield _collision(entry, "", "empty")
    elif len(entry.word) > LONGEST:
        yield _collision(entry, "", "long")
    elif not _LITERAL.fullmatch(entry.word.strip()):
        yield _collision(entry, "", "literal")
    reserved = {word.lower(): owner for owner, given in pack.about["reserved_words"].items() for word in given}
    owner = reserved.get(entry.folded)
    if owner is not None and entry.space == "text" and entry.where != owner:
        yield Collision(entry.word, entry.word, "reserved", entry.where, owner, "error", "collision.reserved")


def _collision(entry: _Entry, other: str, kind: Kind) -> Collision:
    return Collision(entry.word, other, kind, entry.where, "", "error", f"collision.{kind}")


def _same(entries: Sequence[_Entry]) -> Iterator[Collision]:
    by_fold: dict[tuple[str, str], list[_Entry]] = {}
    for entry in entries:
        by_fold.setdefault((entry.space, entry.folded), []).append(entry)
    for group in by_fold.values():
        for one, other in combinations(group, 2):
            if one.where != other.where and not (one.where.startswith("place.") and other.where.startswith("place.")):
                yield Collision(one.word, other.word, "same", one.where, other.where, "error", "collision.same")


def _near(entries: Sequence[_Entry]) -> Iterator[Collision]:
    """Pairs one deletion or one substitution apart meet in the same bucket, so no pair is looked at in vain."""
    buckets: dict[tuple[str, str], list[_Entry]] = {}
    for entry in entries:
        if " " not in entry.folded and len(entry.folded) >= _WARN_FROM:
            for key in _keys(entry.folded):
                buckets.setdefault((entry.space, key), []).append(entry)
    seen: set[tuple[str, str, str, str]] = set()
    for group in buckets.values():
        for one, other in combinations(group, 2):
            mark = (one.folded, other.folded, one.where, other.where)
            if one.where == other.where or one.folded == other.folded or mark in seen:
                continue
            seen.add(mark)
            severity = _severity(one.folded, other.folded)
            if severity is not None:
                yield Collision(one.word, other.word, "near", one.where, other.where, severity, "collision.near")


def _keys(word: str) -> set[str]:
    once = {word[:at] + word[at + 1 :] for at in range(len(word))}
    keys = {word, *once, "~" + phonetic_key(word)}
    if len(word) >= SHORTEST_TWO_EDITS - 1:
        keys.update(each[:at] + each[at + 1 :] for each in once for at in range(len(each)))
    return keys


def _severity(one: str, other: str) -> Severity | None:
    """One edit or one sound apart at 5+ letters: a slip turns one into the other. Further apart the ladder finds both
    words for the misspelling in the middle and asks, so that is a warning."""
    distance = OSA.distance(one, other, score_cutoff=3)
    shorter = min(len(one), len(other))
    if shorter >= SHORTEST and (distance <= 1 or phonetic_key(one) == phonetic_key(other)):
        return "error"
    return "warning" if distance <= (2 if shorter >= SHORTEST_TWO_EDITS else 1) else None
