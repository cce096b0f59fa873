"""Tokens -> tokens ready for lookup: glued words split, look-alike digits mended, unknown words given repairs."""

import re

from parsers.normalize import Folded
from parsers.tables import GLUED_MIN, Keys, Tables
from parsers.tokens import GLUED, MIXED, NUMBER, WORD, Token, Tokens, tokenise

_PARTS = re.compile(r"[a-z']+|\d+")
_REF = re.compile(r"r\d{1,7}$")
_COMMITMENT = re.compile(r"c\d{1,2}$")
_DIGIT_LOOKS = str.maketrans("oilsbzg", "0115829")
_LOOKS_NUMERIC = re.compile(r"[oilsbzg\d]*\d[oilsbzg\d]*$")
_STRETCHED = re.compile(r"([a-z])\1\1+")
_LONGEST_GLUED = 40
_SHORTEST_GLUED = 5
# The only words of two letters looked for at the end of a glued one (encno, ac23si).
_ANSWERS = ("si", "no")
# A repair no worse than this beats cutting the word in pieces.
_SLIP = 0.25


def prepare(text: str, tables: Tables) -> Tokens:
    """Tokenise a text and give every token the keys the tables know it by."""
    tokens = tokenise(text)
    items: list[Token] = []
    known = tables.known
    for token in tokens.items:
        kind = token.kind
        if kind == WORD:
            word = token.text
            keys = known[word.replace("'", "") if "'" in word else word]
            if keys:
                token.keys = keys
                items.append(token)
            else:
                _prepare_unknown(token, tables, items)
        elif kind == MIXED:
            _prepare_mixed(token, tables, items)
        else:
            token.keys = ((token.text, 0.0),)
            items.append(token)
    return Tokens(tokens.folded if items else Folded(""), items)


def _prepare_unknown(token: Token, tables: Tables, items: list[Token]) -> None:
    key = token.text.replace("'", "") if "'" in token.text else token.text
    if _STRETCHED.search(key) is not None:
        known = tables.known[_calmed(key, tables)]
        if known:
            token.keys = known
            items.append(token)
            return
    begun = tables.keyword_prefixes.get(key)
    repairs = ((begun, 0.2),) if begun is not None and not items else tables.repair(key)
    if not repairs or min([penalty for _, penalty in repairs]) > _SLIP:
        pieces = _glued(key, tables) if len(key) == len(token.text) else None
        if pieces:
            _split(token, pieces, tables, items)
            return
    token.keys = ((key, 0.0), *_with_classes(repairs, tables)) if repairs else ((key, 0.0),)
    items.append(token)


def _calmed(word: str, tables: Tables) -> str:
    """ "ayudaaaa", "urgenteee": a letter held down stands for itself, or for two where that makes a known word."""
    once, twice = _STRETCHED.sub(r"\1", word), _STRETCHED.sub(r"\1\1", word)
    return twice if twice in tables.vocabulary else once


def _with_classes(repairs: Keys, tables: Tables) -> Keys:
    keys = list(repairs)
    for word, penalty in repairs:
        keys.extend((name, penalty) for name in tables.classes.get(word, ()))
    return tuple(dict.fromkeys(keys))


def _prepare_mixed(token: Token, tables: Tables, items: list[Token]) -> None:
    text = token.text
    if _REF.match(text) or _COMMITMENT.match(text) or text in tables.vocabulary:
        token.keys = ((text, 0.0),)
        items.append(token)
        return
    parts = [part.replace("'", "") for part in _PARTS.findall(text)]
    letters = [part for part in parts if not part.isdigit()]
    if all(len(part) > 1 and (part in tables.vocabulary or _glued(part, tables)) for part in letters):
        _split(token, _expand(parts, tables), tables, items)
        return
    if _LOOKS_NUMERIC.match(text):
        items.append(_as_number(token, text.translate(_DIGIT_LOOKS)))
        return
    if len(parts) == 2 and len(letters[0]) > 2:
        _split(token, parts, tables, items)
        return
    token.keys = ((text, 0.0),)
    items.append(token)


def _as_number(token: Token, digits: str) -> Token:
    return Token(digits, token.start, token.end, NUMBER, token.gap, ((digits, 0.2),))


def _expand(parts: list[str], tables: Tables) -> list[str]:
    expanded: list[str] = []
    for part in parts:
        known = part.isdigit() or part in tables.vocabulary
        expanded.extend([part] if known else _glued(part, tables) or [part])
    return expanded


def _split(token: Token, pieces: list[str], tables: Tables, items: list[Token]) -> None:
    at = token.start
    for number, piece in enumerate(pieces):
        end = token.end if number == len(pieces) - 1 else at + len(piece)
        kind = NUMBER if piece.isdigit() else WORD
        gap = token.gap if number == 0 else GLUED
        keys = ((piece, 0.0),) if kind == NUMBER else _piece_keys(piece, tables)
        items.append(Token(piece, at, end, kind, gap, keys))
        at = end


def _piece_keys(piece: str, tables: Tables) -> Keys:
    known = tables.known[piece]
    return known or ((piece, 0.0), *_with_classes(tables.repair(piece), tables))


def _glued(word: str, tables: Tables) -> list[str] | None:
    """A word nobody knows as a chain of known ones (incrobnebaj), longest pieces first; None when it is not."""
    if not _SHORTEST_GLUED <= len(word) <= _LONGEST_GLUED or word[:GLUED_MIN] not in tables.gluable_heads:
        return None
    dead: set[int] = set()

    def chain(start: int) -> list[str] | None:
        if start == len(word):
            return []
        if start in dead:
            return None
        if start and word[start:] in _ANSWERS:
            return [word[start:]]
        for end in range(len(word), start + GLUED_MIN - 1, -1):
            if word[start:end] in tables.gluable:
                rest = chain(end)
                if rest is not None:
                    return [word[start:end], *rest]
        dead.add(start)
        return None

    return chain(0)
