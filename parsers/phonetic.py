"""A phonetic key for people who write as they speak: Spanish and Mayan names, qu/c/k, b/v, s/z/c/x, ll/y/i, h, j/g."""

import re

# Plain replacements in this order; each group is tried only when its letter occurs.
_RULES: tuple[tuple[str, tuple[tuple[str, str], ...]], ...] = (
    ("'", (("'", ""),)),
    ("h", (("ph", "f"), ("sch", "x"), ("tch", "x"), ("sh", "x"), ("ch", "C"), ("h", ""))),
    ("q", (("que", "ke"), ("qui", "ki"), ("q", "k"))),
    ("c", (("ce", "se"), ("ci", "si"), ("c", "k"))),
    ("t", (("tx", "s"), ("tz", "s"), ("ts", "s"))),
    ("k", (("ks", "s"),)),
    ("x", (("x", "s"),)),
    ("z", (("z", "s"),)),
    ("g", (("gue", "Ge"), ("gui", "Gi"), ("gua", "ua"), ("ge", "je"), ("gi", "ji"), ("G", "g"))),
    ("w", (("w", "u"),)),
    ("v", (("v", "b"),)),
    ("l", (("ll", "i"),)),
    ("y", (("y", "i"),)),
    ("n", (("nb", "mb"), ("np", "mp"))),
)
_DOUBLED = re.compile(r"(.)\1+")


def phonetic_key(word: str) -> str:
    """The key of a folded word; two words that sound alike to a Guatemalan ear share it."""
    for letter, replacements in _RULES:
        if letter in word:
            for old, new in replacements:
                word = word.replace(old, new)
    return _DOUBLED.sub(r"\1", word)
