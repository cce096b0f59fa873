"""What a subscription may ask for, and reading it from what a person typed. Pure."""

import re
from collections.abc import Container, Mapping
from dataclasses import dataclass
from zoneinfo import ZoneInfo, available_timezones

from gateway.errors import UsageError
from gateway.models.digest import ATTACH, CATCH_UP, DETAIL, EVERY, WAYS, WHEN_EMPTY
from parsers import Codebook

HOURS_AT_MOST = 24
DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
LAST_DAY = 31
_HOUR = re.compile(r"([01]?\d|2[0-3]):([0-5]\d)", re.ASCII)
_APART = re.compile(r"[|,; ]+")


@dataclass(frozen=True, slots=True)
class Wish:
    """What a subscription asks for: local times `06:00` in `zone` (none: the office's hour) of `every` day, weekday,
    week (on `weekday`, 0 is Monday) or month (on `month_day`).

    No places means the contact's own, no forms or categories all, no language the contact's.
    """

    by: str
    hours: tuple[str, ...]
    places: tuple[str, ...] = ()
    zone: str = "America/Guatemala"
    forms: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    every: str = "day"
    weekday: int | None = None
    month_day: int | None = None
    when_empty: str = "send"
    detail: str = "full"
    catch_up: str = "one"
    attach: str = "none"
    language: str | None = None


CHOICES: Mapping[str, tuple[str, ...]] = {
    "every": EVERY, "when_empty": WHEN_EMPTY, "detail": DETAIL, "catch_up": CATCH_UP, "attach": ATTACH,
}  # fmt: skip


def make_wish(
    by: str, hours: str, places: str, known: Container[str], zone: str = "America/Guatemala", *,
    codebook: Codebook | None = None, **more: str,
) -> Wish:  # fmt: skip
    """Read what a person typed: `06:00,18:00` and `14,07`; `more` are words for the other wishes by their names, and
    `day` (monday, or 1 to 31). With forms or categories the codebook is needed. Raises UsageError."""
    if by not in WAYS:
        raise UsageError("A digest goes by email, by sms or by both.")
    times = sorted({_hour(part) for part in re.split(r"[,; ]+", hours) if part})
    if len(times) > HOURS_AT_MOST:
        raise UsageError("Give hours like 06:00,18:00.")
    if zone not in available_timezones():
        raise UsageError(f"There is no time zone {zone!r}. It is written like America/Guatemala.")
    codes = _codes(places, known, "place", "Places are codes of 2 or 4 digits, like 14,0705.")
    forms = {name: form for name, form in codebook.forms.items() if form.kind == "report"} if codebook else {}
    categories = codebook.categories if codebook else {}
    chosen = {name: _choice(name, more.get(name, ""), words) for name, words in CHOICES.items()}
    return Wish(
        by, tuple(times), codes, str(ZoneInfo(zone)),
        _codes(more.get("forms", ""), forms, "form", f"Forms are {', '.join(forms)}."),
        _codes(more.get("categories", "").upper(), categories, "category", "Categories are codes like ROB,LIN."),
        weekday=_weekday(more.get("day", "")) if chosen["every"] == "week" else None,
        month_day=_month_day(more.get("day", "")) if chosen["every"] == "month" else None,
        language=_language(more.get("language", "")), **chosen,
    )  # fmt: skip


def _hour(text: str) -> str:
    found = _HOUR.fullmatch(text)
    if found is None:
        raise UsageError(f"{text!r} is not an hour of the day like 06:00.")
    return f"{int(found[1]):02}:{found[2]}"


def _codes(typed: str, known: Container[str], noun: str, hint: str) -> tuple[str, ...]:
    codes = tuple(dict.fromkeys(code for code in _APART.split(typed) if code))
    unknown = [code for code in codes if code not in known]
    if unknown:
        raise UsageError(f"There is no {noun} {unknown[0]!r}. {hint}")
    return codes


def _choice(name: str, typed: str, words: tuple[str, ...]) -> str:
    if typed and typed not in words:
        raise UsageError(f"{name.replace('_', ' ').capitalize()} must be one of {', '.join(words)}.")
    return typed or words[0]


def _weekday(typed: str) -> int:
    if not typed:
        return 0
    if typed.lower() not in DAYS:
        raise UsageError(f"The day of a weekly digest is one of {', '.join(DAYS)}.")
    return DAYS.index(typed.lower())


def _month_day(typed: str) -> int:
    if not typed:
        return 1
    if not (typed.isascii() and typed.isdigit() and 1 <= int(typed) <= LAST_DAY):
        raise UsageError("The day of a monthly digest is a number from 1 to 31.")
    return int(typed)


def _language(typed: str) -> str | None:
    if typed and not re.fullmatch(r"[a-z]{2,3}", typed):
        raise UsageError("A language is a code like es or en.")
    return typed or None
