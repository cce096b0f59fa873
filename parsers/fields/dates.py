"""Dates: literals, relative words, weekdays, months in words, "hace N dias"; always a local calendar day."""

import re
from calendar import monthrange
from datetime import date, timedelta

from parsers.fields.days import Found, from_parts, months_back
from parsers.segment import Segment
from parsers.tokens import DATE, NUMBER

_WEEK = 7
_DIGITS = re.compile(r"\d+")
_DATE_KINDS = ("ago", "rel", "weekday", "month", "tomorrow")
_OPENING_WORDS = frozenset({"el", "dia", "fecha", "del", "pasado", "este", "ultimo", "last"})
# "antes del viernes" is when something is to happen, not when it did.
_DEADLINES = ("antes", "hasta", "para")
_DAY_WORDS = ("el", "dia", "fecha", "del")


def read_date(segment: Segment) -> None:
    """Set ``date`` from the surest date of the segment, today when there is none; bad dates become problems."""
    today = segment.doc.today
    found = find_dates(segment, today)
    for one in found:
        segment.take(one.start, one.end)
        if one.day is None:
            segment.problem("date", one.code, one.start, one.end)
    good = [one for one in found if one.day is not None] if found else found
    if not good:
        segment.put("date", today.isoformat(), "default")
        return
    best = min(good, key=lambda one: (one.rank, one.start))
    assert best.day is not None
    segment.put("date", best.day.isoformat(), "repaired" if best.repaired else "exact", best.start, best.end)


def find_dates(segment: Segment, today: date) -> list[Found]:
    """Every date written in the segment, longest reading at each place, in order."""
    found: list[Found] = []
    end = segment.first
    for at in _starts(segment):
        if at < end or at in segment.used:
            continue
        one = _date_at(segment, at, today)
        if one is not None:
            found.append(one)
            end = one.end
    return found


def _starts(segment: Segment) -> list[int]:
    """The tokens a date can start at, so that the others cost nothing."""
    first, last = segment.first, segment.last
    numbers = segment.doc.numbers
    matches = segment.doc.matches
    starts = {match.start for kind in _DATE_KINDS if kind in matches for match in segment.of(kind)}
    starts.update([at for at in numbers if first <= at < last])
    leads = bool(numbers) or segment.has("weekday")
    for at, token in enumerate(segment.items[first:last], first):
        if token.kind == DATE or (leads and token.text in _OPENING_WORDS and _leads_on(segment, at)):
            starts.add(at)
    return sorted(starts)


def _leads_on(segment: Segment, at: int) -> bool:
    """Whether the words that open a date ("el dia") end in a number or a weekday."""
    while segment.word(at) in _OPENING_WORDS:
        at += 1
        if at in segment.doc.numbers or segment.at("weekday", at) is not None:
            return True
    return False


def _date_at(segment: Segment, at: int, today: date) -> Found | None:
    token = segment.items[at]
    if token.kind == DATE:
        return _literal(token.text, at, today, segment)
    if at in segment.doc.numbers:
        return _number_first(segment, at, today)
    for reader in (_ago, _relative, _weekday, _month_first, _day_only, _tomorrow):
        found = reader(segment, at, today)
        if found is not None:
            return found
    return None


def _literal(text: str, at: int, today: date, segment: Segment) -> Found | None:
    parts = [int(part) for part in _DIGITS.findall(text)]
    if len(parts) == 2:
        if "-" in text and (segment.at("unit", at + 1) or segment.at("person", at + 1)):
            return None
        return from_parts(parts[0], parts[1], None, at, at + 1, today)
    year_first = parts[0] > 31
    day, month, year = (parts[2], parts[1], parts[0]) if year_first else (parts[0], parts[1], parts[2])
    return from_parts(day, month, year, at, at + 1, today)


def _number_first(segment: Segment, at: int, today: date) -> Found | None:
    value, end = segment.doc.numbers[at]
    token = segment.items[at]
    if token.kind == NUMBER and len(token.text) == 8:
        return _compact(token.text, at, today)
    unit = segment.at("dunit", end)
    if unit is not None and segment.at("agoafter", unit.end) is not None:
        return _back(value, unit.value, at, unit.end + 1, today)
    period = _period(segment, at, today)
    if period is not None:
        return period
    middle = end + 1 if segment.word(end) in ("de", "del", "d") else end
    month = segment.at("month", middle)
    if month is None or not 1 <= value <= 31:
        return _this_month(segment, at, today)
    year, last = _year_after(segment, month.end)
    return from_parts(value, int(month.value), year, at, last, today)


def _period(segment: Segment, at: int, today: date) -> Found | None:
    """ "del 2 al 8 de marzo": the first day, and a single date anywhere else is surer."""
    value, end = segment.doc.numbers[at]
    if segment.word(end) != "al" or end + 1 not in segment.doc.numbers:
        return None
    last = segment.doc.numbers[end + 1][1]
    month = segment.at("month", last + 1 if segment.word(last) in ("de", "del") else last)
    if month is None or not 1 <= value <= 31:
        return None
    year, stop = _year_after(segment, month.end)
    return from_parts(value, int(month.value), year, at, stop, today)._replace(rank=2)


def _year_after(segment: Segment, at: int) -> tuple[int | None, int]:
    skip = at + 1 if segment.word(at) in ("de", "del") else at
    if skip in segment.doc.numbers and segment.items[skip].kind == NUMBER:
        value, end = segment.doc.numbers[skip]
        if 2000 <= value <= 2100 and (skip > at or value not in _codes(segment)):
            return value, end
    return None, at


def _codes(segment: Segment) -> set[int]:
    return {int(code) for code in segment.doc.book.places if len(code) == 4 and code[:2] in ("20", "21")}


def _compact(text: str, at: int, today: date) -> Found | None:
    if text.startswith(("19", "20")) and 1 <= int(text[4:6]) <= 12:
        return from_parts(int(text[6:]), int(text[4:6]), int(text[:4]), at, at + 1, today)
    if text[4:6] == "20" and 1 <= int(text[2:4]) <= 12 and 1 <= int(text[:2]) <= 31:
        return from_parts(int(text[:2]), int(text[2:4]), int(text[4:]), at, at + 1, today)
    return None


def _ago(segment: Segment, at: int, today: date) -> Found | None:
    ago = segment.at("ago", at)
    if ago is None:
        return None
    start = ago.end
    filler = segment.at("approx", start)
    start = filler.end if filler is not None else start
    number = segment.doc.numbers.get(start)
    if number is None or number[1] >= segment.last:
        return None
    unit = segment.at("dunit", number[1])
    if unit is None:
        return None
    return _back(number[0], unit.value, at, unit.end, today)


def _back(value: int, unit: str, start: int, end: int, today: date) -> Found | None:
    if unit == "hour":
        return Found(today, start, end, 2)
    if unit == "30":
        return Found(months_back(today, value), start, end, 1) if value < 1200 else None
    days = {(1, 8): 7, (1, 15): 14}.get((int(unit), value), value * int(unit))
    if days > 36500:
        return Found(None, start, end, 1, "impossible")
    return Found(today - timedelta(days=days), start, end, 1)


def _relative(segment: Segment, at: int, today: date) -> Found | None:
    word = segment.at("rel", at)
    if word is None:
        return None
    days = int(word.value)
    when = months_back(today, 1) if days == 30 else today - timedelta(days=14 if days == 15 else days)
    end = word.end
    part = segment.at("daypart", end)
    rank = 2 if days == _WEEK else 1 if days else 3
    return Found(when, at, part.end if part is not None else end, rank, repaired=word.penalty > 0)


def _weekday(segment: Segment, at: int, today: date) -> Found | None:
    start = at
    while segment.word(at) in ("el", "del", "dia", "pasado", "este", "ultimo", "last"):
        at += 1
    day = segment.at("weekday", at)
    if day is None or _in_name(segment, at) or _is_deadline(segment, start):
        return None
    end = day.end
    if end in segment.doc.numbers:
        dated = _number_first(segment, end, today) or _numbered_day(segment, end, today)
        if dated is not None:
            return Found(dated.day, start, dated.end, 0, dated.code)
    mark = segment.at("lastmark", end)
    end = mark.end if mark is not None else end
    part = segment.at("daypart", end)
    end = part.end if part is not None else end
    back = (today.weekday() - int(day.value)) % 7 or 7
    if segment.at("nextmark", end) is not None:
        return Found(None, start, end + 1, 1, "future")
    return Found(today - timedelta(days=back), start, end, 1, repaired=day.penalty > 0)


def _is_deadline(segment: Segment, start: int) -> bool:
    before = start - 2 if segment.word(start - 1) in ("el", "del") else start - 1
    return segment.word(before) in _DEADLINES


def _in_name(segment: Segment, at: int) -> bool:
    """Santo Domingo Xenacoj is no Sunday."""
    day = segment.at("weekday", at)
    slip = day is not None and day.penalty > 0
    return any(match.start < at < match.end and (slip or not match.penalty) for match in segment.of("place"))


def _numbered_day(segment: Segment, at: int, today: date) -> Found | None:
    value, end = segment.doc.numbers[at]
    counted = segment.at("unit", end) or segment.at("person", end) or segment.at("notcount", end)
    if counted is not None or not 1 <= value <= 31 or segment.items[at].kind != NUMBER:
        return None
    for months in range(12):
        month = months_back(today.replace(day=1), months)
        if value <= monthrange(month.year, month.month)[1] and month.replace(day=value) <= today:
            return Found(month.replace(day=value), at, end, 1)
    return None


def _month_first(segment: Segment, at: int, today: date) -> Found | None:
    month = segment.at("month", at)
    if month is None or month.end not in segment.doc.numbers:
        return None
    value, end = segment.doc.numbers[month.end]
    if not 1 <= value <= 31 or segment.at("unit", end) or segment.at("person", end):
        return None
    return from_parts(value, int(month.value), None, at, end, today)


def _day_only(segment: Segment, at: int, today: date) -> Found | None:
    if segment.word(at) not in _DAY_WORDS:
        return None
    start = at
    while segment.word(at) in _DAY_WORDS:
        at += 1
    number = segment.doc.numbers.get(at)
    if number is None:
        return None
    dated = _number_first(segment, at, today) or _last_month(segment, at, today) or _numbered_day(segment, at, today)
    return Found(dated.day, start, dated.end, dated.rank, dated.code) if dated is not None else None


def _this_month(segment: Segment, at: int, today: date) -> Found | None:
    """ "6 de este mes", "6 del presente"."""
    value, end = segment.doc.numbers[at]
    mark = segment.at("thismonth", end)
    if mark is None or not 1 <= value <= 31:
        return None
    return from_parts(value, today.month, today.year, at, mark.end, today)


def _last_month(segment: Segment, at: int, today: date) -> Found | None:
    value, end = segment.doc.numbers[at]
    following = " ".join(segment.word(end + step) for step in range(3))
    if following != "del mes pasado" or not 1 <= value <= 31:
        return None
    month = months_back(today.replace(day=1), 1)
    return from_parts(value, month.month, month.year, at, end + 3, today)


def _tomorrow(segment: Segment, at: int, today: date) -> Found | None:
    word = segment.at("tomorrow", at)
    if word is None or segment.word(at - 1) in ("la", "esta", "por", "de", "en"):
        return None
    return Found(None, at, word.end, 3, "future")
