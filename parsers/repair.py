"""The repair ladder for one unknown word: same sound, one edit (5+ letters), one edit by sound, two edits (9+)."""

from collections.abc import Iterable, Iterator, Mapping

from rapidfuzz.distance import OSA

from parsers.phonetic import phonetic_key
from parsers.tables import Keys

SHORTEST = 5
SHORTEST_BY_SOUND = 4
SHORTEST_TWO_EDITS = 9
MOST_CANDIDATES = 16
LONGEST = 24

BY_SOUND, ONE_EDIT, ONE_LETTER, SOUND_EDIT, TWO_EDITS = 0.1, 0.2, 0.25, 0.3, 0.4


Parts = dict[tuple[int, int, str], list[str]]


class _Near:
    """Words within one or two edits of another, without a scan of the list.

    A word is kept under each of its thirds; two edits leave one third whole, so a word that is near shares one.
    """

    def __init__(self) -> None:
        self._parts: Parts = {}

    def learn(self, word: str) -> None:
        length = len(word)
        low, high = length // 3, 2 * length // 3
        for number, part in enumerate((word[:low], word[low:high], word[high:])):
            self._parts.setdefault((length, number, part), []).append(word)

    def within(self, word: str, edits: int) -> list[str]:
        """Every learnt word at most ``edits`` away (a swap of neighbours is one edit), in alphabetical order."""
        pool: set[str] = set()
        for length in range(max(3, len(word) - edits), len(word) + edits + 1):
            pool.update(self._sharing(word, length, edits))
        return sorted(each for each in pool if OSA.distance(word, each, score_cutoff=edits) <= edits)

    def _sharing(self, word: str, length: int, edits: int) -> Iterator[str]:
        low, high = length // 3, 2 * length // 3
        yield from self._parts.get((length, 0, word[:low]), ())
        yield from self._parts.get((length, 2, word[len(word) - (length - high) :]), ())
        for shift in range(-edits, edits + 1):
            if low + shift >= 0:
                yield from self._parts.get((length, 1, word[low + shift : high + shift]), ())


class Repairer:
    """Finds the known words an unknown one was meant to be."""

    def __init__(self, words: Iterable[str], names: Iterable[str] = ()) -> None:
        """``names`` may also be repaired from four letters, when one letter was left out (nebj)."""
        self._names = frozenset(names)
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
        """((known word, penalty), ...) of the first rung that finds any; nothing when too many fit."""
        if not SHORTEST_BY_SOUND <= len(word) <= LONGEST:
            return ()
        sound = phonetic_key(word)
        same = dict.fromkeys(self._sound.get(sound, ()), BY_SOUND)
        if len(word) < SHORTEST:
            near = [each for each in self._near.within(word, 1) if each in self._names and len(each) > len(word)]
        else:
            near = self._near.within(word, 1)
        for each in near:
            same.setdefault(each, ONE_EDIT if len(each) != len(word) or _swapped(word, each) else ONE_LETTER)
        if same:
            return self._few(same)
        if len(word) >= SHORTEST and len(sound) >= SHORTEST:
            sounds = self._sounds.within(sound, 1)
            if sounds:
                return self._few({each: SOUND_EDIT for one in sounds for each in self._sound[one]})
        return self._two_edits(word)

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
