"""What a sender and the gateway were talking about, and what a new text means in it.

Pure: the same functions decide for a stored conversation (intake) and for one in memory (`vocero read`); only where
the `Standing` comes from differs.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any, Literal
from uuid import UUID

from parsers import (
    Codebook,
    Context,
    Pending,
    Reading,
    ReportReading,
    as_prediction,
    fold_text,
    read_message,
    split_hand_part,
    without_pin,
)  # fmt: skip
from parsers.sheets import Table

PARTS_AT_MOST = 12
BY_HAND = "hand"
ANSWER_WITHIN = timedelta(hours=24)
MORE_WITHIN = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Known:
    """A registered sender, as far as reading and answering need it."""

    contact_id: UUID
    role: str = "monitor"
    status: str = "active"
    home_place: str | None = None
    village: str | None = None
    language: str = "es"
    discreet: bool = False
    poll_month: str | None = None
    answer_to: str | None = None
    """The address of another kind to which the person wants answers; None for where the text came in."""


@dataclass(frozen=True, slots=True)
class Asked:
    """The open question: what was asked about which draft."""

    ask: str
    draft: ReportReading
    choices: tuple[str, ...] = ()
    id: UUID | None = None
    report_id: UUID | None = None
    message_id: UUID | None = None
    ref: int | None = None
    expires_at: datetime | None = None
    contact_id: UUID | None = None
    """Whose draft it is, which on a borrowed phone is not the phone's owner."""
    practice: bool = False


@dataclass(frozen=True, slots=True)
class Repeat:
    """An earlier text of the same sender that said the same."""

    message_id: UUID | str
    answered: bool = False


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a longer text that waits for the others."""

    message_id: UUID | str
    seq: int
    text: str


@dataclass(slots=True)
class Standing:
    """What is remembered of one sender before a text is read; `borrowed`: the text says by a number who writes it."""

    known: Known | None = None
    asked: Asked | None = None
    repeats: dict[bytes, Repeat] = field(default_factory=dict)
    parts: dict[str, list[Part]] = field(default_factory=dict)
    opted_out: bool = False
    borrowed: bool = False
    last_exchange: datetime | None = None

    def asked_of(self, contact_id: UUID | None) -> bool:
        """Whether the open question is about that contact's draft."""
        return self.asked is not None and contact_id is not None and self.asked.contact_id == contact_id


@dataclass(frozen=True)
class Words:
    """One text as heard: for mail `subject` is read before `text` and `auto` says why nobody wrote it."""

    text: str
    heard_at: datetime
    sent_at: datetime | None = None
    subject: str | None = None
    auto: str | None = None
    part: tuple[str, int, int] | None = None
    """(reference, number, total) of a concatenated text"""
    files: str = ""
    """The hashes of what came with a mail: other files make it another mail."""
    tables: tuple[Table, ...] = ()

    @cached_property
    def folded(self) -> str:
        """Subject and text as repeats are compared."""
        return fold_words(self.subject, self.text) + self.files


def fold_words(subject: str | None, text: str) -> str:
    return fold_text(f"{subject or ''}\n{text}")


@dataclass(frozen=True, slots=True)
class Decision:
    """What a text means in the conversation. `part` is set while it waits, `joined` are the parts it completed."""

    outcome: Literal["accept", "ask", "reject", "duplicate", "hold"]
    reading: Reading | None
    text: str
    repeat_key: bytes | None = None
    repeat: Repeat | None = None
    part: tuple[str, int, int] | None = None
    joined: tuple[Part, ...] = ()
    typed_part: bool = False


@dataclass(frozen=True, slots=True)
class Gathered:
    """A text with the parts that came before it; `waits_as` is the part it is while others are missing."""

    text: str
    joined: tuple[Part, ...] = ()
    waits_as: tuple[str, int, int] | None = None


def gather(words: Words, standing: Standing, codebook: Codebook) -> Gathered:
    """The whole text, when its last part has come."""
    part, text = _part_of(words, codebook)
    if part is None:
        return Gathered(text)
    waiting = {held.seq: held for held in standing.parts.get(_part_key(part), ())}
    waiting[part[1]] = Part("", part[1], text)
    if len(waiting) < part[2]:
        return Gathered(text, waits_as=part)
    joined = tuple(waiting[seq] for seq in sorted(waiting))
    return Gathered(_join(joined, typed=words.part is None), joined)


def decide(words: Words, standing: Standing, codebook: Codebook, keyed: Callable[[str], bytes]) -> Decision:
    """Parts first, then repeats, then the reader. `keyed` turns a folded text into the key repeats are found by."""
    whole = gather(words, standing, codebook)
    text, joined = whole.text, whole.joined
    if whole.waits_as is not None:
        return Decision("hold", None, text, part=whole.waits_as, typed_part=words.part is None)
    key = keyed(words.folded if text is words.text else fold_words(words.subject, text))
    repeat = standing.repeats.get(key)
    if repeat is not None and not words.auto:
        return Decision("duplicate", None, text, repeat_key=key, repeat=repeat, joined=joined)
    if words.auto:
        reading = Reading("reject", reason="auto_reply", language=codebook.language)
    else:
        said = without_pin(text, codebook) if standing.borrowed else text
        reading = read_message(said, codebook, context_of(words, standing))
    return Decision(reading.outcome, reading, text, repeat_key=key, joined=joined)


def _part_of(words: Words, codebook: Codebook) -> tuple[tuple[str, int, int] | None, str]:
    """The part a text is, by the modem's header or typed by hand ("1/2 INC ROB ..."), and its own words."""
    if words.part is not None:
        return (words.part if 1 < words.part[2] <= PARTS_AT_MOST else None), words.text
    typed = split_hand_part(words.text, codebook)
    if typed is None or words.subject:
        return None, words.text
    number, total, rest = typed
    if not 1 < total <= PARTS_AT_MOST:
        return None, words.text
    return (BY_HAND, number, total), rest


def own_words(text: str, reference: str) -> str:
    """A held part as it joins the others: without the "1/2" its sender typed."""
    typed = split_hand_part(text) if reference == BY_HAND else None
    return typed[2] if typed else text


def _part_key(part: tuple[str, int, int]) -> str:
    return f"{part[0]}/{part[2]}"


def _join(parts: tuple[Part, ...], *, typed: bool) -> str:
    """Hand-typed parts end at a word; a phone cuts anywhere."""
    return (" " if typed else "").join(part.text for part in parts)


def context_of(words: Words, standing: Standing) -> Context:
    """What the reader may know of a sender."""
    known, asked = standing.known, standing.asked
    active = known is not None and known.status == "active"
    if asked and asked.expires_at and asked.expires_at <= words.heard_at:
        asked = None
    return Context(
        heard_at=words.heard_at,
        sent_at=words.sent_at,
        registered=active,
        role=known.role if known and active else "monitor",
        home_place=known.home_place if known and active else None,
        village=known.village if known and active else None,
        language=known.language if known else "es",
        pending=Pending(asked.ask, asked.draft, asked.choices) if asked else None,
        subject=words.subject,
        opted_out=standing.opted_out,
        answered_recently=standing.last_exchange is not None
        and (words.heard_at - standing.last_exchange).total_seconds() < 86_400,
    )


def is_repeatable(decision: Decision, codebook: Codebook) -> bool:
    """Only a text that made a report of its own can be repeated; answers and commands may come again."""
    reading = decision.reading
    if reading is None or reading.outcome not in ("accept", "ask") or reading.answers_pending:
        return False
    return any(codebook.forms[report.form].kind == "report" for report in reading.reports)


def follow(
    standing: Standing, decision: Decision, message_id: UUID | str, codebook: Codebook, at: datetime,
    answer_within: timedelta = ANSWER_WITHIN,
) -> None:  # fmt: skip
    """Bring `standing` to what it is after the text, for the next text of the same sender.

    A question's database identity (ids) is the keeper's to add with `dataclasses.replace`.
    """
    reading = decision.reading
    standing.last_exchange = at
    if decision.part is not None:
        held = Part(message_id, decision.part[1], decision.text)
        standing.parts.setdefault(_part_key(decision.part), []).append(held)
        return
    if decision.joined:
        standing.parts = {key: parts for key, parts in standing.parts.items() if not set(parts) & set(decision.joined)}
    if decision.repeat_key is not None and decision.repeat is not None:
        standing.repeats[decision.repeat_key] = Repeat(decision.repeat.message_id, answered=True)
    elif decision.repeat_key is not None and is_repeatable(decision, codebook):
        standing.repeats[decision.repeat_key] = Repeat(message_id)
    if reading is None or reading.outcome == "reject":
        return
    standing.asked = next_question(reading, at, answer_within)


def next_question(reading: Reading, at: datetime, answer_within: timedelta = ANSWER_WITHIN) -> Asked | None:
    """The question a reading opens: about the report that lacks something, or about an alert that said too little."""
    if not reading.reports:
        return None
    if reading.outcome == "ask" and reading.ask is not None:
        choices = reading.question.choices if reading.question else ()
        return Asked(reading.ask, reading.reports[asked_index(reading)], choices, expires_at=at + answer_within)
    if reading.answers_pending:
        return None
    missing = said_too_little(reading.reports[-1])
    return Asked(missing, reading.reports[-1], expires_at=at + MORE_WITHIN) if missing else None


def said_too_little(report: ReportReading) -> str | None:
    """For an alert that was accepted without saying what happened or where: the field to ask about."""
    if report.form != "urgent":
        return None
    category, place = report.values.get("category"), report.values.get("place")
    if category is None or category.how == "default":
        return "category"
    return "place" if place is None or place.how in ("sender", "default") else None


def asked_index(reading: Reading) -> int:
    """Which report the question is about: the first of the question's form that lacks the field."""
    form = reading.question.form if reading.question else None
    for index, report in enumerate(reading.reports):
        if report.get(reading.ask or "") is None and (form is None or report.form == form):
            return index
    return len(reading.reports) - 1


def prediction(decision: Decision) -> dict[str, Any]:
    """The decision in the scorer's words: {outcome, ask, reason, reports, duplicate_of}."""
    if decision.reading is not None:
        return {**as_prediction(decision.reading), "duplicate_of": None}
    duplicate_of = str(decision.repeat.message_id) if decision.repeat else None
    return {"outcome": decision.outcome, "ask": None, "reason": None, "reports": [], "duplicate_of": duplicate_of}
