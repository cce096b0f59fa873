"""When a period ends, in zones with and without summer time."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest

from gateway.digests.periods import Rhythm, ends_between, last_end

GUATEMALA = "America/Guatemala"
CASES = {
    "just before the hour": (GUATEMALA, "2026-03-10T11:59:59Z", "2026-03-10T00:00:00Z"),
    "at the hour": (GUATEMALA, "2026-03-10T12:00:00Z", "2026-03-10T12:00:00Z"),
    "in the evening": (GUATEMALA, "2026-03-11T05:00:00Z", "2026-03-11T00:00:00Z"),
    "summer time in New York": ("America/New_York", "2026-07-01T12:00:00Z", "2026-07-01T10:00:00Z"),
    "winter time in New York": ("America/New_York", "2026-12-01T12:00:00Z", "2026-12-01T11:00:00Z"),
    "ahead of UTC": ("Pacific/Kiritimati", "2026-03-10T05:00:00Z", "2026-03-10T04:00:00Z"),
}


@pytest.mark.parametrize(("zone", "now", "end"), CASES.values(), ids=CASES.keys())
def test_a_period_ends_by_the_clock_on_the_wall(zone: str, now: str, end: str) -> None:
    found = last_end(Rhythm(["06:00", "18:00"], zone), datetime.fromisoformat(now))
    assert found == datetime.fromisoformat(end)


def ends(zone: str, hour: str, start: datetime, days: int) -> set[datetime]:
    """All ends seen by somebody who looks every ten minutes."""
    return {last_end(Rhythm([hour], zone), start + timedelta(minutes=10 * n)) for n in range(days * 144)}


@pytest.mark.parametrize("hour", ["00:00", "01:30", "02:00", "02:30", "03:00"])
@pytest.mark.parametrize("start", [datetime(2026, 3, 6, tzinfo=UTC), datetime(2026, 10, 30, tzinfo=UTC)])
def test_each_local_day_has_one_end_also_when_an_hour_is_skipped_or_comes_twice(hour: str, start: datetime) -> None:
    found = sorted(ends("America/New_York", hour, start, 5))
    gaps = {later - earlier for earlier, later in pairwise(found)}
    assert len(found) in (5, 6)
    assert gaps <= {timedelta(hours=hours) for hours in (23, 23.5, 24, 25)}


def utc(day: str, hour: int = 12) -> datetime:
    return datetime.fromisoformat(f"{day}T{hour:02}:00:00Z")


RHYTHMS: dict[str, tuple[Rhythm, str, str]] = {
    "weekdays, on a Monday": (Rhythm(["06:00"], GUATEMALA, "weekdays"), "2026-03-09", "2026-03-09"),
    "weekdays, on a Sunday": (Rhythm(["06:00"], GUATEMALA, "weekdays"), "2026-03-08", "2026-03-06"),
    "a week, on its day": (Rhythm(["06:00"], GUATEMALA, "week", weekday=2), "2026-03-11", "2026-03-11"),
    "a week, the day before": (Rhythm(["06:00"], GUATEMALA, "week", weekday=2), "2026-03-10", "2026-03-04"),
    "a month, on its day": (Rhythm(["06:00"], GUATEMALA, "month", month_day=10), "2026-03-10", "2026-03-10"),
    "a month, a short one": (Rhythm(["06:00"], GUATEMALA, "month", month_day=31), "2026-03-30", "2026-02-28"),
    "a month, a leap year": (Rhythm(["06:00"], GUATEMALA, "month", month_day=30), "2028-03-01", "2028-02-29"),
    "a month, over new year": (Rhythm(["06:00"], GUATEMALA, "month", month_day=15), "2027-01-14", "2026-12-15"),
}


@pytest.mark.parametrize(("rhythm", "now", "end"), RHYTHMS.values(), ids=RHYTHMS.keys())
def test_a_rhythm_chooses_the_days(rhythm: Rhythm, now: str, end: str) -> None:
    assert last_end(rhythm, utc(now)) == utc(end)


def test_the_periods_of_a_time_off_are_named_in_order_and_bounded() -> None:
    rhythm = Rhythm(["18:00", "06:00"], GUATEMALA)
    ends_of_two_days = [utc("2026-03-09"), utc("2026-03-10", 0), utc("2026-03-10")]
    assert ends_between(rhythm, utc("2026-03-09", 0), utc("2026-03-10", 13), 31) == ends_of_two_days
    assert ends_between(rhythm, utc("2026-01-01"), utc("2026-03-10", 13), 3) == ends_of_two_days
    assert ends_between(rhythm, utc("2026-03-10"), utc("2026-03-10", 13), 3) == []


def test_two_hours_that_the_clock_skips_are_one_end() -> None:
    found = ends_between(Rhythm(["02:15", "02:45"], "America/New_York"), utc("2026-03-08", 0), utc("2026-03-08", 23), 9)
    assert found == [utc("2026-03-08", 7)]
