"""Folding: case, accents, apostrophes, invisible characters, look-alikes and mojibake, with a map back to the text."""

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache

READ_LIMIT = 1600

_APOSTROPHES = "'’‘ʼʻꞌ`´′‵ˈʹ＇ˊˋ"
# Letters of other scripts that look like Latin ones on a phone screen (lower case, after NFKD).
_LOOKALIKES = dict(
    zip(
        "аеорсхукмтнвіјѕԁһӏɡαορτνβεζηικμχυϲγ",
        "aeopcxykmthbijsdhlgaoptvbezhikmxycy",
        strict=True,
    )
)
_CAPITAL_LOOKALIKES = dict(zip("АВЕКМНОРСТУХІЈЅΑΒΕΖΗΙΚΜΝΟΡΤΥΧ", "abekmhopctyxijsabezhikmnoptyx", strict=True))
_LETTERS = {"ß": "ss", "ı": "i", "ł": "l", "Ł": "l", "ø": "o", "Ø": "o", "đ": "d", "æ": "ae", "Æ": "ae", "œ": "oe"}
_SPACE = {chr(code): " " for code in range(32) if chr(code) not in "\n\r"} | {"\x7f": " ", "\r": "\n", "`": "'"}
_ASCII = str.maketrans(_SPACE)
# Spanish letters and the apostrophes of Mayan spelling fold one to one, so that most texts need no map.
_SPANISH = str.maketrans("áéíóúüñàèìòùÁÉÍÓÚÜÑÀÈÌÒÙ’ʼꞌ´‘\u00a0", "aeiouunaeiouaeiouunaeiou''''' ")
# The same, and lower case, for text that Latin-1 can hold; what has no plain letter stays what it is.
_LATIN = bytes(
    ord(plain) if len(plain) == 1 and plain.isascii() else code
    for code in range(256)
    for plain in (chr(code).translate(_SPANISH).lower().translate(_ASCII),)
)
_WORDS = re.compile(r"\{[^{}]+\}|\*|[a-z0-9']+")
_HIGH = "\u0080-\u00bf€‚ƒ„…†‡ˆ‰Š‹ŒŽ‘’“”•–—˜™š›œžŸ"
_MOJIBAKE = re.compile(f"(?:[\u00c2-\u00df][{_HIGH}]|[\u00e0-\u00ef][{_HIGH}]{{2}}|[\u00f0-\u00f4][{_HIGH}]{{3}})+")


@dataclass(frozen=True, slots=True)
class Folded:
    """Folded text and, when lengths differ, the original position of each folded character."""

    text: str
    index: list[int] | None = None
    lookalikes: bool = False

    def span(self, start: int, end: int) -> tuple[int, int]:
        """Span in the folded text -> span in the original one."""
        if self.index is None or start < 0:
            return start, end
        return self.index[start], self.index[end - 1] + 1


def fold(text: str) -> str:
    """Lower case without accents, one apostrophe, no invisible characters. Idempotent; never raises."""
    plain = _fold_spanish(text)
    return fold_mapped(text).text if plain is None else plain


def fold_text(text: str) -> str:
    """The canonical text two repeats share: folded, every run of separators one space."""
    return " ".join(re.findall(r"[^\W_]+(?:'[^\W_]*)*", fold(text)))


def words_of(phrase: str) -> list[str]:
    """The folded words of a phrase, apostrophes dropped; {verb} and * stand for themselves."""
    words = _WORDS.findall(fold(phrase))
    return [plain for word in words if (plain := word.replace("'", ""))]


def _fold_spanish(text: str) -> str | None:
    """The folded text where it folds one to one, as most texts do; else None."""
    if not text.isascii():
        try:
            raw = text.encode("latin-1").translate(_LATIN)
        except UnicodeEncodeError:
            text = text.translate(_SPANISH)
        else:
            return raw.decode("ascii") if raw.isascii() and b"~" not in raw else None
    return text.lower().translate(_ASCII) if text.isascii() and "~" not in text else None


def fold_mapped(text: str) -> Folded:
    plain = _fold_spanish(text)
    if plain is not None:
        return Folded(plain)
    chars: list[str] = []
    index: list[int] = []
    lookalikes = False
    for start, piece in _demojibake(text):
        for offset, char in enumerate(piece):
            plain = _fold_char(char)
            lookalikes |= char in _LOOKALIKES or char in _CAPITAL_LOOKALIKES
            chars.append(plain)
            position = start if start < 0 else start + offset
            index.extend([position] * len(plain))
    return Folded("".join(chars), index, lookalikes)


def _demojibake(text: str) -> list[tuple[int, str]]:
    """Pieces of the text with their start; a run of UTF-8 read as Latin-1 is mended and spread over its place."""
    pieces: list[tuple[int, str]] = []
    last = 0
    for run in _MOJIBAKE.finditer(text):
        mended = _mend(run.group())
        if mended is None:
            continue
        pieces.append((last, text[last : run.start()]))
        pieces.append((run.start(), mended))
        last = run.end()
    pieces.append((last, text[last:]))
    return pieces


def _mend(run: str) -> str | None:
    mended: str | None = None
    for _ in range(2):
        try:
            run = b"".join(_legacy_byte(char) for char in run).decode("utf-8")
        except (UnicodeDecodeError, UnicodeEncodeError):
            break
        mended = run
    return mended


def _legacy_byte(char: str) -> bytes:
    try:
        return char.encode("latin-1")
    except UnicodeEncodeError:
        return char.encode("cp1252")


@lru_cache(maxsize=4096)
def _fold_char(char: str) -> str:
    if char in _SPACE:
        return _SPACE[char]
    if char in _APOSTROPHES:
        return "'"
    if char == "~":
        return ""
    known = _CAPITAL_LOOKALIKES.get(char) or _LOOKALIKES.get(char) or _LETTERS.get(char)
    if known:
        return known
    if char.isascii():
        return char.lower()
    plain = "".join(_fold_part(part) for part in unicodedata.normalize("NFKD", char))
    if plain != char and not plain.isascii():
        plain = "".join(_fold_char(part) for part in plain)
    return plain if plain or _vanishes(char) else " "


def _fold_part(part: str) -> str:
    category = unicodedata.category(part)
    if category in {"Mn", "Me", "Cf", "Cs"}:
        return ""
    if part in _APOSTROPHES:
        return "'"
    if category[0] in "ZSC":
        return " "
    part = part.lower()
    return _LOOKALIKES.get(part, part) if len(part) == 1 else "".join(c for c in part if not unicodedata.combining(c))


def _vanishes(char: str) -> bool:
    return unicodedata.category(char) in {"Mn", "Me", "Cf"}
