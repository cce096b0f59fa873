"""Names that are also ordinary words (Flores, Dolores, El Progreso): where one stands as a field would."""

from parsers.fields.choices import choice_matches
from parsers.segment import Segment
from parsers.tokens import COMMA, Token

_TELEGRAPHIC = ("kw", "code", "cat", "rel", "weekday", "greet", "urgent", "unit", "place", "deptword")
_LOOSE = ("kw", "code", "rel", "weekday", "greet", "urgent", "unit", "place", "deptword")
_CHOSEN = ("commitment", "return")


def is_common(segment: Segment, start: int, end: int) -> bool:
    name = " ".join(written_as(segment.items[at]) for at in range(start, end))
    return name in segment.doc.book.tables.place_common


def written_as(token: Token) -> str:
    """The word a token stands for: itself, what its shorthand means, or its repair."""
    keys = token.keys
    return keys[0][0] if len(keys) == 1 else next(key for key, _ in reversed(keys) if key[0] != "{")


def is_person(segment: Segment, start: int) -> bool:
    return segment.at("title", start - 1) is not None


def stands_alone(segment: Segment, start: int, end: int) -> bool:
    """A name that is also an ordinary word counts where a field would stand: between fields, not inside prose."""
    kinds = _TELEGRAPHIC if segment.opened else _LOOSE
    before = start <= segment.first or segment.items[start].gap >= COMMA or _is_field(segment, start - 1, kinds)
    before = before or (segment.form in _CHOSEN and _ends_choice(segment, start))
    after = segment.opened or end >= segment.last or segment.items[end].gap >= COMMA or _opens_field(segment, end)
    return before and after


def _ends_choice(segment: Segment, at: int) -> bool:
    """ "ret comite mal Pastores": a word of the form's own lists stands before the name."""
    if segment.word(at) not in segment.doc.book.tables.place_words:
        return False
    fields = segment.doc.book.forms[segment.form].fields
    lists = [f"{segment.form}.{spec.name}" for spec in fields if spec.kind == "choice"]
    return any(match.end == at for name in lists for match in choice_matches(segment, name))


def _opens_field(segment: Segment, at: int) -> bool:
    if at in segment.doc.numbers or segment.items[at].kind != "word":
        return True
    return any(segment.at(kind, at) is not None for kind in (*_TELEGRAPHIC, "ago", "article", "prep"))


def _is_field(segment: Segment, at: int, kinds: tuple[str, ...]) -> bool:
    if at in segment.doc.numbers or at in segment.used or segment.items[at].kind != "word":
        return True
    return any(match.end == at + 1 for kind in kinds for match in segment.of(kind))
