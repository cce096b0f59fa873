"""How a text travels as SMS: folding to GSM-7, counting and splitting (3GPP TS 23.038 6.2.1, TS 23.040 9.2.3.24.1)."""

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

Encoding = Literal["gsm7", "ucs2"]

BASIC = (
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
EXTENDED = "\f^{}\\[~]|€"

# Units (septets, or UTF-16 code units) in a text that travels alone, and in each part of a longer one, whose header
# takes six octets.
ALONE = {"gsm7": 160, "ucs2": 70}
PART = {"gsm7": 153, "ucs2": 67}

_GSM7 = re.compile(f"[{re.escape(BASIC + EXTENDED)}]*")
_OTHER = re.compile(f"[^{re.escape(BASIC + EXTENDED)}]")
_KNOWN = frozenset(BASIC + EXTENDED)

_LOOKALIKES = {
    "'": "`´‘’‚‛′ʹʻʼʽʾʿˈꞌ＇",
    '"': "“”„‟″«»＂",
    "-": "‐‑‒–—―−⁃",
    "...": "…",
    "*": "•·‣",
    " ": "\t\v\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u205f\u3000",
    "\n": "\u0085\u2028\u2029",
    "": "\u00ad\u061c\u200b\u200c\u200d\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2060\u2066\u2067\u2068\u2069\ufeff"
    + "".join(map(chr, range(0xFE00, 0xFE10))),
    "o": "º",
    "a": "ª",
    "c": "ç",
    "<": "‹",
    ">": "›",
    "d": "đð",
    "D": "ĐÐ",
    "h": "ħ",
    "H": "Ħ",
    "i": "ıɨ",
    "l": "ł",
    "L": "Ł",
    "oe": "œ",
    "OE": "Œ",
    "TM": "™",
    "x": "×",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Segments:
    """`units` are septets for gsm7 and UTF-16 code units for ucs2; `segments` is what the operator bills."""

    encoding: Encoding
    units: int
    segments: int


class _Folding(dict[int, str]):
    def __missing__(self, code: int) -> str:
        return _fold(chr(code))


@lru_cache(maxsize=4096)
def _fold(character: str) -> str:
    """The GSM-7 spelling of one character, `?` when it has none."""
    base = "".join(c for c in unicodedata.normalize("NFKD", character) if not unicodedata.combining(c))
    if base == character or not base:
        return "" if not base else "?"
    return "".join(c if c in _KNOWN else _TABLE[ord(c)] for c in base)


_TABLE = _Folding({ord(c): c for c in _KNOWN})
_TABLE.update({ord(c): plain for plain, characters in _LOOKALIKES.items() for c in characters})
_TABLE.update({code: _fold(chr(code)) for code in range(0xA0, 0x250) if code not in _TABLE})


def is_gsm7(text: str) -> bool:
    return _GSM7.fullmatch(text) is not None


def to_gsm7(text: str) -> str:
    """The nearest text in GSM-7: é ñ ü ¿ ¡ stay, á í ó ú lose their accent, what has no likeness becomes `?`."""
    if _GSM7.fullmatch(text):
        return text
    return _OTHER.sub(_spelling, unicodedata.normalize("NFC", text))


def _spelling(match: re.Match[str]) -> str:
    return _TABLE[ord(match[0])]


def count(text: str) -> Segments:
    """What sending `text` as it stands would take. The empty text is one segment."""
    if _GSM7.fullmatch(text):
        units = len(text) + sum(map(text.count, EXTENDED))
        return Segments("gsm7", units, 1 if units <= ALONE["gsm7"] else len(split(text)))
    units = _units(text)
    return Segments("ucs2", units, 1 if units <= ALONE["ucs2"] else len(split(text)))


def split(text: str) -> list[str]:
    """The parts `text` travels in; joined they are the text. No part ends inside an escape or surrogate pair."""
    encoding: Encoding = "gsm7" if is_gsm7(text) else "ucs2"
    widths = [2 if c in EXTENDED else 1 for c in text] if encoding == "gsm7" else [1 + (c > "\uffff") for c in text]
    if sum(widths) <= ALONE[encoding]:
        return [text]
    parts, start, used = [], 0, 0
    for index, width in enumerate(widths):
        if used + width > PART[encoding]:
            parts.append(text[start:index])
            start, used = index, 0
        used += width
    return [*parts, text[start:]]


def _units(text: str) -> int:
    return len(text.encode("utf-16-le", "surrogatepass")) // 2
