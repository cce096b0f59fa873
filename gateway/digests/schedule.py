"""Which runs are due, and making them: the run, what it told and its messages in one short transaction.

What is due is computed from rows and the wall clock. A run is unique per subscription and period end; what was told is
written down event by event, so that nothing is told twice or lost, however long the machine was off, however many
processes run, and whatever the clock did meanwhile.

Reading, laying out and sealing come before the transaction, which then looks whether the subscription still stands as
it was read. A run that tells more than a few hundred events names them all in its own row; their entries are written
afterwards in small pieces, by whoever comes first, and before the subscription's next run is read.
"""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from importlib import import_module
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Row, exists, func, insert, select, update

from gateway.digests.collect import ENTRY
from gateway.digests.periods import last_end, rhythm_of
from gateway.digests.prepare import RUN, Prepared, count_runs, prepare, tools_of
from gateway.house import House
from gateway.subscriptions import SUBSCRIPTION
from outbox.rows import OUTBOUND, new_rows

AT_ONCE = 300
TICK_S = 3.0
ID_BYTES = 16


@dataclass(frozen=True, slots=True)
class RunInfo:
    """A run that was made: `refs` are the numbers it tells, `outbox` the ids of its messages."""

    subscription: UUID
    contact: UUID
    period_from: datetime
    period_to: datetime
    refs: tuple[int, ...]
    outbox: tuple[UUID, ...]


def run_due(house: House, now: datetime | None = None) -> list[RunInfo]:
    """Make every run whose period has ended by `now` (default: the house's clock) and is not made.

    Not to be called on the writer's thread.
    """
    return list(each_due(house, now))


def run_for_a_while(house: House) -> None:
    """As `run_due`, but after some seconds other ticks get their turn; the rest is made at the next."""
    until = time.monotonic() + TICK_S
    for _run in each_due(house, None):
        if time.monotonic() > until:
            return


def each_due(house: House, now: datetime | None) -> Iterator[RunInfo]:
    """As `run_due`, one by one."""
    tools = house.read_now(partial(tools_of, house))
    mark_clock_behind(house, tools.clock_now)
    at = now or tools.clock_now
    for key in house.read_now(lambda connection: due(connection, at, tools.clock_now)):
        settle(house, key)
        while prepared := house.read_now(partial(prepare, key=key, now=at, tools=tools)):
            rows = new_rows(prepared.messages, seals=tools.sealer, now=tools.clock_now)
            run = house.writer.write_now(partial(keep, prepared=prepared, rows=rows, at=tools.clock_now), timeout=None)
            settle(house, key)
            if run is None:
                break
            yield run


def due(connection: Connection, now: datetime, clock_now: datetime) -> list[UUID]:
    """Subscriptions to look at: a period may have ended since the last run; one later than `now` leaves it open."""
    last = select(func.max(RUN.c.period_to)).where(RUN.c.subscription_id == SUBSCRIPTION.c.id).scalar_subquery()
    query = select(SUBSCRIPTION, last.label("last_end"))
    query = query.where(SUBSCRIPTION.c.active, SUBSCRIPTION.c.removed_at.is_(None)).order_by(SUBSCRIPTION.c.created_at)
    return [row.id for row in connection.execute(query) if _is_due(row, now, clock_now)]


def _is_due(row: Row[Any], now: datetime, clock_now: datetime) -> bool:
    last: datetime | None = row.last_end
    end = last_end(rhythm_of(row), now)
    if last is None or last > now:
        return bool(end > row.created_at or row.created_at > clock_now)
    return end > last


def keep(connection: Connection, prepared: Prepared, rows: Sequence[dict[str, Any]], at: datetime) -> RunInfo | None:
    """Write the run in the caller's transaction; None when the subscription or its runs have changed meanwhile."""
    row, events = prepared.row, prepared.contents.event_ids
    locked = select(SUBSCRIPTION).where(SUBSCRIPTION.c.id == row.id).with_for_update()
    if connection.execute(locked).first() != row or count_runs(connection, row.id) != prepared.runs:
        return None
    is_large = len(events) > AT_ONCE
    made = {
        "id": prepared.run_id, "subscription_id": row.id, "period_from": prepared.period.begin,
        "period_to": prepared.period.end, "made_at": at,
        "told": b"".join(event.bytes for event in events) if is_large else None,
    }  # fmt: skip
    connection.execute(insert(RUN), [made])
    if events and not is_large:
        connection.execute(insert(ENTRY), _entries(row.id, prepared.run_id, events))
    if rows:
        connection.execute(insert(OUTBOUND), rows)
    _look_from(connection, row, prepared.period.end)
    ids, period = tuple(message.id for message in prepared.messages), prepared.period
    return RunInfo(row.id, row.contact_id, period.begin, period.end, tuple(prepared.contents.refs), ids)


def _look_from(connection: Connection, row: Row[Any], end: datetime) -> None:
    """All before `end` is settled now; what comes after it may still lie before a run that a clock ahead has made."""
    later = select(RUN.c.id).where(RUN.c.subscription_id == row.id, RUN.c.period_to > end).limit(1)
    since = end if connection.execute(later).first() is not None else None
    if since != row.look_from:
        connection.execute(update(SUBSCRIPTION).where(SUBSCRIPTION.c.id == row.id).values(look_from=since))


def _entries(key: UUID, run_id: UUID, events: Sequence[UUID]) -> list[dict[str, UUID]]:
    return [{"subscription_id": key, "event_id": event, "run_id": run_id} for event in events]


def settle(house: House, key: UUID) -> None:
    """Write the entries of the subscription's runs that have not all of theirs, a piece at a time.

    May be done twice, and by several processes at once: it only ever adds what is missing.
    """
    waiting = (RUN.c.subscription_id == key, RUN.c.told.is_not(None))
    query = select(RUN.c.id, RUN.c.told).where(*waiting).order_by(RUN.c.period_to)
    for run in house.read_now(lambda connection: list(connection.execute(query))):
        events = [UUID(bytes=run.told[start : start + ID_BYTES]) for start in range(0, len(run.told), ID_BYTES)]
        for start in range(0, len(events), AT_ONCE):
            piece = _entries(key, run.id, events[start : start + AT_ONCE])
            house.writer.write_now(partial(_add_entries, rows=piece), timeout=None)
        settled = update(RUN).where(RUN.c.id == run.id).values(told=None)
        house.writer.write_now(partial(_execute, statement=settled), timeout=None)


def _add_entries(connection: Connection, rows: Sequence[dict[str, UUID]]) -> None:
    dialect = import_module(f"sqlalchemy.dialects.{connection.dialect.name}")
    connection.execute(dialect.insert(ENTRY).on_conflict_do_nothing(), list(rows))


def _execute(connection: Connection, statement: Any) -> None:
    connection.execute(statement)


def mark_clock_behind(house: House, clock_now: datetime) -> None:
    """Where the clock stands behind a last run, note since when: events since then lie before the next run's window."""
    later = exists().where(RUN.c.subscription_id == SUBSCRIPTION.c.id, RUN.c.period_to > clock_now)
    unmarked = SUBSCRIPTION.c.look_from.is_(None) | (SUBSCRIPTION.c.look_from > clock_now)
    behind = (SUBSCRIPTION.c.removed_at.is_(None), unmarked, later)
    if house.read_now(lambda connection: connection.scalar(select(func.count()).where(*behind))):
        marked = update(SUBSCRIPTION).where(*behind).values(look_from=clock_now)
        house.writer.write_now(partial(_execute, statement=marked), timeout=None)
