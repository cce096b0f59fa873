"""The repair ladder for one unknown word: same sound, one edit (5+ letters), one edit by sound, two edits (9+)."""

from collections.abc import Iterable, Mapping

from rapidfuzz.distance import OSA

from parsers.phonetic import phonetic_key
from parsers.tables import Keys

SHORTEST = 5
SHORTEST_BY_SOUND = 4
SHORTEST_TWO_EDITS = 9
MOST_CANDIDATES = 8
LONGEST = 24

BY_SOUND, ONE_EDIT, ONE_LETTER, SOUND_EDIT, TWO_EDITS = 0.1, 0.2, 0.25, 0.3, 0.4


def _deletions(word: str) -> set[str]:
    return {word[:i] + word[i + 1 :] for i in range(len(word))}


class Repairer:
    """Finds the known words an unknown one was meant to be, through deletion neighbourhoods (no scan of the list)."""

    def __init__(self, words: Iterable[str], names: Iterable[str] = ()) -> None:
        """``names`` may also be repaired from four letters, when one letter was left out (nebj)."""
        self._names = frozenset(names)
        self._near: dict[str, list[str]] = {}
        self._far: dict[str, list[str]] = {}
        self._sound: dict[str, list[str]] = {}
        self._near_sound: dict[str, list[str]] = {}
        for word in sorted(set(words)):
            self._learn(word)

    def _learn(self, word: str) -> None:
        if len(word) < SHORTEST_BY_SOUND:
            return
        sound = phonetic_key(word)
        known = self._sound.setdefault(sound, [])
        known.append(word)
        if len(word) < SHORTEST:
            return
        for key in {word, *_deletions(word)}:
            self._near.setdefault(key, []).append(word)
        if len(known) == 1 and len(sound) >= SHORTEST:
            for key in {sound, *_deletions(sound)}:
                self._near_sound.setdefault(key, []).append(sound)
        if len(word) >= SHORTEST_TWO_EDITS - 1:
            for once in _deletions(word):
                self._far.setdefault(once, []).append(word)

    def candidates(self, word: str) -> Keys:
        """((known word, penalty), ...) of the first rung that finds any; nothing when too many fit."""
        if not SHORTEST_BY_SOUND <= len(word) <= LONGEST:
            return ()
        sound = phonetic_key(word)
        same = dict.fromkeys(self._sound.get(sound, ()), BY_SOUND)
        if len(word) < SHORTEST:
            near = [each for each in self._near.get(word, ()) if each in self._names]
        else:
            near = self._within(self._near, word, 1)
        for each in near:
            same.setdefault(each, ONE_EDIT if len(each) != len(word) or _swapped(word, each) else ONE_LETTER)
        if same:
            return self._few(same)
        if len(word) >= SHORTEST and len(sound) >= SHORTEST:
            sounds = self._within(self._near_sound, sound, 1)
            if sounds:
                return self._few({each: SOUND_EDIT for one in sounds for each in self._sound[one]})
        return self._two_edits(word)

    def _two_edits(self, word: str) -> Keys:
        if len(word) < SHORTEST_TWO_EDITS:
            return ()
        pool = {
            each for key in (word, *_deletions(word)) for each in (*self._far.get(key, ()), *self._near.get(key, ()))
        }
        return self._few({each: TWO_EDITS for each in sorted(pool) if OSA.distance(word, each, score_cutoff=2) <= 2})

    @staticmethod
    def _within(index: dict[str, list[str]], word: str, edits: int) -> list[str]:
        pool = set(index.get(word, ()))
        for key in _deletions(word):
            pool.update(index.get(key, ()))
        return [each for each in sorted(pool) if OSA.distance(word, each, score_cutoff=edits) <= edits]

    @staticmethod
    def _few(found: Mapping[str, float]) -> Keys:
        return tuple(found.items()) if len(found) <= MOST_CANDIDATES else ()


def _swapped(one: str, other: str) -> bool:
    """Two neighbours changed places: likelier a slip than another letter."""
    return sorted(one) == sorted(other)
