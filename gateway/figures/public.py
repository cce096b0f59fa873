"""What anybody may know: seven days late, by department, no sensitive case, and nothing of few.

A cell is a count of a department and category. It is shown when it holds at least five reports of at least three
senders; else its number is None, which does not tell zero from four. No totals are given, so that nothing hidden can
be had by subtraction.
"""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, select

from gateway.figures.matrix import STANDING
from gateway.models import PollAnswer
from gateway.reports import REPORT
from parsers import Codebook

POLL = PollAnswer.__table__  # type: ignore[attr-defined]

DELAY = timedelta(days=7)
SPAN = timedelta(days=91)
FEWEST = 5
FEWEST_SENDERS = 3
WEEK = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class PublicCell:
    """`what` is a category (or a form without one), or `victim` and the like for polls; `number` None when hidden."""

    department: str
    what: str
    number: int | None


@dataclass(frozen=True, slots=True)
class PublicFigures:
    """Counts of `begin` (inclusive) to `end` (exclusive), local dates on which things were told."""

    begin: date
    end: date
    reports: tuple[PublicCell, ...]
    polls: tuple[PublicCell, ...]


def public_figures(connection: Connection, codebook: Codebook, now: datetime) -> PublicFigures:
    """The figures of the thirteen weeks that ended seven days ago."""
    zone = ZoneInfo(codebook.zone)
    end = now.astimezone(zone).date() - DELAY
    begin = end - SPAN
    return PublicFigures(
        begin, end, _reports(connection, codebook, begin, end, zone), _polls(connection, begin, end)
    )  # fmt: skip


def _reports(
    connection: Connection, codebook: Codebook, begin: date, end: date, zone: ZoneInfo
) -> tuple[PublicCell, ...]:
    low, high = (datetime(day.year, day.month, day.day, tzinfo=zone) for day in (begin, end))
    query = select(REPORT.c.place, REPORT.c.form, REPORT.c.category, REPORT.c.sender_hash).where(
        REPORT.c.created_at >= low, REPORT.c.created_at < high, REPORT.c.state.in_(STANDING),
        REPORT.c.practice.is_(False), REPORT.c.registered, REPORT.c.place.is_not(None),
    )  # fmt: skip
    senders: dict[tuple[str, str], list[bytes]] = defaultdict(list)
    for row in connection.execute(query):
        category = codebook.categories.get(row.category or "")
        if category is None or not category.sensitive:
            senders[(row.place[:2], row.category or row.form)].append(row.sender_hash)
    return tuple(
        PublicCell(*key, len(found) if len(found) >= FEWEST and len(set(found)) >= FEWEST_SENDERS else None)
        for key, found in sorted(senders.items())
    )


def _polls(connection: Connection, begin: date, end: date) -> tuple[PublicCell, ...]:
    """Answers of whole weeks only: a week is named by its Monday."""
    query = select(POLL.c.place, POLL.c.answers).where(
        POLL.c.week >= begin, POLL.c.week <= end - WEEK, POLL.c.place.is_not(None)
    )
    counted: dict[tuple[str, str], int] = defaultdict(int)
    for row in connection.execute(query):
        for what in _answers(row.answers):
            counted[(row.place[:2], what)] += 1
    return tuple(PublicCell(*key, number if number >= FEWEST else None) for key, number in sorted(counted.items()))


def _answers(answers: Mapping[str, object]) -> list[str]:
    """`answers`, and of victims `victim`, and `dark` when they did not report the crime."""
    found = ["answers"]
    if answers.get("victim") in (True, "si"):
        found.append("victim")
        if answers.get("reported") in (False, "no"):
            found.append("dark")
    return found
