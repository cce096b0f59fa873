"""The hours of the night in which the gateway starts no SMS of its own. Pure."""

from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from gateway.limits import Limits


@dataclass(frozen=True, slots=True)
class QuietHours:
    """From `begin` to `until`, local times, over midnight when `begin` is the later; none when they are the same."""

    begin: time
    until: time

    @classmethod
    def of(cls, limits: Limits) -> "QuietHours":
        return cls(limits.hour("quiet_from"), limits.hour("quiet_until"))

    def holds(self, at: datetime, zone: str) -> bool:
        """Whether it is night at `at` in the zone `America/Guatemala` or another."""
        local = at.astimezone(ZoneInfo(zone)).time()
        if self.begin <= self.until:
            return self.begin <= local < self.until
        return local >= self.begin or local < self.until

    def release(self, at: datetime, zone: str) -> datetime:
        """The first moment from `at` on that is not in the night, in UTC."""
        if not self.holds(at, zone):
            return at
        local = at.astimezone(ZoneInfo(zone))
        day = local.date() if local.time() < self.until else local.date() + timedelta(days=1)
        return datetime.combine(day, self.until, ZoneInfo(zone)).astimezone(UTC)
