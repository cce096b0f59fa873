"""When a period ends, by the wall clock. Pure."""

from collections.abc import Sequence
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo


def last_end(hours: Sequence[str], zone: str, now: datetime) -> datetime:
    """The latest moment not after `now` at which a clock in `zone` shows one of `hours` ("06:00"); aware UTC.

    An hour that a day skips (summer time begins) ends where the clock goes on, one that comes twice at its first.
    """
    place = ZoneInfo(zone)
    today = now.astimezone(place).date()
    ends = (
        datetime.combine(today - timedelta(days=back), time.fromisoformat(hour), place).astimezone(UTC)
        for back in range(3)
        for hour in hours
    )
    return max(end for end in ends if end <= now)
