"""A day from its numbers: what is no day, what lies ahead, which year is meant."""

from calendar import monthrange
from datetime import date
from typing import NamedTuple


class Found(NamedTuple):
    """A date in tokens start..end-1; ``day`` is None when what is written cannot be a date or lies ahead."""

    day: date | None
    start: int
    end: int
    rank: int
    code: str = ""
    repaired: bool = False


def from_parts(day: int, month: int, year: int | None, start: int, end: int, today: date) -> Found:
    swapped = month > 12 >= day
    if swapped:
        day, month = month, day
    if year is not None and year < 100:
        year += 2000
    if not 1 <= month <= 12 or not 1 <= day <= 31:
        return Found(None, start, end, 0, "impossible")
    if year is None:
        return _latest(day, month, start, end, today, swapped)
    if not 1900 <= year <= 2200 or day > monthrange(year, month)[1]:
        return Found(None, start, end, 0, "impossible")
    when = date(year, month, day)
    return Found(when, start, end, 0, repaired=swapped) if when <= today else Found(None, start, end, 0, "future")


def _latest(day: int, month: int, start: int, end: int, today: date, swapped: bool) -> Found:
    for year in range(today.year, today.year - 5, -1):
        if day <= monthrange(year, month)[1] and date(year, month, day) <= today:
            return Found(date(year, month, day), start, end, 0, repaired=swapped)
    return Found(None, start, end, 0, "impossible")


def months_back(today: date, months: int) -> date:
    index = today.year * 12 + today.month - 1 - months
    year, month = divmod(index, 12)
    return date(year, month + 1, min(today.day, monthrange(year, month + 1)[1]))
