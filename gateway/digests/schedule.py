"""Which runs are due, and making one: the run, what it told and its message in one transaction.

What is due is computed from rows and the wall clock. A run is unique per subscription and period end; what was told is
written down event by event, so that nothing is told twice or lost, however long the machine was off, however many
processes run, and whatever the clock did meanwhile.
"""

import logging
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Row, Table, func, insert, select, update
from uuid_utils.compat import uuid7

from gateway.contacts import Person, people
from gateway.digests.collect import ENTRY, FROM_THE_FUTURE, LOOK_BACK, Contents, Window, collect
from gateway.digests.periods import last_end
from gateway.digests.render import Period, render
from gateway.house import House
from gateway.models import DigestRun, OptOut
from gateway.routes import route
from gateway.sealing import Sealer
from gateway.subscriptions import SCHEMES, SUBSCRIPTION
from outbox.queue import NewMessage, enqueue
from parsers import Codebook

RUN: Table = DigestRun.__table__  # type: ignore[attr-defined]
OPT_OUT: Table = OptOut.__table__  # type: ignore[attr-defined]

ABSURD = timedelta(days=7)

_log = logging.getLogger("vocero.digests")


@dataclass(frozen=True, slots=True)
class RunInfo:
    """A run that was made: `refs` are the numbers it tells, `outbox` the ids of its messages."""

    subscription: UUID
    contact: UUID
    period_from: datetime
    period_to: datetime
    refs: tuple[int, ...]
    outbox: tuple[UUID, ...]


@dataclass(frozen=True, slots=True)
class Tools:
    """What making a run needs of the house. `clock_now` tells events whose clock ran ahead."""

    sealer: Sealer
    codebook: Codebook
    base_url: str
    clock_now: datetime


def run_due(house: House, now: datetime | None = None) -> list[RunInfo]:
    """Make every run whose period has ended by `now` (default: the house's clock) and is not made.

    Each is a transaction of its own. Not to be called on the writer's thread.
    """
    clock_now = house.clock()
    codebook = house.read_now(house.codebook)
    tools = Tools(house.sealer, codebook, house.settings.base_url, clock_now)
    at = now or clock_now
    made = []
    for key in house.read_now(lambda connection: due(connection, at, clock_now)):
        job = partial(make_run, key=key, now=at, tools=tools)
        run = house.writer.write_now(job, timeout=None)
        if run is not None:
            made.append(run)
    return made


def due(connection: Connection, now: datetime, clock_now: datetime) -> list[UUID]:
    """Subscriptions to look at: a period has ended, or the clock stands behind their last run."""
    last = select(func.max(RUN.c.period_to)).where(RUN.c.subscription_id == SUBSCRIPTION.c.id).scalar_subquery()
    query = select(SUBSCRIPTION, last.label("last_end"))
    query = query.where(SUBSCRIPTION.c.active, SUBSCRIPTION.c.removed_at.is_(None)).order_by(SUBSCRIPTION.c.created_at)
    found = []
    for row in connection.execute(query):
        is_behind = row.last_end is not None and row.last_end > clock_now
        unmarked = row.look_from is None or row.look_from > clock_now
        if (is_behind and unmarked) or _ends_after(row, row.last_end, now):
            found.append(row.id)
    return found


def _ends_after(row: Row[Any], last: datetime | None, now: datetime) -> bool:
    """Whether a period may have ended since the `last` run; a run later than `now` leaves it open."""
    return last is None or last > now or last_end(row.hours, row.zone, now) > last


def make_run(connection: Connection, key: UUID, now: datetime, tools: Tools) -> RunInfo | None:
    """Make the subscription's run in the caller's transaction; None when there is none to make."""
    row = connection.execute(select(SUBSCRIPTION).where(SUBSCRIPTION.c.id == key).with_for_update()).first()
    if row is None or not row.active or row.removed_at is not None:
        return None
    due_period = _due_period(connection, row, now, tools.clock_now)
    run = _make(connection, row, due_period, tools) if due_period else None
    if run is None:
        _mark_clock_behind(connection, row, tools.clock_now)
    return run


@dataclass(frozen=True, slots=True)
class DuePeriod:
    """A period that has ended and has no run. Not `sure` when the clock that made the rows and the clock now disagree:
    then a run is made only when it has something to tell."""

    begin: datetime
    end: datetime
    sure: bool


def _due_period(connection: Connection, row: Row[Any], now: datetime, clock_now: datetime) -> DuePeriod | None:
    """Runs later than `now` were made by a clock that ran ahead, or the clock stands behind now."""
    end = last_end(row.hours, row.zone, now)
    mine = RUN.c.subscription_id == row.id
    begin: datetime | None = connection.scalar(select(func.max(RUN.c.period_to)).where(mine, RUN.c.period_to <= now))
    over = (mine, RUN.c.period_from < end, RUN.c.period_to > end, RUN.c.period_to < end + ABSURD)
    sure = connection.execute(select(RUN.c.id).where(*over).limit(1)).first() is None
    if begin is None and row.created_at > clock_now + FROM_THE_FUTURE:
        begin, sure = last_end(row.hours, row.zone, end - timedelta(minutes=1)), False
    begin = begin or row.created_at
    return DuePeriod(begin, end, sure) if end > begin else None


def _make(connection: Connection, row: Row[Any], period: DuePeriod, tools: Tools) -> RunInfo | None:
    (person,) = people(connection, tools.sealer, only=[row.contact_id])
    to = _reachable(connection, person, SCHEMES[row.by], tools.sealer)
    channel = route(connection, to) if to else None
    if to is None or channel is None:
        _log.debug("digest not made: nobody can be reached, subscription %s", row.id)
        return None
    contents = collect(connection, row.id, _window(row, person, period, tools))
    if not period.sure and not contents.reports:
        return None
    return _write(connection, row, person, period, contents, (to, channel), tools)


def _mark_clock_behind(connection: Connection, row: Row[Any], clock_now: datetime) -> None:
    """Note from when on the clock stood behind the last run: events since then lie before the next run's window."""
    last = connection.scalar(select(func.max(RUN.c.period_to)).where(RUN.c.subscription_id == row.id))
    if last is not None and last > clock_now and (row.look_from is None or row.look_from > clock_now):
        connection.execute(update(SUBSCRIPTION).where(SUBSCRIPTION.c.id == row.id).values(look_from=clock_now))


def _reachable(connection: Connection, person: Person, scheme: str, sealer: Sealer) -> str | None:
    """The person's address, unless it opted out or the person is not active."""
    to = person.address(scheme)
    if to is None or person.status != "active":
        return None
    silent = select(OPT_OUT.c.address_hash).where(OPT_OUT.c.address_hash == sealer.hash("address", to))
    return None if connection.execute(silent).first() else to


def _window(row: Row[Any], person: Person, period: DuePeriod, tools: Tools) -> Window:
    low = min(period.begin, row.look_from or period.begin) - LOOK_BACK
    places = covered(tuple(row.places) or person.places, person, tools.codebook)
    return Window(low, period.end, tools.clock_now + FROM_THE_FUTURE, places)


def covered(codes: tuple[str, ...], person: Person, codebook: Codebook) -> tuple[str, ...] | None:
    """All place codes within `codes`; without any, everything for an admin, else the person's home. None for all."""
    if not codes:
        if person.role == "admin":
            return None
        codes = (person.home_place,) if person.home_place else ()
    return tuple(code for code in codebook.places if code in codes or code[:2] in codes)


def _write(
    connection: Connection, row: Row[Any], person: Person, period: DuePeriod, contents: Contents,
    way: tuple[str, str], tools: Tools,
) -> RunInfo:  # fmt: skip
    run_id, message_id = uuid7(), uuid7()
    made = {
        "id": run_id, "subscription_id": row.id, "period_from": period.begin, "period_to": period.end,
        "made_at": tools.clock_now,
    }  # fmt: skip
    connection.execute(insert(RUN), [made])
    told = [{"subscription_id": row.id, "event_id": event, "run_id": run_id} for event in contents.event_ids]
    if told:
        connection.execute(insert(ENTRY), told)
    span = Period(period.begin, period.end, row.zone)
    rendered = render(
        contents, span, by=row.by, language=person.language, codebook=tools.codebook, base_url=tools.base_url
    )
    to, channel = way
    message = NewMessage(
        id=message_id, kind="digest", channel=channel, to=to, text=rendered.text, subject=rendered.subject,
        html=rendered.html, headers={"Auto-Submitted": "auto-generated"} if rendered.subject else None,
        contact_id=person.id, digest_run_id=run_id,
    )  # fmt: skip
    enqueue(connection, [message], seals=tools.sealer, now=tools.clock_now)
    if row.look_from is not None:
        connection.execute(update(SUBSCRIPTION).where(SUBSCRIPTION.c.id == row.id).values(look_from=None))
    return RunInfo(row.id, person.id, period.begin, period.end, tuple(contents.refs), (message_id,))
