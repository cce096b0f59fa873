"""What a run has to tell: the events of its places that were not told before, grouped by report.

Reading is by index on (place, at), so that it grows with what is told and not with what is stored.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, Row, Select, Table, and_, case, exists, or_, select

from gateway.alerts import covers
from gateway.models import Contact, DigestEntry
from gateway.reports import COUNTS, EVENT, REPORT

CONTACT: Table = Contact.__table__  # type: ignore[attr-defined]
ENTRY: Table = DigestEntry.__table__  # type: ignore[attr-defined]

LOOK_BACK = timedelta(hours=1)
FROM_THE_FUTURE = timedelta(hours=1)
NEW = frozenset({"accepted", "completed", "drafted"})
CHANGES = ("corrected", "withdrawn", "verified", "closed", "reopened", "reread")
CHOICES = ("commitment", "status", "topic", "agreement")
LOOK_UP = 500


@dataclass(frozen=True, slots=True)
class Window:
    """The events of a run: of `places` (None for all) from `low` up to `high`, or later than `suspect`.

    `nobodys` are the codes no coordinator covers; what their reports say is told where the sender is at home.
    `forms` and `categories` empty mean all. Reports older than `since` were never to be told as new.
    """

    low: datetime
    high: datetime
    suspect: datetime
    places: tuple[str, ...] | None
    nobodys: frozenset[str] = frozenset()
    forms: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    since: datetime | None = None


@dataclass(slots=True)
class Told:
    """A report in a digest, as it stands now.

    `changes` are what happened to it when it had been told before, `was` the values that corrections replaced.
    `elsewhere`: it happened where no coordinator is, and is told to those of the sender's home and to admins.
    """

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
    choices: Mapping[str, str] = field(default_factory=dict)
    sent_at: datetime | None = None
    created_at: datetime | None = None
    is_new: bool = False
    elsewhere: bool = False
    changes: list[str] = field(default_factory=list)
    was: dict[str, Any] = field(default_factory=dict)


@dataclass(slots=True)
class Contents:
    """What a run tells, and the ids of all events it settles. `whole`: it covers all places."""

    reports: list[Told]
    event_ids: list[UUID]
    whole: bool = False

    @property
    def refs(self) -> list[int]:
        """Numbers of the reports that are told, ascending."""
        return sorted({told.ref for told in self.reports if told.ref is not None})


def collect(connection: Connection, subscription_id: UUID, window: Window) -> Contents:
    """Everything not told to the subscription yet. Practice is never told."""
    found: dict[UUID, Told] = {}
    event_ids: dict[UUID, None] = {}
    for row in _untold(connection, subscription_id, window):
        if row.event_id in event_ids:
            continue
        event_ids[row.event_id] = None
        told = found.get(row.id) or found.setdefault(row.id, _told(row, window))
        if row.type in NEW:
            told.is_new = True
        elif row.type in CHANGES and row.type not in told.changes:
            told.changes.append(row.type)
        for name, value in _replaced(row.old):
            told.was.setdefault(name, value)
    _find_first_heard(connection, subscription_id, found.values(), window.since)
    worth = [told for told in found.values() if _is_worth_telling(told)]
    return Contents(worth, list(event_ids), whole=window.places is None)


def _is_worth_telling(told: Told) -> bool:
    """What was withdrawn before anybody heard of it is not; nor is a change that no reader needs (a note)."""
    if told.is_new:
        return told.state != "withdrawn"
    return bool(told.changes)


def _untold(connection: Connection, subscription_id: UUID, window: Window) -> Iterator[Row[Any]]:
    between = and_(EVENT.c.at >= window.low, EVENT.c.at < window.high)
    ahead = EVENT.c.at > max(window.suspect, window.high)
    told = exists().where(ENTRY.c.subscription_id == subscription_id, ENTRY.c.event_id == EVENT.c.id)
    for when in (between, ahead):
        for where in _wheres(subscription_id, window):
            yield from connection.execute(_query(window).where(when, where, ~told))


def _wheres(subscription_id: UUID, window: Window) -> Iterator[ColumnElement[bool]]:
    """The own places; what nobody covers, of senders at home here; what was told before and is now elsewhere."""
    if window.places is None:
        yield EVENT.c.id.is_not(None)
        return
    yield and_(EVENT.c.place.in_(window.places), *_wanted(window))
    here = exists().where(CONTACT.c.id == REPORT.c.contact_id, CONTACT.c.home_place.in_(window.places))
    nobodys = window.nobodys - set(window.places)
    yield and_(or_(EVENT.c.place.in_(nobodys), EVENT.c.place.is_(None)), here, *_wanted(window))
    earlier = EVENT.alias("earlier")
    known = exists().where(
        earlier.c.report_id == EVENT.c.report_id,
        ENTRY.c.subscription_id == subscription_id,
        ENTRY.c.event_id == earlier.c.id,
    )
    yield and_(EVENT.c.type == "corrected", EVENT.c.place.not_in(window.places), known)


def _wanted(window: Window) -> Iterator[ColumnElement[bool]]:
    if window.forms:
        yield REPORT.c.form.in_(window.forms)
    if window.categories:
        yield REPORT.c.category.in_(window.categories)


def _query(window: Window) -> Select[Any]:
    columns = (
        EVENT.c.id.label("event_id"), EVENT.c.type, REPORT.c.id, REPORT.c.ref, REPORT.c.form, REPORT.c.category,
        REPORT.c.place, REPORT.c.event_date, REPORT.c.urgent, REPORT.c.registered, REPORT.c.state,
        REPORT.c.verification, REPORT.c.heard_at, REPORT.c.sent_at, REPORT.c.created_at, REPORT.c.fields,
        case((EVENT.c.type == "corrected", EVENT.c.data)).label("old"),
    )  # fmt: skip
    query = select(*columns).join(REPORT, REPORT.c.id == EVENT.c.report_id).where(REPORT.c.practice.is_(False))
    if window.places is None:
        query = query.where(*_wanted(window))
    return query.order_by(EVENT.c.at, EVENT.c.report_id, EVENT.c.seq)


def _told(row: Row[Any], window: Window) -> Told:
    counts = {name: row.fields[name] for name in COUNTS if row.fields.get(name)}
    choices = {name: str(row.fields[name]) for name in CHOICES if row.fields.get(name) is not None}
    is_nobodys = row.place is None or row.place in window.nobodys
    elsewhere = is_nobodys and (window.places is None or not covers(window.places, row.place))
    return Told(
        row.id, row.ref, row.form, row.category, row.place, row.event_date, row.urgent, row.registered, row.state,
        row.verification, row.heard_at, counts, choices, row.sent_at, row.created_at, elsewhere=elsewhere,
    )  # fmt: skip


def _replaced(data: Mapping[str, Any] | None) -> Iterable[tuple[str, Any]]:
    """The values a correction replaced, by field, None where there was none."""
    old = (data or {}).get("old")
    return old.items() if isinstance(old, dict) else ()


def _find_first_heard(
    connection: Connection, subscription_id: UUID, reports: Iterable[Told], since: datetime | None
) -> None:
    """What changed before this reader was told of it is new to the reader."""
    changed = [told for told in reports if not told.is_new and told.changes]
    known: set[UUID] = set()
    for start in range(0, len(changed), LOOK_UP):
        known |= _known(connection, subscription_id, [told.id for told in changed[start : start + LOOK_UP]])
    for told in changed:
        is_younger = since is None or told.created_at is None or told.created_at >= since
        told.is_new = told.id not in known and is_younger


def _known(connection: Connection, subscription_id: UUID, ids: Sequence[UUID]) -> set[UUID]:
    query = select(EVENT.c.report_id).join(ENTRY, ENTRY.c.event_id == EVENT.c.id)
    return set(connection.scalars(query.where(ENTRY.c.subscription_id == subscription_id, EVENT.c.report_id.in_(ids))))
