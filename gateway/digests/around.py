"""What stands around the reports of a period: who saw alerts, what is still open, who is silent, polls, outages."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, Row, Table, func, or_, select, union_all

from gateway.alerts import covers
from gateway.digests.collect import Contents, Window
from gateway.digests.usual import Usual
from gateway.models import Alert, AlertReport, ChannelOutage, Contact, PollAnswer
from gateway.reports import REPORT
from gateway.sealing import Sealer
from gateway.silence import silent_contacts

ALERT: Table = Alert.__table__  # type: ignore[attr-defined]
ALERT_REPORT: Table = AlertReport.__table__  # type: ignore[attr-defined]
CONTACT: Table = Contact.__table__  # type: ignore[attr-defined]
OUTAGE: Table = ChannelOutage.__table__  # type: ignore[attr-defined]
POLL: Table = PollAnswer.__table__  # type: ignore[attr-defined]

OPEN_FOR = timedelta(days=90)
OPEN_SHOWN = 8
FEWEST = 5
WEEKS_AT_MOST = 8
LOOK_UP = 500


@dataclass(frozen=True, slots=True)
class Seen:
    """The alert of a report: its state, and when and by whom (a first name) it was seen."""

    state: str
    at: datetime | None = None
    by: str | None = None


@dataclass(frozen=True, slots=True)
class Quiet:
    """A place from which expected monitors, `number` of them, were not heard `since` the first of them fell silent."""

    place: str | None
    since: datetime
    number: int


@dataclass(frozen=True, slots=True)
class Poll:
    """Answers of one whole week. A count under five, or whose rest is, is None: it could point at a person."""

    week: date
    answers: int
    victims: int | None
    unreported: int | None
    trust: float | None


@dataclass(frozen=True, slots=True)
class Outage:
    """A channel that could not send; `until` None while it still cannot."""

    channel: str
    since: datetime
    until: datetime | None


@dataclass(frozen=True, slots=True)
class Around:
    """`open_number` reports of the last 90 days from before this digest are still open, `open_refs` the newest."""

    alerts: Mapping[UUID, Seen] = field(default_factory=dict)
    silent: Sequence[Quiet] = ()
    open_number: int = 0
    open_refs: Sequence[int] = ()
    polls: Sequence[Poll] = ()
    outages: Sequence[Outage] = ()
    usual: Usual = field(default_factory=Usual)

    @property
    def is_worth_telling(self) -> bool:
        """Whether it must be told although nothing was reported."""
        return bool(self.silent or self.polls or self.outages)


def alert_states(connection: Connection, ids: Sequence[UUID], sealer: Sealer) -> dict[UUID, Seen]:
    """The alert of each report that has one, its own or that of the event it also tells of."""
    found: dict[UUID, Seen] = {}
    columns = (ALERT.c.state, ALERT.c.seen_at, ALERT.c.seen_by)
    for start in range(0, len(ids), LOOK_UP):
        some = ids[start : start + LOOK_UP]
        own = select(ALERT.c.report_id, *columns).where(ALERT.c.report_id.in_(some))
        joined = select(ALERT_REPORT.c.report_id, *columns).join(ALERT, ALERT.c.id == ALERT_REPORT.c.alert_id)
        rows = connection.execute(union_all(own, joined.where(ALERT_REPORT.c.report_id.in_(some)))).all()
        names = _first_names(connection, {row.seen_by for row in rows if row.seen_by}, sealer)
        found.update((row.report_id, Seen(row.state, row.seen_at, names.get(row.seen_by))) for row in rows)
    return found


def _first_names(connection: Connection, ids: Iterable[UUID], sealer: Sealer) -> dict[UUID, str]:
    """Coordinators may be named to each other by their first names."""
    query = select(CONTACT.c.id, CONTACT.c.name_sealed)
    rows = connection.execute(query.where(CONTACT.c.id.in_(list(ids)), CONTACT.c.role.in_(("coordinator", "admin"))))
    opened = ((row.id, sealer.open("contact", "name", row.id, row.name_sealed).split()) for row in rows)
    return {key: words[0] for key, words in opened if words}


def silent_places(connection: Connection, places: Sequence[str] | None, now: datetime) -> list[Quiet]:
    """The municipalities of silent monitors, the longest silent first; never who they are."""
    found: dict[str | None, list[datetime]] = {}
    for one in silent_contacts(connection, now=now, places=places):
        found.setdefault(one.place, []).append(one.since)
    return [Quiet(place, min(since), len(since)) for place, since in found.items()]


def still_open(connection: Connection, window: Window, begin: datetime, told: Contents) -> tuple[int, list[int]]:
    """How many older reports are open, and the newest of their numbers; what this digest tells itself is left out."""
    mine = [
        REPORT.c.state == "open", REPORT.c.registered.is_(True), REPORT.c.practice.is_(False),
        REPORT.c.created_at >= begin - OPEN_FOR, REPORT.c.created_at < begin, REPORT.c.ref.is_not(None),
    ]  # fmt: skip
    if window.places is not None:
        mine.append(REPORT.c.place.in_(window.places))
    if window.forms:
        mine.append(REPORT.c.form.in_(window.forms))
    if window.categories:
        mine.append(REPORT.c.category.in_(window.categories))
    ours = (one for one in told.reports if one.is_new and (told.whole or not one.elsewhere))
    here = {one.ref for one in ours if one.state == "open" and one.registered and _is_before(one.created_at, begin)}
    number = int(connection.scalar(select(func.count()).select_from(REPORT).where(*mine)) or 0)
    newest = select(REPORT.c.ref).where(*mine).order_by(REPORT.c.created_at.desc()).limit(OPEN_SHOWN + len(here))
    refs = [ref for ref in connection.scalars(newest) if ref not in here]
    return max(0, number - len(here)), sorted(refs[:OPEN_SHOWN])


def _is_before(at: datetime | None, begin: datetime) -> bool:
    return at is not None and begin - OPEN_FOR <= at < begin


def polls_of(
    connection: Connection, places: Sequence[str] | None, begin: datetime, end: datetime, zone: str
) -> list[Poll]:
    """The weeks that ended within [begin, end). Only whole weeks are told: two digests of one week, compared, would
    show a single answer."""
    last, first = _monday(end, zone), _monday(begin, zone)
    weeks = (POLL.c.week >= max(first, last - timedelta(weeks=WEEKS_AT_MOST)), POLL.c.week < last)
    by_week: dict[date, list[Mapping[str, Any]]] = {}
    for row in connection.execute(select(POLL.c.week, POLL.c.place, POLL.c.answers).where(*weeks)):
        if places is None or covers(places, row.place) or _holds_all(places, row.place):
            by_week.setdefault(row.week, []).append(row.answers)
    return [_poll(week, by_week[week]) for week in sorted(by_week) if len(by_week[week]) >= FEWEST]


def _holds_all(places: Sequence[str], place: str | None) -> bool:
    return place is not None and len(place) == 2 and place in places


def _monday(at: datetime, zone: str) -> date:
    day = at.astimezone(ZoneInfo(zone)).date()
    return day - timedelta(days=day.weekday())


def _poll(week: date, answers: Sequence[Mapping[str, Any]]) -> Poll:
    counted = Counter(bool(one.get("victim")) for one in answers)
    said = [one for one in answers if one.get("victim") and one.get("reported") is not None]
    unreported = sum(not one["reported"] for one in said)
    trust = [int(one["trust"]) for one in answers if one.get("trust") is not None]
    return Poll(
        week, len(answers), _shown(counted[True], len(answers)), _shown(unreported, len(said)),
        round(sum(trust) / len(trust), 1) if len(trust) >= FEWEST else None,
    )  # fmt: skip


def _shown(number: int, of: int) -> int | None:
    """A count under five, or whose rest is, is hidden."""
    return number if number >= FEWEST and of - number >= FEWEST else None


def outages_in(connection: Connection, begin: datetime, end: datetime) -> list[Outage]:
    """Outages that touch [begin, end), in order."""
    touches = (OUTAGE.c.began_at < end, or_(OUTAGE.c.ended_at.is_(None), OUTAGE.c.ended_at >= begin))
    rows: Sequence[Row[Any]] = connection.execute(select(OUTAGE).where(*touches).order_by(OUTAGE.c.began_at)).all()
    return [Outage(row.channel, row.began_at, row.ended_at) for row in rows]
