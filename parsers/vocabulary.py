"""Pack words -> tables: every phrase of the pack into one trie, and who may be repaired to what."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache

from parsers.codebook import Category, Choice, Commitment, FieldSpec, FormSpec, Place
from parsers.conjugate import conjugate
from parsers.normalize import fold, words_of
from parsers.pack import Pack
from parsers.repair import Repairer
from parsers.tables import GLUED_MIN, Entry, Frame, KnownWords, Node, Tables, add_phrase

_SMALL = frozenset({"de", "del", "la", "las", "el", "los", "y"})
_PARTS_MIN = 6
# One word is never as sure as a phrase.
_WORD_WEIGHT = 3
_PREFIX_MIN = 4
# Kinds whose words an unknown word may be repaired to; greetings, fillers and link words are not worth a guess.
_REPAIRABLE = frozenset(
    {
        "kw",
        "cat",
        "place",
        "unit",
        "rel",
        "weekday",
        "month",
        "number",
        "urgent",
        "deptword",
        "loc",
        "person",
        "kill",
        "hurt",
        "seize",
        "vanish",
        "helpword",
    }
)
_GLUABLE = frozenset({"kw", "code", "place", "unit", "rel", "cat"})


class VocabularyBuilder:
    """Collects phrases, then builds the tables once."""

    def __init__(self, ordinary: set[str]) -> None:
        self.ordinary = ordinary
        self.trie: Node = {}
        self.words: set[str] = set()
        self.keywords: dict[str, str] = {}
        self.repairable: set[str] = set()
        self.names: set[str] = set()
        self.place_words: set[str] = set()
        self.gluable: set[str] = set()
        self.classes: dict[str, set[str]] = {}
        self.choice_tries: dict[str, Node] = {}
        self.place_common: set[str] = set()

    def add(self, phrase: str, kind: str, value: str, weight: int = 2) -> None:
        words = words_of(phrase)
        if not words:
            return
        add_phrase(self.trie, words, Entry(kind, value, weight))
        self._know(words, kind)

    def add_spoken(self, row: Mapping[str, str]) -> None:
        """A word of another language, read as it is written: no slip is taken for one."""
        words = words_of(row["word"])
        add_phrase(self.trie, words, Entry(row["kind"], row["value"], 2))
        add_phrase(self.trie, words, Entry("language", row["language"], 2))
        self.words.update(words)

    def _know(self, words: Sequence[str], kind: str) -> None:
        plain = [word for word in words if word[0] not in "{*"]
        self.words.update(plain)
        if kind in _GLUABLE and len(words) <= 4:
            self.gluable.update(word for word in plain if len(word) >= GLUED_MIN)
        if kind not in _REPAIRABLE:
            return
        self.repairable.update(plain)
        if kind == "place":
            self.place_words.update(plain)
        if kind in ("place", "unit"):
            self.names.update(plain)

    def add_verbs(self, rows: Iterable[Mapping[str, str]]) -> None:
        for row in rows:
            verb = fold(row["verb"])
            usual, rare = conjugate(verb, tuple(part for part in row["stems"].split("|") if part))
            for form in {*usual, *rare}:
                self.classes.setdefault(form, set()).add(f"{{{verb}}}")
                self.words.add(form)
            self.repairable.update(form for form in usual if len(form) >= 6)

    def add_forms(self, forms: Mapping[str, FormSpec], openers: Iterable[Mapping[str, str]]) -> None:
        for form in forms.values():
            for keyword in form.keywords:
                self.add(keyword, "kw", form.name, 1)
                self.keywords["".join(words_of(keyword))] = form.name
        for row in openers:
            for phrase in row["phrases"].split("|"):
                self.add(phrase, "kw" if row["strength"] == "hard" else "op", row["form"], 2)

    def add_categories(self, categories: Mapping[str, Category], lexicon: Iterable[Mapping[str, str]]) -> None:
        stated = {phrase: int(row["weight"]) for row in lexicon for phrase in row["phrases"].split("|")}
        for category in categories.values():
            self.add(category.code, "code", category.code, 9)
            for synonym in category.synonyms:
                self._add_synonym(synonym, category.code, stated)
        for row in lexicon:
            for phrase in row["phrases"].split("|"):
                weight = int(row["weight"])
                self.add(phrase, "cat", row["category"], weight if " " in phrase else min(weight, _WORD_WEIGHT))

    def _add_synonym(self, synonym: str, code: str, stated: Mapping[str, int]) -> None:
        """A synonym of the pack's categories; the lexicon may state its weight."""
        words = words_of(synonym)
        weight = min(stated.get(synonym, _WORD_WEIGHT), 2 if len(words) == 1 else 3)
        self.add(synonym, "cat", code, weight)
        if len(words) == 1:
            for variant in _inflect(words[0]):
                if variant not in self.words:
                    self.add(variant, "cat", code, weight)

    def add_places(self, places: Mapping[str, Place], common: Iterable[str]) -> None:
        self.place_common = {" ".join(words_of(name)) for name in common}
        ordinary = self.ordinary | self.place_common
        owners: Counter[str] = Counter()
        for place in places.values():
            owners.update({word for name in (place.name, *place.aliases) for word in words_of(name)})
        for place in places.values():
            names = {tuple(words_of(name)) for name in (place.name, *place.aliases)}
            for words in sorted(names):
                self._add_place(words, place.code, 3)
            self._add_parts(place, names, owners, ordinary)

    def _add_place(self, words: tuple[str, ...], code: str, weight: int) -> None:
        add_phrase(self.trie, list(words), Entry("place", code, weight))
        self._know(words, "place")
        short = tuple(word for word in words if word not in _SMALL)
        if len(short) > 1 and short != words:
            add_phrase(self.trie, list(short), Entry("place", code, weight))

    def _add_parts(
        self, place: Place, names: set[tuple[str, ...]], owners: Mapping[str, int], ordinary: set[str]
    ) -> None:
        """A long word that only one municipality bears (Cuchumatan) names it too."""
        for word in words_of(place.name):
            alone = owners[word] == 1 and len(word) >= _PARTS_MIN and (word,) not in names
            if alone and len(place.code) == 4 and word not in ordinary:
                add_phrase(self.trie, [word], Entry("place", place.code, 1))

    def add_choices(self, choices: Mapping[str, Mapping[str, Choice]]) -> None:
        for name, values in choices.items():
            node: Node = {}
            for choice in values.values():
                for phrase in choice.words:
                    words = words_of(phrase)
                    if words:
                        add_phrase(node, words, Entry("choice", choice.value, len(words)))
                        self.words.update(words)
                        self.repairable.update(words)
            self.choice_tries[name] = node

    def add_commitments(self, commitments: Mapping[str, Commitment]) -> None:
        node: Node = {}
        for commitment in commitments.values():
            words = words_of(commitment.short)
            add_phrase(node, words, Entry("choice", commitment.code, len(words)))
            self.words.update(words)
            self.repairable.update(word for word in words if len(word) > 4)
        self.choice_tries["commitment"] = node

    def build(self, pack: Pack, reading_order: Mapping[str, tuple[FieldSpec, ...]]) -> Tables:
        shorthand = {fold(row["word"]): fold(row["means"]) for row in pack.table("shorthand")}
        vocabulary = frozenset(self.words | set(shorthand) | self.ordinary)
        classes = {form: tuple(sorted(verbs)) for form, verbs in self.classes.items()}
        gluable = frozenset(self.gluable - _SMALL)
        repairer = Repairer(self.repairable, self.names)
        return Tables(
            trie=self.trie,
            vocabulary=vocabulary,
            known=KnownWords(vocabulary, shorthand, classes),
            classes=classes,
            shorthand=shorthand,
            gluable=gluable,
            gluable_heads=frozenset([word[:GLUED_MIN] for word in gluable]),
            repair=lru_cache(maxsize=8192)(repairer.candidates),
            choice_tries=self.choice_tries,
            place_common=frozenset(self.place_common),
            place_words=frozenset(self.place_words),
            frames=_frames(pack),
            actors=frozenset(pack.about.get("actor_categories", ())),
            dangers=frozenset(pack.about.get("danger_concepts", ())),
            reading_order=reading_order,
            keyword_prefixes=_unique_prefixes(self.keywords),
        )


def _ordinary(pack: Pack) -> set[str]:
    """Everyday words that mean nothing to a form, kept from being taken for a slip of one that does."""
    common = {word for row in pack.table("common") for word in fold(row["words"]).split()}
    ordinary = {word for row in pack.table("ordinary") for word in fold(row["words"]).split()}
    return common | ordinary | {word + "s" for word in common if word[-1] in "aeo"}


def _frames(pack: Pack) -> tuple[Frame, ...]:
    """Frames by descending weight, so that the first that fits a stretch is the surest."""
    frames = [
        Frame(
            row["category"],
            int(row["weight"]),
            row["order"] == "yes",
            (parts := tuple(row["concepts"].split())),
            frozenset(parts),
        )
        for row in pack.table("frames")
    ]
    return tuple(sorted(frames, key=lambda frame: -frame.weight))


def _unique_prefixes(keywords: Mapping[str, str]) -> dict[str, str]:
    """Beginnings of 4+ letters that only one form's keywords have (INCI), with the keyword they stand for."""
    owners: dict[str, set[str]] = {}
    for word, form in keywords.items():
        for end in range(_PREFIX_MIN, len(word)):
            owners.setdefault(word[:end], set()).add(form)
    first = {word[:end]: word for word in sorted(keywords, reverse=True) for end in range(_PREFIX_MIN, len(word))}
    return {prefix: first[prefix] for prefix, forms in owners.items() if len(forms) == 1}


def _inflect(word: str) -> list[str]:
    if word.endswith("o"):
        stem = word[:-1]
        return [stem + "os", stem + "a", stem + "as"]
    return [word[:-1]] if word.endswith("s") else [word + "s"]


def build_tables(
    pack: Pack,
    forms: Mapping[str, FormSpec],
    categories: Mapping[str, Category],
    places: Mapping[str, Place],
    commitments: Mapping[str, Commitment],
    choices: Mapping[str, Mapping[str, Choice]],
    reading_order: Mapping[str, tuple[FieldSpec, ...]],
) -> Tables:
    """Compile every word of a pack; the specs carry the lists an admin may have edited."""
    builder = VocabularyBuilder(_ordinary(pack))
    builder.add_forms(forms, pack.table("openers"))
    builder.add_verbs(pack.table("verbs"))
    builder.add_categories(categories, pack.table("lexicon"))
    builder.add_places(places, [name for row in pack.table("place_common") for name in row["names"].split("|")])
    builder.add_choices(choices)
    builder.add_commitments(commitments)
    for row in pack.table("words"):
        for phrase in row["words"].split("|"):
            builder.add(phrase, row["kind"], row["value"])
    for row in pack.table("concepts"):
        for phrase in row["words"].split("|"):
            builder.add(phrase, "concept", row["concept"], 1)
    for row in pack.table("cues"):
        for phrase in row["words"].split("|"):
            builder.add(phrase, "cue", row["category"], int(row["weight"]))
    for row in pack.table("spam"):
        for phrase in row["phrases"].split("|"):
            builder.add(phrase, "spam", "spam", int(row["weight"]))
    for row in pack.table("languages"):
        builder.add_spoken(row)
    return builder.build(pack, reading_order)
