"""The sender's own words out of the lines of a mail."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import takewhile

from parsers import mail_marks as marks

FORWARD_DEPTH = 3
SIGNATURE_LINES = 8
RULE_LINES = 30
NEAR_LINES = 20
MARK_CHARS = 140
WRAPPED_CHARS = 60
PARAGRAPH_LINES = 25

_BLANK_RUN = re.compile(r"\n{3,}")
_QUOTED = re.compile(r"[ \t]*>[ \t]?")


@dataclass(frozen=True, slots=True)
class Ours:
    """What tells our own messages apart: our addresses (lower case) and phrases our messages' lines open with."""

    addresses: frozenset[str] = frozenset()
    phrases: tuple[str, ...] = ()

    def opens(self, line: str) -> bool:
        bare = line.strip(" \t>*").casefold()
        return any(bare.startswith(phrase.casefold()) for phrase in self.phrases if phrase)

    def wrote(self, author: str) -> bool:
        return bool(self.addresses & marks.mailboxes(author))


@dataclass(slots=True)
class Words:
    """Own words; the body of a forward below them ("" when it is ours or there is none); whether ours was met."""

    own: str = ""
    forwarded: str = ""
    ours: bool = False


@dataclass(slots=True)
class _Cut:
    segments: list[list[str]] = field(default_factory=lambda: [[]])
    quoted: list[str] = field(default_factory=list)
    forward: list[str] | None = None
    original: bool = False
    ours: bool = False


def own_words(lines: Sequence[str], ours: Ours, *, answer: bool, depth: int = 0) -> Words:
    """Own words and forwarded body of a text. `answer` says that the mail replies, so an `original message` block
    is a quotation; without it the block is what the sender passes on."""
    cut = _cut(lines, ours)
    own = "\n".join(text for segment in cut.segments if (text := _tidy(without_signature(segment))))
    words = Words(own=own, ours=cut.ours)
    passed_on = cut.forward if cut.forward is not None and not (cut.original and answer) else None
    if passed_on is None and not own and not answer and cut.forward is None:
        passed_on = [_QUOTED.sub("", line, count=1) for line in cut.quoted]
    if passed_on and depth < FORWARD_DEPTH:
        words.forwarded, met = _forwarded(passed_on, ours, depth)
        words.ours = words.ours or met
    return words


def _cut(lines: Sequence[str], ours: Ours) -> _Cut:
    """Split into own segments and what stands below or between them."""
    cut = _Cut()
    index = 0
    while index < len(lines):
        line = lines[index]
        if _QUOTED.match(line):
            index = _skip_quoted(lines, index, cut)
            continue
        if ours.opens(line):
            cut.ours = True
            break
        if (found := _passed_on(lines, index, cut)) is not None:
            cut.original = not marks.FORWARD.match(line)
            cut.forward = list(lines[found:])
            break
        if taken := marks.is_intro(lines, index):
            index += taken
            if not _quote_follows(lines, index):
                break
            continue
        cut.segments[-1].append(line)
        index += 1
    return cut


def _passed_on(lines: Sequence[str], index: int, cut: _Cut) -> int | None:
    """Where a forward or original message begins whose announcement is at `index`, None when there is none."""
    line = lines[index]
    if marks.FORWARD.match(line):
        return index + 1
    if marks.ORIGINAL.match(line):
        return index + 1 if line.strip(" _") or _block_follows(lines, index + 1) else None
    block = marks.header_block(lines, index)
    if block is None:
        return None
    # A memo typed by hand (De: comité, Fecha, Asunto) names no mailbox and opens the text.
    wrote_before = any(text.strip() for segment in cut.segments for text in segment)
    fields = block[1]
    return index if marks.mailboxes(fields["from"]) or (wrote_before and marks.has_time(fields["date"])) else None


def _block_follows(lines: Sequence[str], index: int) -> bool:
    following = next((at for at in range(index, min(index + 3, len(lines))) if lines[at].strip()), None)
    return following is not None and marks.header_block(lines, following) is not None


def _skip_quoted(lines: Sequence[str], index: int, cut: _Cut) -> int:
    """Past one quoted line, and past its tail when a mail program broke it without quoting the rest."""
    line = lines[index]
    cut.quoted.append(line)
    if cut.segments[-1]:
        cut.segments.append([])
    index += 1
    broken = (
        len(line) >= WRAPPED_CHARS
        and index + 1 < len(lines)
        and lines[index].strip()
        and not _QUOTED.match(lines[index])
        and _QUOTED.match(lines[index + 1])
    )
    if broken:
        cut.quoted.append("> " + lines[index])
        return index + 1
    return index


def _quote_follows(lines: Sequence[str], index: int) -> bool:
    following = next((line for line in lines[index : index + 4] if line.strip()), "")
    return bool(_QUOTED.match(following))


def _forwarded(lines: list[str], ours: Ours, depth: int) -> tuple[str, bool]:
    """The words of a forwarded message, its headers dropped; "" and True when it is a message of ours."""
    start = next((at for at, line in enumerate(lines) if line.strip()), len(lines))
    end, fields = marks.read_header_lines(lines, start)
    body = lines[end:]
    if ours.wrote(fields.get("from", "")) or any(ours.opens(line) for line in body):
        return "", True
    inner = own_words(body, ours, answer=False, depth=depth + 1)
    return inner.own or inner.forwarded, inner.ours


def says_nothing(text: str) -> bool:
    """Whether words above a forward only hand it over (a greeting, `para su conocimiento`)."""
    lines = [line for line in text.split("\n") if line.strip()]
    return all(marks.GREETING.match(line) or marks.HANDOVER.match(line) or marks.FAREWELL.match(line) for line in lines)


def without_signature(lines: Sequence[str]) -> list[str]:
    """A segment without signature, farewell, disclaimers, program advertisements and image placeholders."""
    kept: list[str] = []
    index = 0
    while index < len(lines):
        line = lines[index]
        if marks.SIGNATURE_STRICT.match(line):
            break
        if skipped := _disclaimer(lines, index) or (_signature(lines, index, kept) if len(line) <= MARK_CHARS else 0):
            index += skipped
        else:
            kept.append(line)
            index += 1
    return kept


def _disclaimer(lines: Sequence[str], index: int) -> int:
    """Lines of the disclaimer that opens at `index`, 0 when none does."""
    if not marks.opens_disclaimer(lines[index]):
        return 0
    paragraph = list(takewhile(str.strip, lines[index : index + PARAGRAPH_LINES]))
    return len(paragraph) if marks.is_disclaimer(" ".join(paragraph)) else 0


def _signature(lines: Sequence[str], index: int, kept: list[str]) -> int:
    """Lines of the signature that opens at `index`, 0 when none does."""
    line = lines[index]
    if marks.MOBILE.match(line) or marks.PLACEHOLDER.match(line):
        return 1
    below = lines[index + 1 : index + 1 + RULE_LINES]
    if marks.SIGNATURE_LOOSE.match(line):
        if len(below) < RULE_LINES and not any(marks.is_reportlike(text) for text in below):
            return len(lines) - index
        return 1 + _name_lines(below, kept)
    if sign_off := marks.SIGN_OFF.match(line):
        rest = sign_off["rest"]
        return 1 + _name_lines(below, kept) if not rest or marks.is_name_line(rest) else 0
    if marks.FAREWELL.match(line) and any(
        text.strip() and not marks.GREETING.match(text) for text in kept[-NEAR_LINES:]
    ):
        return 1 + _name_lines(below, kept)
    return 0


def _name_lines(lines: Sequence[str], kept: list[str]) -> int:
    """How many lines from the first on are names, offices, phones or blank; trailing blanks do not count.

    Where the whole text is in capitals, capitals do not make a name.
    """
    shouted = "".join(kept[-NEAR_LINES:]).isupper()
    count = 0
    for index, line in enumerate(lines[:SIGNATURE_LINES]):
        if not line.strip():
            continue
        if not marks.is_name_line(line) or (shouted and line.isupper()):
            break
        count = index + 1
    return count


def _tidy(lines: Sequence[str]) -> str:
    return _BLANK_RUN.sub("\n\n", "\n".join(line.rstrip() for line in lines)).strip("\n ")
