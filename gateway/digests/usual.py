"""How much is usual: counts of the stretches before a period, by what and where, and of the weeks up to it."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from statistics import median_low
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, Connection, case, func, select

from gateway.digests.collect import Window
from gateway.reports import REPORT

STRETCHES = 8
ENOUGH = 3
WEEKS = 8
# Longer than this nothing is regular: the machine was off, or it is a first digest.
LONGEST = timedelta(days=35)

Kind = tuple[str | None, str, str | None]
"""Category, form and place of a report."""


@dataclass(frozen=True, slots=True)
class Usual:
    """Reports of each kind in each of the stretches before, latest first; and of each week (its Monday), oldest first.

    Without `stretches` too little is known to compare with.
    """

    stretches: Sequence[Mapping[Kind, int]] = ()
    weeks: Sequence[tuple[date, int]] = field(default=())

    def of(self, label: Callable[[Kind], str]) -> dict[str, int] | None:
        """The median of each label (what `label` makes of a kind); None when too little is known."""
        if not self.stretches:
            return None
        sums = [Counter[str]() for _ in self.stretches]
        for counted, stretch in zip(sums, self.stretches, strict=True):
            for kind, number in stretch.items():
                counted[label(kind)] += number
        return {name: median_low([counted[name] for counted in sums]) for name in set().union(*sums)}


def look_back(connection: Connection, window: Window, begin: datetime, end: datetime, zone: str) -> Usual:
    """Counts before [begin, end) in the window's places."""
    oldest: datetime | None = connection.scalar(select(func.min(REPORT.c.created_at)))
    if oldest is None:
        return Usual()
    return Usual(_stretches(connection, window, begin, end - begin, oldest), _weeks(connection, window, end, zone))


def _stretches(
    connection: Connection, window: Window, begin: datetime, length: timedelta, oldest: datetime
) -> list[Mapping[Kind, int]]:
    number = min(STRETCHES, int((begin - oldest) / length)) if timedelta(0) < length <= LONGEST else 0
    if number < ENOUGH:
        return []
    edges = [begin - (n + 1) * length for n in range(number)]
    which = case(*((REPORT.c.created_at >= edge, n) for n, edge in enumerate(edges)))
    found: list[Counter[Kind]] = [Counter() for _ in edges]
    kind = (REPORT.c.category, REPORT.c.form, REPORT.c.place)
    query = select(which.label("which"), *kind, func.count().label("number"))
    query = query.where(*_counted(window, edges[-1], begin)).group_by(which, *kind)
    for row in connection.execute(query):
        found[row.which][(row.category, row.form, row.place)] = row.number
    return list(found)


def _weeks(connection: Connection, window: Window, end: datetime, zone: str) -> list[tuple[date, int]]:
    """The week in which the period ends and those before it, by local Mondays."""
    place = ZoneInfo(zone)
    today = (end - timedelta(microseconds=1)).astimezone(place).date()
    monday = today - timedelta(days=today.weekday())
    mondays = [monday - timedelta(weeks=n) for n in range(WEEKS)]
    edges = [datetime.combine(one, time(), place) for one in mondays]
    which = case(*((REPORT.c.created_at >= edge, n) for n, edge in enumerate(edges)))
    query = select(which.label("which"), func.count().label("number"))
    query = query.where(*_counted(window, edges[-1], end)).group_by(which)
    numbers = {row.which: row.number for row in connection.execute(query)}
    return [(one, numbers.get(n, 0)) for n, one in reversed(list(enumerate(mondays)))]


def _counted(window: Window, low: datetime, high: datetime) -> list[ColumnElement[bool]]:
    """Reports that stand in the totals: of registered senders, no drafts, nothing withdrawn, no practice."""
    found = [
        REPORT.c.created_at >= low, REPORT.c.created_at < high, REPORT.c.practice.is_(False),
        REPORT.c.registered.is_(True), REPORT.c.state.in_(("open", "closed")),
    ]  # fmt: skip
    if window.places is not None:
        found.append(REPORT.c.place.in_(window.places))
    if window.forms:
        found.append(REPORT.c.form.in_(window.forms))
    if window.categories:
        found.append(REPORT.c.category.in_(window.categories))
    return found
