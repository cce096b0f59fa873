"""The repair ladder for one unknown word: same sound, one edit (5+ letters), one edit by sound, two edits (9+)."""

import re
from bisect import bisect_left
from collections.abc import Iterable, Mapping
from functools import lru_cache

from rapidfuzz.distance import OSA

from parsers.phonetic import phonetic_key
from parsers.tables import Keys

SHORTEST = 5
SHORTEST_BY_SOUND = 4
SHORTEST_TWO_EDITS = 9
SHORTEST_CUT = 6
MOST_CANDIDATES = 16
LONGEST = 24

BY_SOUND, ONE_EDIT, ONE_LETTER, SOUND_EDIT, TWO_EDITS = 0.1, 0.2, 0.25, 0.3, 0.4
# x is sh in Mayan spelling, and some write ch with it (linxamiento, maxete).
BY_MAYAN_X = 0.2
CUT_SHORT = 0.25


# -ar, -er, -ir, -ando, -iendo with a pronoun behind it.
_PRONOUN = re.compile(r"(?:[aei]r|[ai]ndo|endo)(?:(?:se|me|te)?(?:nos|l[aeo]s?)|se|me|te)$")
_distance = OSA.distance
Parts = dict[str, list[str]]


class _Thirds:
    """The words of one length, each under its first and its last third."""

    __slots__ = ("first", "high", "last", "low")

    def __init__(self, length: int) -> None:
        self.low, self.high = length // 3, 2 * length // 3
        self.first: Parts = {}
        self.last: Parts = {}


class _Near:
    """Words within one or two edits of another, without a scan of the list.

    One edit leaves the first or the last third of a word whole, two edits leave one of the three.
    """

    def __init__(self) -> None:
        self._lengths: dict[int, _Thirds] = {}
        self._middles: Parts = {}

    def learn(self, word: str) -> None:
        length = len(word)
        thirds = self._lengths.get(length)
        if thirds is None:
            thirds = self._lengths[length] = _Thirds(length)
        thirds.first.setdefault(word[: thirds.low], []).append(word)
        self._middles.setdefault(word[thirds.low : thirds.high], []).append(word)
        thirds.last.setdefault(word[thirds.high :], []).append(word)

    def within(self, word: str, edits: int) -> list[str]:
        """Every learnt word at most ``edits`` away (a swap of neighbours is one edit), in alphabetical order."""
        pool: list[str] = []
        size = len(word)
        for length in range(max(3, size - edits), size + edits + 1):
            thirds = self._lengths.get(length)
            if thirds is None:
                continue
            pool += thirds.first.get(word[: thirds.low], ())
            pool += thirds.last.get(word[thirds.high + size - length :], ())
        if edits > 1:
            middle = self._middles.get
            for low, high in _middles(size, edits):
                pool += middle(word[low:high], ())
        return sorted([each for each in set(pool) if _distance(word, each, score_cutoff=edits) <= edits])


@lru_cache(maxsize=64)
def _middles(size: int, edits: int) -> tuple[tuple[int, int], ...]:
    """Where in a word of this size the middle third of one that is near can stand."""
    return tuple(
        sorted(
            {
                (length // 3 + shift, 2 * length // 3 + shift)
                for length in range(max(3, size - edits), size + edits + 1)
                for shift in range(-min(edits, length // 3), edits + 1)
            }
        )
    )


class Repairer:
    """Finds the known words an unknown one was meant to be."""

    def __init__(self, words: Iterable[str], names: Iterable[str] = ()) -> None:
        """``names`` may also be repaired from four letters, when one letter was left out (nebj)."""
        self._names = frozenset(names)
        self._sorted = sorted(self._names)
        self._near = _Near()
        self._sounds = _Near()
        self._sound: dict[str, list[str]] = {}
        for word in sorted(set(words)):
            if len(word) >= SHORTEST_BY_SOUND:
                self._learn(word)

    def _learn(self, word: str) -> None:
        sound = phonetic_key(word)
        known = self._sound.get(sound)
        if known is not None:
            known.append(word)
        else:
            self._sound[sound] = [word]
            if len(sound) >= SHORTEST:
                self._sounds.learn(sound)
        if len(word) >= SHORTEST:
            self._near.learn(word)

    def candidates(self, word: str) -> Keys:
        """The repairs of a word; one with a pronoun at its end (darnos) is only taken for another that has it too."""
        found = self._candidates(word)
        if found and _PRONOUN.search(word) is not None:
            return tuple(one for one in found if _PRONOUN.search(one[0]) is not None)
        return found

    def _candidates(self, word: str) -> Keys:
        """((known word, penalty), ...) of the first rung that finds any; nothing when too many fit."""
        if not SHORTEST_BY_SOUND <= len(word) <= LONGEST:
            return ()
        sound = phonetic_key(word)
        same: dict[str, float] = dict.fromkeys(self._sound.get(sound, ()), BY_SOUND)
        if len(word) < SHORTEST:
            near = [each for each in self._near.within(word, 1) if each in self._names and len(each) > len(word)]
        else:
            near = self._near.within(word, 1)
        for each in near:
            same.setdefault(each, ONE_EDIT if len(each) != len(word) or _swapped(word, each) else ONE_LETTER)
        if not same and "x" in word:
            same = dict.fromkeys(self._sound.get(phonetic_key(word.replace("x", "ch")), ()), BY_MAYAN_X)
        if same:
            return self._few(same)
        begun = self._begun(word)
        if begun is not None:
            return ((begun, CUT_SHORT),)
        if len(word) >= SHORTEST and len(sound) >= SHORTEST:
            sounds = self._sounds.within(sound, 1)
            if sounds:
                return self._few({each: SOUND_EDIT for one in sounds for each in self._sound[one]})
        return self._two_edits(word)

    def _begun(self, word: str) -> str | None:
        """The one name that begins like this (chichicas): at least six letters of it and three left out."""
        if len(word) < SHORTEST_CUT:
            return None
        at = bisect_left(self._sorted, word)
        fits = [name for name in self._sorted[at : at + 2] if name.startswith(word) and len(name) >= len(word) + 3]
        return fits[0] if len(fits) == 1 else None

    def _two_edits(self, word: str) -> Keys:
        if len(word) < SHORTEST_TWO_EDITS:
            return ()
        return self._few(dict.fromkeys(self._near.within(word, 2), TWO_EDITS))

    @staticmethod
    def _few(found: Mapping[str, float]) -> Keys:
        return tuple(found.items()) if len(found) <= MOST_CANDIDATES else ()


def _swapped(one: str, other: str) -> bool:
    """Two neighbours changed places: likelier a slip than another letter."""
    return sorted(one) == sorted(other)
