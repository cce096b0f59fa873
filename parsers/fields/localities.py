"""Villages, hamlets and farms: the name after such a word, or a village of the sender's own municipality."""

from functools import lru_cache

from parsers.normalize import words_of
from parsers.segment import Segment
from parsers.tokens import COMMA

_LONGEST_LOCALITY = 3


def read_locality(segment: Segment) -> None:
    """Village, hamlet or farm: what follows aldea, caserio, finca, or a village of the sender's own municipality."""
    if "locality" in segment.values:
        return
    for word in segment.of("loc"):
        end = _name_end(segment, word.end)
        if end > word.end:
            low, high = segment.doc.tokens.span(word.end, end)
            segment.put("locality", segment.doc.text_slice(low, high), "exact", word.end, end)
            return
    _own_village(segment)


def _name_end(segment: Segment, at: int) -> int:
    """A name of up to three words: it ends where anything else begins that the reader knows."""
    end = at
    while end < min(at + _LONGEST_LOCALITY, segment.last) and segment.items[end].kind == "word":
        if (segment.items[end].gap >= COMMA and end > at) or _ends_name(segment, end, at):
            break
        end += 1
    return end


def _ends_name(segment: Segment, at: int, start: int) -> bool:
    token = segment.items[at]
    if at in segment.used or (len(token.keys) > 1 and any(key[0] == "{" for key, _ in token.keys)):
        return True
    tables = segment.doc.book.tables
    if at == start and token.text in tables.vocabulary and token.text not in tables.place_words:
        return True
    kinds = ("prep", "rel", "cat", "unit", "weekday", "ago", "link", "and") if at > start else ("rel", "cat", "neg")
    return segment.surely_at(kinds, at)


@lru_cache(maxsize=1024)
def _name_words(name: str) -> list[str]:
    return words_of(name)


def _own_village(segment: Segment) -> None:
    given = segment.doc.context.village
    if given is None:
        return
    names = (given,) if isinstance(given, str) else given
    for name in names:
        words = _name_words(name)
        if not words or words[0] not in segment.doc.tokens.folded.text:
            continue
        for at in range(segment.first, segment.last - len(words) + 1):
            if _spells(segment, at, words):
                segment.put("locality", name, "alias", at, at + len(words))
                return


def _spells(segment: Segment, at: int, words: list[str]) -> bool:
    return all(segment.items[at + step].text.replace("'", "") == word for step, word in enumerate(words))
