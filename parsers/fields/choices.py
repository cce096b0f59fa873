"""Closed lists: the words of a form's choice, a commitment's number, a language, yes and no."""

import re

from parsers.codebook import FieldSpec
from parsers.results import How
from parsers.segment import Segment, how_of
from parsers.tables import Match, scan
from parsers.tokens import MIXED, NUMBER

_CODE_DIGITS = 4
_COMMITMENT = re.compile(r"c(\d{1,2})$")


def choice_matches(segment: Segment, name: str, first: int | None = None) -> list[Match]:
    """Words of a closed list in the unused tokens from ``first`` on, longest at each place, in order."""
    trie = segment.doc.book.tables.choice_tries.get(name)
    if trie is None:
        return []
    found = scan(trie, segment.items, segment.first if first is None else first, segment.last).get("choice", [])
    longest: list[Match] = []
    for match in sorted(found, key=lambda each: (each.start, each.start - each.end, each.penalty)):
        if segment.free(match.start, match.end) and (not longest or match.start >= longest[-1].end):
            longest.append(match)
    return longest


def read_choice(segment: Segment, spec: FieldSpec) -> None:
    """The first word of the field's list stands; a list named FORM.FIELD."""
    found = choice_matches(segment, f"{segment.form}.{spec.name}")
    if segment.form == "meeting":
        found = [match for match in found if match.end - match.start > 1]
    if found:
        stated = [match for match in found if not _abbreviates_number(segment, match)] or found
        best = next((match for match in stated if match.start >= segment.head), stated[0])
        segment.take(best.start, best.end)
        segment.put(spec.name, best.value, _how(best), best.start, best.end)


def _abbreviates_number(segment: Segment, match: Match) -> bool:
    """ "acuerdo no. 23 si": the "no" before a number is short for numero when an answer follows."""
    return match.end in segment.used and segment.word(match.start) == "no" and _is_numbered(segment, match.end)


def _is_numbered(segment: Segment, at: int) -> bool:
    digits = at in segment.doc.numbers and len(segment.word(at)) < _CODE_DIGITS
    return digits or _COMMITMENT.match(segment.word(at)) is not None


def _how(match: Match) -> How:
    return how_of(match.penalty)


def read_commitment(segment: Segment, spec: FieldSpec) -> None:
    """C23, 23, "veintitres", or the commitment's short name."""
    commitments = segment.doc.book.commitments
    for at in range(segment.first, segment.last):
        code = _commitment_code(segment, at)
        if code is None:
            continue
        if code in commitments:
            end = segment.doc.numbers[at][1] if at in segment.doc.numbers else at + 1
            segment.take(at, end)
            segment.put(spec.name, code, "exact", at, end)
            return
        segment.problem(spec.name, "out_of_range", at, at + 1)
        return
    named = [match for match in choice_matches(segment, "commitment") if match.end - match.start > 1]
    if named:
        segment.take(named[0].start, named[0].end)
        segment.put(spec.name, named[0].value, "inferred", named[0].start, named[0].end)


def _commitment_code(segment: Segment, at: int) -> str | None:
    token = segment.items[at]
    if token.kind == MIXED:
        coded = _COMMITMENT.match(token.text)
        return f"C{int(coded.group(1)):02d}" if coded else None
    number = segment.doc.numbers.get(at)
    if number is None or at in segment.used:
        return None
    if token.kind == NUMBER and len(token.text) > 3:
        return None
    counted = segment.at("unit", number[1]) or segment.at("person", number[1]) or segment.at("dunit", number[1])
    worded = token.kind != NUMBER and token.text in ("un", "una", "uno")
    return None if counted is not None or worded else f"C{number[0]:02d}"


def read_lang(segment: Segment, spec: FieldSpec) -> None:
    found = choice_matches(segment, "lang")
    if found:
        best = found[-1] if segment.form == "register" else found[0]
        segment.take(best.start, best.end)
        segment.put(spec.name, best.value, _how(best), best.start, best.end)


def read_yes_no(segment: Segment, spec: FieldSpec) -> None:
    """Whether it was reported to the authorities, said in words ("ya hay denuncia", "no denunciaron")."""
    said = [match for match in segment.of("report") if segment.free(match.start, match.end)]
    if said:
        best = max(said, key=lambda match: match.end - match.start)
        segment.take(best.start, best.end)
        segment.put(spec.name, best.value == "true", "exact", best.start, best.end)
