"""What a reading takes and gives: Context and Pending in, Reading out; all frozen, all JSON-able."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Literal, NamedTuple

Value = str | int | bool | None
How = Literal["exact", "alias", "repaired", "inferred", "sender", "default", "answer"]
Outcome = Literal["accept", "ask", "reject"]


class FieldValue(NamedTuple):
    """A value, how it was found, and the characters of the given text it came from (-1 when none)."""

    value: Value
    how: How = "exact"
    start: int = -1
    end: int = -1
    confidence: float = 1.0


class ReportReading(NamedTuple):
    """One report (or command) as understood; ``values`` holds only what is known, dates as ISO strings."""

    form: str
    values: Mapping[str, FieldValue] = MappingProxyType({})
    urgent: bool = False
    text: str = ""

    def get(self, name: str) -> Value:
        found = self.values.get(name)
        return None if found is None else found.value


@dataclass(frozen=True, slots=True)
class Pending:
    """The open question of a sender: what was asked, the draft it belongs to, and the codes offered in order."""

    ask: str
    report: ReportReading
    choices: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Context:
    """What is known about the sender and the moment. Times are aware; places are codes of the codebook.

    ``opted_out``: the sender said BAJA, so that a lone YES asks to come back.
    """

    heard_at: datetime
    sent_at: datetime | None = None
    registered: bool = False
    role: str = "monitor"
    home_place: str | None = None
    village: str | tuple[str, ...] | None = None
    language: str = "es"
    pending: Pending | None = None
    subject: str | None = None
    answered_recently: bool = False
    opted_out: bool = False


@dataclass(frozen=True, slots=True)
class Question:
    """What is to be asked: ``kind`` is a key of the form's asks, ``choices`` are codes in the order offered."""

    form: str
    field: str
    kind: str
    term: str | None = None
    choices: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Problem:
    """A value that was written but cannot stand (future date, unknown place, number out of range)."""

    field: str
    code: str
    start: int
    end: int
    text: str


class Trace(NamedTuple):
    """One step of the reading, for the person who wants to know why."""

    step: str
    start: int
    end: int
    field: str
    value: str
    note: str = ""


class Reading(NamedTuple):
    """The result of one text. ``answers_pending``: reports[0] is the pending draft, completed or advanced.

    ``language`` is the sender's, the one a greeting tells, or ``myn`` (ISO 639-5) for a text nobody here could read
    that is written like a Mayan language. ``part`` is what the writer numbered by hand.
    """

    outcome: Outcome
    reports: tuple[ReportReading, ...] = ()
    ask: str | None = None
    question: Question | None = None
    reason: str | None = None
    language: str = "es"
    problems: tuple[Problem, ...] = ()
    trace: tuple[Trace, ...] = ()
    practice: bool = False
    answers_pending: bool = False
    part: tuple[int, int] | None = None
