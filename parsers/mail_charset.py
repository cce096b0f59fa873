"""Bytes of a mail to text, whatever its label says."""

import codecs
import re
from email.errors import HeaderParseError
from email.header import decode_header

_KNOWN = re.compile(r"(utf|iso8859|cp|koi8|gb|big5|shift_jis|euc_|mac|iso2022|latin|tis_620|hz|johab|ptcp|kz)")
_WESTERN = frozenset({"iso8859-1", "iso8859-15", "cp1252", "ascii"})
_UNSEEN = re.compile(
    r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\u00ad\u200b\u200e\u200f\u202a-\u202e\u2060-\u2069\ufeff]"
)
_SPACE = re.compile(r"\s+")


def decode_bytes(data: bytes, charset: str = "") -> tuple[str, bool]:
    """Text and whether the label held. UTF-8 wins wherever it decodes, Latin-1 is read as cp1252; nothing raises."""
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return data.decode("utf-16", "replace"), True
    data = data.removeprefix(codecs.BOM_UTF8)
    name = _codec(charset)
    if name is not None and name not in _WESTERN and name != "utf-8":
        try:
            return data.decode(name), True
        except (UnicodeError, ValueError):
            return data.decode(name, "replace"), False
    try:
        return data.decode("utf-8"), name is not None or not charset
    except UnicodeDecodeError:
        return _mostly(data), name in _WESTERN or not charset


def _mostly(data: bytes) -> str:
    """cp1252, unless whole UTF-8 characters outnumber the broken bytes."""
    text = data.decode("utf-8", "replace")
    broken = text.count("\ufffd")
    whole = sum(1 for char in text[:20_000] if char > "\x7f") - min(broken, text[:20_000].count("\ufffd"))
    return text if whole > broken else data.decode("cp1252", "replace")


def _codec(charset: str) -> str | None:
    """Canonical name of a text encoding, None when unknown (byte codecs such as zlib are unknown too)."""
    try:
        name = codecs.lookup(charset.strip("\"' ")).name
    except (LookupError, ValueError):
        return None
    return name if name == "ascii" or _KNOWN.match(name) else None


def decode_words(value: str) -> str:
    """A header value with its RFC 2047 words read; words that do not decode stay as they are."""
    if "=?" not in value:
        return value
    try:
        pieces = decode_header(value)
    except (HeaderParseError, ValueError, LookupError):
        return value
    return "".join(piece if isinstance(piece, str) else _word(piece, charset) for piece, charset in pieces)


def _word(piece: bytes, charset: str | None) -> str:
    if charset is None:
        return piece.decode("raw-unicode-escape", "replace")
    return decode_bytes(piece, charset.partition("*")[0])[0]


def visible(text: str) -> str:
    """Without control, bidirectional and zero-width characters; line ends are \\n, the space kinds one space."""
    text = text.replace("\r\n", "\n").replace("\r", "\n").replace("\u2028", "\n").replace("\u2029", "\n\n")
    return _UNSEEN.sub("", text.replace("\xa0", " ").replace("\u202f", " "))


def one_line(text: str, limit: int) -> str:
    """Visible text on one line, at most `limit` characters."""
    return _SPACE.sub(" ", visible(text[: limit * 4])).strip()[:limit]
