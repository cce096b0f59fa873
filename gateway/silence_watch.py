"""What is done about a silence: the monitor is reminded by day, and a day later the coordinators of the place are told.

Each silence is a row, locked while it is looked at, and what is sent about it is queued in the same transaction:
whoever ticks and however often, a reminder goes out once. A sign of life ends it.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from itertools import groupby
from typing import Any, TypeVar
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, Connection, Row, Select, Table, exists, func, select, update
from uuid_utils.compat import uuid7

from gateway import limits
from gateway.alerts import receivers
from gateway.bulk import insert_missing
from gateway.contacts import Person, people
from gateway.house import House
from gateway.models import Silence
from gateway.quiet import QuietHours
from gateway.replies import NAME_LENGTH, Replies
from gateway.routes import Way, choose, ways
from gateway.silence import CONTACT, OPT_OUT, Silent, silent_contacts
from gateway.upkeep import SETTING, put_setting
from outbox.queue import NewMessage, enqueue
from outbox.segments import count

SILENCE: Table = Silence.__table__  # type: ignore[attr-defined]

WATCH = "silence_watch"
AGAIN = timedelta(days=1)
LASTS = timedelta(days=2)
# A machine that was off for so long hears first what was kept for it.
DEAF = timedelta(days=2)
CATCHES_UP = timedelta(hours=1)
PIECE, INSERTED = 50, 500

T = TypeVar("T")
Conditions = tuple[ColumnElement[bool], ...]
_STILL_SILENT = (CONTACT.c.status == "active") & (
    func.coalesce(CONTACT.c.last_heard_at, CONTACT.c.created_at) <= SILENCE.c.since
)


@dataclass(frozen=True, slots=True)
class Look:
    """What a look needs in its transaction."""

    connection: Connection
    house: House
    now: datetime
    limits: limits.Limits
    replies: Replies
    ways: Sequence[Way]

    @property
    def quiet(self) -> QuietHours:
        return QuietHours.of(self.limits)

    @property
    def zone(self) -> str:
        return self.replies.codebook.zone

    def by_day(self, zone: str | None) -> bool:
        return not self.quiet.holds(self.now, zone or self.zone)

    def date(self, at: datetime) -> str:
        return self.replies.date(at.astimezone(ZoneInfo(self.zone)).date())


def watch_silence(house: House) -> int:
    """Note, remind, tell; returns how many messages were queued."""
    now = house.clock()
    if not house.writer.write_now(lambda connection: _hears_well(connection, now)):
        return 0
    silent = house.read_now(lambda connection: silent_contacts(connection, now=now, places=None))
    house.writer.write_now(lambda connection: _end(connection, now))
    for rows in _pieces(house.read_now(lambda connection: _new(connection, silent, now)), INSERTED):
        house.writer.write_now(partial(_begin, rows=rows))
    queued = 0
    for job, which in ((_remind, _to_remind), (_tell, _to_tell)):
        wanted = house.read_now(partial(_due, house=house, silent=silent, which=which))
        for ids in _pieces(wanted, PIECE):
            queued += house.writer.write_now(partial(_done, house=house, job=job, ids=ids))
    return queued


def _done(connection: Connection, house: House, job: Callable[[Look, Sequence[UUID]], int], ids: Sequence[UUID]) -> int:
    return job(_look(connection, house), ids)


def _pieces(found: Sequence[T], size: int) -> Iterable[Sequence[T]]:
    return (found[start : start + size] for start in range(0, len(found), size))


def _look(connection: Connection, house: House) -> Look:
    replies = Replies(house.codebook(connection))
    return Look(connection, house, house.clock(), limits.load(connection), replies, ways(connection))


def _hears_well(connection: Connection, now: datetime) -> bool:
    """False for an hour after the gateway was off for days: silence then was its own."""
    row = connection.execute(select(SETTING).where(SETTING.c.name == WATCH).with_for_update()).first()
    wait = datetime.fromisoformat(row.value) if row is not None and row.value else None
    if row is not None and now - row.changed_at > DEAF:
        wait = now + CATCHES_UP
    waits = wait is not None and now < wait <= now + CATCHES_UP
    put_setting(connection, WATCH, wait.isoformat() if waits and wait else "", now)
    return not waits


def _end(connection: Connection, now: datetime) -> None:
    """End the silences that were broken."""
    over = exists().where(CONTACT.c.id == SILENCE.c.contact_id, ~_STILL_SILENT)
    connection.execute(update(SILENCE).where(SILENCE.c.ended_at.is_(None), over).values(ended_at=now))


def _new(connection: Connection, silent: Sequence[Silent], now: datetime) -> list[dict[str, Any]]:
    """Rows of the silences that are not known yet."""
    open_ones = select(SILENCE.c.contact_id, SILENCE.c.since).where(SILENCE.c.ended_at.is_(None))
    known = {(row.contact_id, row.since) for row in connection.execute(open_ones)}
    return [
        {"id": uuid7(), "contact_id": one.contact_id, "since": one.since, "noticed_at": now, "reminders": 0}
        for one in silent
        if (one.contact_id, one.since) not in known
    ]


def _begin(connection: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
    connection.execute(insert_missing(connection, SILENCE), rows)


def _due(
    connection: Connection, house: House, silent: Sequence[Silent], which: Callable[[Look], Conditions]
) -> list[UUID]:
    """Silences to which something is due now, of people who are still expected to write."""
    look = _look(connection, house)
    expected = {one.contact_id: one.since for one in silent}
    rows = connection.execute(_lasting(which(look)))
    by_day = [row for row in rows if which is _to_tell or look.by_day(row.zone)]
    return [row.id for row in by_day if expected.get(row.contact_id) == row.since]


def _lasting(which: Conditions) -> Select[Any]:
    return (
        select(SILENCE, CONTACT.c.home_place, CONTACT.c.zone, CONTACT.c.discreet)
        .join(CONTACT, CONTACT.c.id == SILENCE.c.contact_id)
        .where(SILENCE.c.ended_at.is_(None), _STILL_SILENT, *which)
        .order_by(SILENCE.c.since, SILENCE.c.id)
    )


def _locked(look: Look, ids: Sequence[UUID], which: Conditions) -> list[Row[Any]]:
    """Those of `ids` to which it is due still, held until the transaction ends; what another holds is left to it."""
    query = _lasting((SILENCE.c.id.in_(ids), *which)).with_for_update(of=SILENCE, skip_locked=True)
    return list(look.connection.execute(query))


def _to_remind(look: Look) -> Conditions:
    again = SILENCE.c.last_reminded_at.is_(None) | (SILENCE.c.last_reminded_at <= look.now - AGAIN)
    return SILENCE.c.reminders < look.limits.whole("reminders"), again


def _to_tell(look: Look) -> Conditions:
    wait = timedelta(hours=look.limits.whole("silence_hours"))
    begun = SILENCE.c.reminded_at if look.limits.whole("reminders") else SILENCE.c.noticed_at
    # To the minute: a reminder that went a few seconds after the tick must not be answered for a minute later.
    return SILENCE.c.told_at.is_(None), begun <= look.now - wait + timedelta(minutes=1)


def _remind(look: Look, ids: Sequence[UUID]) -> int:
    """Remind the silent; returns how many messages were queued."""
    due = _locked(look, ids, _to_remind(look))
    who = {one.id: one for one in people(look.connection, look.house.sealer, only=[row.contact_id for row in due])}
    messages = []
    for row in due:
        times = {
            "reminders": row.reminders + 1,
            "last_reminded_at": look.now,
            "reminded_at": row.reminded_at or look.now,
        }
        look.connection.execute(update(SILENCE).where(SILENCE.c.id == row.id).values(times))
        person = who[row.contact_id]
        name = "reminder_discreet" if row.discreet else "reminder"
        text = look.replies.text(name, name=person.name[:NAME_LENGTH], date=look.date(row.since))
        messages += _message(look, person, text, row.id)
    enqueue(look.connection, messages, seals=look.house.sealer, now=look.now)
    return len(messages)


def _tell(look: Look, ids: Sequence[UUID]) -> int:
    """Tell the coordinators of silences that a reminder did not end; returns how many messages were queued."""
    found: dict[UUID, list[Row[Any]]] = defaultdict(list)
    told: set[UUID] = set()
    for place, rows in groupby(sorted(_locked(look, ids, _to_tell(look)), key=_home), key=_home):
        reached = receivers(look.connection, place or None, None)
        if not reached or not all(look.by_day(one.zone) for one in reached):
            continue
        for row in rows:
            told.add(row.id)
            for one in reached:
                found[one.id].append(row)
    if told:
        look.connection.execute(update(SILENCE).where(SILENCE.c.id.in_(told)).values(told_at=look.now))
    messages = []
    for person in people(look.connection, look.house.sealer, only=found):
        for text, about in _texts(look, found[person.id]):
            messages += _message(look, person, text, about)
    enqueue(look.connection, messages, seals=look.house.sealer, now=look.now)
    return len(messages)


def _home(row: Row[Any]) -> str:
    return str(row.home_place or "")


def _texts(look: Look, rows: Sequence[Row[Any]]) -> Iterable[tuple[str, UUID | None]]:
    """One text for one silence, else as many silences in each text as one segment holds."""
    if len(rows) == 1:
        (row,) = rows
        yield look.replies.text("silence", **_named(look, row)), row.id
        return
    pending: list[str] = []
    items = [look.replies.text("silence_item", **_named(look, row)) for row in rows]
    for item in dict.fromkeys(items):
        if pending and count(_several(look, [*pending, item])).segments > 1:
            yield _several(look, pending), None
            pending = []
        pending.append(item)
    yield _several(look, pending), None


def _several(look: Look, items: Sequence[str]) -> str:
    return look.replies.text("silence_several", list=", ".join(items))


def _named(look: Look, row: Row[Any]) -> dict[str, str]:
    return {
        "place": look.replies.place(row.home_place), "code": row.home_place or "-", "date": look.date(row.since),
    }  # fmt: skip


def _message(look: Look, person: Person, text: str, about: UUID | None) -> list[NewMessage]:
    """To the phone, else to the mailbox; nothing when neither may or can be used."""
    for address in sorted(person.addresses, key=lambda found: not found.startswith("tel:")):
        hashed = look.house.sealer.hash("address", address)
        silent = look.connection.scalar(select(OPT_OUT.c.address_hash).where(OPT_OUT.c.address_hash == hashed))
        channel = choose(look.ways, address)
        if silent is None and channel is not None:
            return [
                NewMessage(
                    id=uuid7(), kind="reminder", channel=channel, to=address, text=text,
                    subject=text if address.startswith("mailto:") else None, contact_id=person.id, about_id=about,
                    headers={"Auto-Submitted": "auto-generated"} if address.startswith("mailto:") else None,
                    expires_at=look.now + LASTS,
                )
            ]  # fmt: skip
    return []
