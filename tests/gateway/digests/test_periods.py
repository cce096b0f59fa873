"""When a period ends, in zones with and without summer time."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest

from gateway.digests.periods import Rhythm, last_end

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
    assert gaps <= {timedelta(hours=23), timedelta(hours=24), timedelta(hours=25)}
