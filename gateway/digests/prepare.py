"""A run before it is written: which period, what it tells, how it reads. Only reads, so that nobody waits for it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Row, Table, func, select
from uuid_utils.compat import uuid7

from gateway import limits
from gateway.contacts import CONTACT, Person, people
from gateway.digests.around import (
    Around,
    alert_states,
    outages_in,
    polls_of,
    silent_places,
    still_open,
)
from gateway.digests.collect import FROM_THE_FUTURE, LOOK_BACK, Contents, Window, collect
from gateway.digests.names import Names
from gateway.digests.periods import Rhythm, ends_between, last_end, rhythm_of
from gateway.digests.post import mail_headers, stop_link
from gateway.digests.render import Rendered, Wanted, render
from gateway.digests.usual import look_back
from gateway.digests.view import Period
from gateway.house import House
from gateway.locale import translator
from gateway.models import DigestRun, OptOut
from gateway.quiet import QuietHours
from gateway.routes import Way, choose, ways
from gateway.sealing import Sealer
from gateway.subscriptions import SUBSCRIPTION, addresses
from outbox.queue import NewMessage
from outbox.senders.base import Attachment
from parsers import Codebook

RUN: Table = DigestRun.__table__  # type: ignore[attr-defined]
OPT_OUT: Table = OptOut.__table__  # type: ignore[attr-defined]

ABSURD = timedelta(days=7)
# Of a subscription that wants each period told for itself: what lies further back goes into the first of them.
PERIODS_AT_MOST = 31


@dataclass(frozen=True, slots=True)
class Tools:
    """What making runs needs of the house. `clock_now` tells events whose clock ran ahead; `covered` are the places
    some coordinator answers for."""

    sealer: Sealer
    codebook: Codebook
    base_url: str
    clock_now: datetime
    ways: Sequence[Way]
    covered: frozenset[str]
    quiet: QuietHours


@dataclass(frozen=True, slots=True)
class DuePeriod:
    """A period that has ended and has no run. Not `sure` when the clock that made the rows and the clock now disagree:
    then a run is made only when it has something to tell."""

    begin: datetime
    end: datetime
    sure: bool


@dataclass(frozen=True, slots=True)
class Prepared:
    """A run ready to be written, if its subscription still stands as `row` and still has `runs` runs.

    No messages: nothing happened, and the reader wants no word of that.
    """

    run_id: UUID
    row: Row[Any]
    runs: int
    period: DuePeriod
    contents: Contents
    messages: Sequence[NewMessage]


@dataclass(frozen=True, slots=True)
class Read:
    """What a period holds for a reader."""

    window: Window
    contents: Contents
    around: Around


def tools_of(house: House, connection: Connection) -> Tools:
    codebook = house.codebook(connection)
    active = (CONTACT.c.role == "coordinator", CONTACT.c.status == "active")
    codes = {code for (places,) in connection.execute(select(CONTACT.c.places).where(*active)) for code in places}
    covered = frozenset(code for code in codebook.places if code in codes or code[:2] in codes)
    quiet = QuietHours.of(limits.load(connection))
    return Tools(house.sealer, codebook, house.settings.base_url, house.clock(), ways(connection), covered, quiet)


def prepare(connection: Connection, key: UUID, now: datetime, tools: Tools) -> Prepared | None:
    """The next run of the subscription; None when there is none to make or nobody to send it to.

    Runs are counted before anything is read of them: one that another process makes meanwhile is then noticed at
    the end. While one has not all of its entries, what was told cannot be known.
    """
    row = connection.execute(select(SUBSCRIPTION).where(SUBSCRIPTION.c.id == key)).first()
    if row is None or not row.active or row.removed_at is not None:
        return None
    runs = count_runs(connection, key)
    unsettled = select(RUN.c.id).where(RUN.c.subscription_id == key, RUN.c.told.is_not(None)).limit(1)
    period = due_period(connection, row, now, tools.clock_now)
    if period is None or connection.execute(unsettled).first() is not None:
        return None
    (person,) = people(connection, tools.sealer, only=[row.contact_id])
    reached = list(_reached(connection, person, row.by, tools))
    if not reached:
        return None
    read = read_period(connection, row, person, period, tools)
    if not period.sure and not read.contents.reports:
        return None
    is_empty = not read.contents.reports and not read.around.is_worth_telling
    made = Prepared(uuid7(), row, runs, period, read.contents, ())
    if is_empty and row.when_empty == "silent":
        return made
    return replace(made, messages=[_message(made, read, person, to, way, tools) for to, way in reached])


def count_runs(connection: Connection, key: UUID) -> int:
    return int(connection.scalar(select(func.count()).select_from(RUN).where(RUN.c.subscription_id == key)) or 0)


def due_period(connection: Connection, row: Row[Any], now: datetime, clock_now: datetime) -> DuePeriod | None:
    """Runs later than `now` were made by a clock that ran ahead, or the clock stands behind now."""
    rhythm = rhythm_of(row)
    end = last_end(rhythm, now)
    mine = RUN.c.subscription_id == row.id
    begin: datetime | None = connection.scalar(select(func.max(RUN.c.period_to)).where(mine, RUN.c.period_to <= now))
    over = (mine, RUN.c.period_from < end, RUN.c.period_to > end, RUN.c.period_to < end + ABSURD)
    sure = connection.execute(select(RUN.c.id).where(*over).limit(1)).first() is None
    if begin is None and row.created_at > clock_now + FROM_THE_FUTURE:
        begin, sure = last_end(rhythm, end - timedelta(minutes=1)), False
    begin = begin or row.created_at
    if end <= begin:
        return None
    return DuePeriod(begin, _first_end(rhythm, begin, end) if row.catch_up == "each" else end, sure)


def _first_end(rhythm: Rhythm, begin: datetime, end: datetime) -> datetime:
    return ends_between(rhythm, begin, end, PERIODS_AT_MOST)[0]


def _reached(connection: Connection, person: Person, by: str, tools: Tools) -> Iterable[tuple[str, Way]]:
    """The person's addresses and the channel for each, but those that opted out; none unless the person is active."""
    if person.status != "active":
        return
    known = {way.name: way for way in tools.ways}
    for to in addresses(person, by):
        silent = select(OPT_OUT.c.address_hash).where(OPT_OUT.c.address_hash == tools.sealer.hash("address", to))
        channel = choose(tools.ways, to)
        if channel is not None and connection.execute(silent).first() is None:
            yield to, known[channel]


def read_period(connection: Connection, row: Row[Any], person: Person, period: DuePeriod, tools: Tools) -> Read:
    """What the period holds that the subscription was not told, and what stands around it."""
    window = _window(row, person, period, tools)
    contents = collect(connection, row.id, window)
    urgent = [told.id for told in contents.reports if told.urgent]
    number, refs = still_open(connection, window, period.begin, contents)
    return Read(window, contents, Around(
        alerts=alert_states(connection, urgent, tools.sealer),
        silent=silent_places(connection, window.places, period.end),
        open_number=number, open_refs=refs,
        polls=polls_of(connection, window.places, period.begin, period.end, row.zone),
        outages=outages_in(connection, period.begin, period.end),
        usual=look_back(connection, window, period.begin, period.end, row.zone),
    ))  # fmt: skip


def _window(row: Row[Any], person: Person, period: DuePeriod, tools: Tools) -> Window:
    low = min(period.begin, row.look_from or period.begin) - LOOK_BACK
    places = covered(tuple(row.places) or person.places, person, tools.codebook)
    return Window(
        low, period.end, tools.clock_now + FROM_THE_FUTURE, places,
        frozenset(tools.codebook.places) - tools.covered, tuple(row.forms), tuple(row.categories),
        since=row.created_at - LOOK_BACK,
    )  # fmt: skip


def covered(codes: tuple[str, ...], person: Person, codebook: Codebook) -> tuple[str, ...] | None:
    """All place codes within `codes`; without any, everything for an admin, else the person's home. None for all."""
    if not codes:
        if person.role == "admin":
            return None
        codes = (person.home_place,) if person.home_place else ()
    return tuple(code for code in codebook.places if code in codes or code[:2] in codes)


def rendered(row: Row[Any], person: Person, period: DuePeriod, read: Read, by: str, tools: Tools) -> Rendered:
    """The digest `by` email or sms as its reader will see it."""
    wanted = Wanted(
        by, row.language or person.language, tools.codebook, f"{tools.base_url}/reports",
        stop_link(tools.base_url, row.id, tools.sealer), brief=row.detail == "brief",
    )  # fmt: skip
    return render(read.contents, read.around, Period(period.begin, period.end, row.zone), wanted)


def attached(
    row: Row[Any], person: Person, period: DuePeriod, contents: Contents, tools: Tools
) -> Iterable[Attachment]:
    """The table that goes with the mail, when one is wanted and there is something in it."""
    if row.attach != "none" and contents.reports:
        from gateway.digests.files import attachment

        names = Names(translator(row.language or person.language), tools.codebook)
        yield attachment(row.attach, contents, Period(period.begin, period.end, row.zone), names)


def _message(made: Prepared, read: Read, person: Person, to: str, way: Way, tools: Tools) -> NewMessage:
    row, period = made.row, made.period
    by = "email" if to.startswith("mailto:") else "sms"
    shown = rendered(row, person, period, read, by, tools)
    message = NewMessage(
        id=uuid7(), kind="digest", channel=way.name, to=to, text=shown.text, subject=shown.subject, html=shown.html,
        contact_id=person.id, digest_run_id=made.run_id,
    )  # fmt: skip
    if by == "sms":
        at = tools.clock_now
        return message if row.hours else replace(message, not_before=tools.quiet.release(at, row.zone))
    headers = mail_headers(row, period.end, base_url=tools.base_url, way=way, sealer=tools.sealer)
    files = tuple(attached(row, person, period, read.contents, tools))
    return replace(message, headers=headers, attachments=files)
