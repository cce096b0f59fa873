"""A played day in words for the terminal: what each person saw, in order, and which expectations failed."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Any

from gateway.days.model import Day
from gateway.days.record import Record, Send
from gateway.days.verdict import Failure

WIDTH = 110


def what_people_saw(day: Day, record: Record) -> Iterator[str]:
    """Person by person, those of the contacts first; those who got nothing are left out."""
    by_person: dict[str, list[Send]] = defaultdict(list)
    for send in record.sends:
        by_person[day.cast.by_address(send.address).name].append(send)
    known = [member.name for member in day.cast.members]
    for name in [*known, *sorted(set(by_person) - set(known))]:
        if name in by_person:
            yield ""
            yield name
            yield from (f"  {line}" for send in by_person.pop(name) for line in _lines(day, send))


def _lines(day: Day, send: Send) -> Iterator[str]:
    at = day.ground.calendar.shown(send.at)
    again = " AGAIN" if send.again else ""
    if send.by == "sms":
        yield f"{at:<12} sms{again}   {send.text}"
        return
    yield f"{at:<12} mail{again}  {send.subject}"
    yield from (f"{'':<19}{line[:WIDTH]}" for line in send.text.splitlines() if line.strip())


def what_failed(day: Day, failures: Sequence[Failure]) -> Iterator[str]:
    for failure in failures:
        at = day.ground.calendar.shown(failure.at)
        yield f"line {failure.line}, {at}, {failure.what}: {failure.words}"


def documents(day: Day, record: Record) -> Iterator[dict[str, Any]]:
    """Each send as a JSON object; `at` with the offset of the day's zone, `to` a name where one is known."""
    zone = day.ground.calendar.zone
    for send in record.sends:
        yield {
            "at": send.at.astimezone(zone).isoformat(), "to": day.cast.by_address(send.address).name, "by": send.by,
            "text": send.text, "address": send.address.partition(":")[2], "subject": send.subject or None,
            "kind": send.kind or None,
        }  # fmt: skip
