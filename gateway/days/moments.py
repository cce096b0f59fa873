"""Times as people write them in a day file, and lengths of time."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from gateway.days.lines import Node

_CLOCK = r"(?P<hour>[01]?\d|2[0-4])[:.h](?P<minute>[0-5]\d)(?:[:.](?P<second>[0-5]\d))?"
_TIME = re.compile(_CLOCK)
_DAY_TIME = re.compile(
    rf"(?:(?:\+|day\s*\+\s*)(?P<days>\d+)\s*d?(?:ays?)?|(?P<next>next[ _-]day|tomorrow))[ ,T]+{_CLOCK}"
)
_LATER = re.compile(r"\+\s*(?=\d)(?P<span>.+)")
_SPAN = re.compile(
    r"\s*(\d+(?:[.,]\d+)?)\s*(seconds?|secs?|s|minutes?|mins?|m|hours?|hrs?|h|days?|d|weeks?|w)?\s*,?\s*(?:and\s+)?",
    re.IGNORECASE,
)
_UNITS: Mapping[str, timedelta] = {
    "s": timedelta(seconds=1), "m": timedelta(minutes=1), "h": timedelta(hours=1), "d": timedelta(days=1),
    "w": timedelta(weeks=1),
}  # fmt: skip
TIMES = "06:12, 06:12:30, +1d 08:30, next day 08:30, +10m, or 2026-03-11 08:30"
SPANS = "60, 60s, 5m, 2h or 1d"


@dataclass(frozen=True, slots=True)
class Calendar:
    """The zone of the day, its first date, and the moment before which nothing may stand."""

    zone: ZoneInfo
    first: date
    before: datetime | None = None

    def local(self, day: date, hour: int, minute: int, second: int = 0) -> datetime:
        extra, hour = divmod(hour, 24)
        at = datetime.combine(day + timedelta(days=extra), time(hour, minute, second), self.zone)
        return at.astimezone(UTC)

    def after(self, moment: datetime) -> "Calendar":
        return Calendar(self.zone, self.first, moment)

    def shown(self, at: datetime) -> str:
        """`06:12`, with the date on another day than the first, with seconds when there are some."""
        local = at.astimezone(self.zone)
        clock = f"{local:%H:%M:%S}" if local.second else f"{local:%H:%M}"
        return clock if local.date() == self.first else f"{local:%d/%m} {clock}"


def read_moment(node: Node, calendar: Calendar, what: str = "at") -> datetime:
    """Aware UTC. A bare time is of the day of the step above; `+1d` and `next day` count from the first day.

    Raises DayError.
    """
    text = " ".join(node.text(what).split())
    if found := _TIME.fullmatch(text):
        reference = calendar.before
        day = reference.astimezone(calendar.zone).date() if reference else calendar.first
        return calendar.local(day, *_clock(found))
    if found := _DAY_TIME.fullmatch(text.lower()):
        days = 1 if found["next"] else int(found["days"])
        return calendar.local(calendar.first + timedelta(days=days), *_clock(found))
    if (found := _LATER.fullmatch(text)) and calendar.before is not None:
        return calendar.before + read_span(Node(node.line, found["span"]), what)
    return _read_iso(node, text, calendar, what)


def _clock(found: re.Match[str]) -> tuple[int, int, int]:
    return int(found["hour"]), int(found["minute"]), int(found["second"] or 0)


def _read_iso(node: Node, text: str, calendar: Calendar, what: str) -> datetime:
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise node.wrong(f"{what} {text!r} is no time; write {TIMES}") from None
    return (at if at.tzinfo else at.replace(tzinfo=calendar.zone)).astimezone(UTC)


def read_span(node: Node, what: str = "this") -> timedelta:
    """A length of time; a bare number counts seconds. Raises DayError."""
    text = node.text(what).strip()
    total, end = timedelta(0), 0
    while end < len(text):
        found = _SPAN.match(text, end)
        if found is None or found.end() == end:
            raise node.wrong(f"{what} {text!r} is no length of time; write {SPANS}")
        unit = (found[2] or "s")[0].lower()
        total += float(found[1].replace(",", ".")) * _UNITS[unit]
        end = found.end()
    if not text:
        raise node.wrong(f"{what} needs a length of time; write {SPANS}")
    return total
