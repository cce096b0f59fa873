"""When a period ends, by the wall clock of a zone. Pure."""

from calendar import monthrange
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Row

SATURDAY = 5
# Of a subscription that names no hour.
OFFICE_HOURS = ("06:00",)


@dataclass(frozen=True, slots=True)
class Rhythm:
    """At which local `hours` ("06:00") of which days: each day, the weekdays, one `weekday` (0 is Monday) of the week,
    or one `month_day` (past the month's end: its last day)."""

    hours: Sequence[str]
    zone: str
    every: str = "day"
    weekday: int | None = None
    month_day: int | None = None

    def holds(self, day: date) -> bool:
        """Whether a period ends on that local day."""
        if self.every == "weekdays":
            return day.weekday() < SATURDAY
        if self.every == "week":
            return day.weekday() == (self.weekday or 0)
        if self.every == "month":
            return day.day == min(self.month_day or 1, monthrange(day.year, day.month)[1])
        return True


def rhythm_of(row: Row[Any]) -> Rhythm:
    """When the periods of a stored subscription end."""
    return Rhythm(tuple(row.hours) or OFFICE_HOURS, row.zone, row.every, row.weekday, row.month_day)


def last_end(rhythm: Rhythm, now: datetime) -> datetime:
    """The latest end of a period that is not after `now`; aware UTC.

    An hour that a day skips (summer time begins) ends where the clock goes on, one that comes twice at its first.
    """
    return next(ends_before(rhythm, now))


def ends_before(rhythm: Rhythm, now: datetime) -> Iterator[datetime]:
    """The ends of periods up to and with `now`, latest first, without end."""
    place = ZoneInfo(rhythm.zone)
    day = now.astimezone(place).date() + timedelta(days=1)
    while True:
        if rhythm.holds(day):
            yield from (end for end in _ends_of(rhythm, day, place) if end <= now)
        day -= timedelta(days=1)


def _ends_of(rhythm: Rhythm, day: date, place: ZoneInfo) -> list[datetime]:
    """Latest first; two hours that fall on one moment (the clock skips both) are one end."""
    return sorted(
        {_moment(datetime.combine(day, time.fromisoformat(hour), place)) for hour in rhythm.hours}, reverse=True
    )


def _moment(wall: datetime) -> datetime:
    """When the clock shows `wall`, or first shows more when it skips it."""
    end = wall.astimezone(UTC)
    if end.astimezone(wall.tzinfo).time() == wall.time():
        return end
    before, after = wall.replace(fold=1).astimezone(UTC), end.astimezone(wall.tzinfo).utcoffset()
    while before.astimezone(wall.tzinfo).utcoffset() != after:
        before += timedelta(minutes=1)
    return before


def ends_between(rhythm: Rhythm, after: datetime, until: datetime, most: int) -> list[datetime]:
    """The ends later than `after` up to and with `until`, in order; only the latest `most` of them."""
    found: list[datetime] = []
    for end in ends_before(rhythm, until):
        if end <= after or len(found) == most:
            break
        found.append(end)
    return found[::-1]
