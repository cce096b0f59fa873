"""What happened on a played day, as values: what was sent, and how things stood at each look. Nothing here is asked of
a database any more, so that expectations can be held against it as often as one likes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

Row = Mapping[str, Any]
LookKey = tuple[int, str]


@dataclass(frozen=True, slots=True)
class Send:
    """A message that a provider took: `by` sms or email. `id` is that of the outbox row, `again` says that the provider
    had it before."""

    at: datetime
    address: str
    by: str
    text: str
    id: str
    subject: str = ""
    kind: str = ""
    again: bool = False
    queued_at: datetime | None = None

    @property
    def words(self) -> str:
        return f"{self.subject}\n{self.text}" if self.subject else self.text


@dataclass(frozen=True, slots=True)
class Look:
    """How things stood at a moment. `totals` and `outbox` count from the beginning of the day on."""

    at: datetime
    reports: Sequence[Row] = ()
    alerts: Sequence[Row] = ()
    outbox: Sequence[Row] = ()
    totals: Mapping[str, int] = field(default_factory=dict)
    figures: Mapping[str, Any] = field(default_factory=dict)
    pages: Mapping[str, str] = field(default_factory=dict)

    def report(self, ref: int | None) -> Row | None:
        return next((row for row in self.reports if row["ref"] == ref), None)


@dataclass(frozen=True, slots=True)
class Waiting:
    """How many messages waited on each channel at a moment."""

    at: datetime
    queued: Mapping[str, int]


@dataclass
class Record:
    """The whole day. `looks` by number of the step (-1 for the checks) and what was asked for."""

    begin: datetime
    end: datetime
    sends: list[Send] = field(default_factory=list)
    looks: dict[LookKey, Look] = field(default_factory=dict)
    queues: list[Waiting] = field(default_factory=list)
    ends: dict[int, datetime] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
