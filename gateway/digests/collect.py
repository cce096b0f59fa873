"""What a run has to tell: the events of its places that were not told before, grouped by report.

Reading is by index on (place, at), so that it grows with what is told and not with what is stored.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, Row, Table, and_, exists, select

from gateway.models import DigestEntry
from gateway.reports import COUNTS, EVENT, REPORT

ENTRY: Table = DigestEntry.__table__  # type: ignore[attr-defined]

LOOK_BACK = timedelta(hours=1)
FROM_THE_FUTURE = timedelta(hours=1)
NEW = frozenset({"accepted", "completed", "drafted"})
CHANGES = ("corrected", "withdrawn", "verified", "closed", "reopened", "reread")


@dataclass(frozen=True, slots=True)
class Window:
    """The events of a run: of `places` (None for all) from `low` up to `high`, or later than `suspect`."""

    low: datetime
    high: datetime
    suspect: datetime
    places: tuple[str, ...] | None


@dataclass(slots=True)
class Told:
    """A report in a digest, as it stands now. `changes` are what happened to it when it had been told before."""

    id: UUID
    ref: int | None
    form: str
    category: str | None
    place: str | None
    event_date: date | None
    urgent: bool
    registered: bool
    state: str
    verification: str
    heard_at: datetime
    counts: Mapping[str, int]
    is_new: bool = False
    changes: list[str] = field(default_factory=list)


@dataclass(slots=True)
class Contents:
    """What a run tells, and the ids of all events it settles."""

    reports: list[Told]
    event_ids: list[UUID]

    @property
    def refs(self) -> list[int]:
        """Numbers of the reports that are told, ascending."""
        return sorted({told.ref for told in self.reports if told.ref is not None})


def collect(connection: Connection, subscription_id: UUID, window: Window) -> Contents:
    """Everything not told to the subscription yet. Practice is never told."""
    found: dict[UUID, Told] = {}
    event_ids = []
    for row in _untold(connection, subscription_id, window):
        event_ids.append(row.event_id)
        told = found.get(row.id) or found.setdefault(row.id, _told(row))
        if row.type in NEW:
            told.is_new = True
        elif row.type in CHANGES and row.type not in told.changes:
            told.changes.append(row.type)
    return Contents([told for told in found.values() if _is_worth_telling(told)], event_ids)


def _is_worth_telling(told: Told) -> bool:
    """What was withdrawn before anybody heard of it is not; nor is a change that no reader needs (a note)."""
    if told.is_new:
        return told.state != "withdrawn"
    return bool(told.changes)


def _untold(connection: Connection, subscription_id: UUID, window: Window) -> Iterator[Row[Any]]:
    between = and_(EVENT.c.at >= window.low, EVENT.c.at < window.high)
    for when in (between, EVENT.c.at > max(window.suspect, window.high)):
        yield from connection.execute(_query(subscription_id, window.places, when))


def _query(subscription_id: UUID, places: Sequence[str] | None, when: ColumnElement[bool]) -> Any:
    told = exists().where(ENTRY.c.subscription_id == subscription_id, ENTRY.c.event_id == EVENT.c.id)
    columns = (
        EVENT.c.id.label("event_id"), EVENT.c.type, REPORT.c.id, REPORT.c.ref, REPORT.c.form, REPORT.c.category,
        REPORT.c.place, REPORT.c.event_date, REPORT.c.urgent, REPORT.c.registered, REPORT.c.state,
        REPORT.c.verification, REPORT.c.heard_at, REPORT.c.fields,
    )  # fmt: skip
    query = select(*columns).join(REPORT, REPORT.c.id == EVENT.c.report_id)
    query = query.where(when, REPORT.c.practice.is_(False), ~told).order_by(EVENT.c.at, EVENT.c.report_id, EVENT.c.seq)
    return query if places is None else query.where(EVENT.c.place.in_(places))


def _told(row: Row[Any]) -> Told:
    counts = {name: row.fields[name] for name in COUNTS if row.fields.get(name)}
    return Told(
        row.id, row.ref, row.form, row.category, row.place, row.event_date, row.urgent, row.registered, row.state,
        row.verification, row.heard_at, counts,
    )  # fmt: skip
