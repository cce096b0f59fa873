"""Plays what stands before a day, so that it was kept by the program itself."""

import itertools
from collections.abc import Awaitable, Callable
from datetime import datetime
from functools import partial

from sqlalchemy import Connection, select

from gateway.casework import act
from gateway.days.lines import DayError
from gateway.days.machine import Machine
from gateway.days.model import Day, Earlier, Text
from gateway.days.stage import set_next_ref
from gateway.house import House
from gateway.reports import REPORT, Event

ENDS = {"closed": "closed", "withdrawn": "withdrawn"}


async def put_before(day: Day, machine: Machine, say: Callable[[Text, datetime, str], Awaitable[None]]) -> None:
    """Let the texts of the time before come at their times. No tick runs in between."""
    for index, (earlier, ref) in enumerate(zip(day.before, _numbers(day), strict=True)):
        machine.jump(earlier.at)
        await machine.house.write(lambda connection, ref=ref: set_next_ref(connection, ref))  # type: ignore[misc]
        await say(earlier.text, earlier.at, f"before-{index}")
        if earlier.ref is not None:
            await machine.house.write(partial(_check, earlier=earlier, house=machine.house))


def _numbers(day: Day) -> list[int]:
    """The wished number of each, and free ones below the first of the day for the others."""
    taken = {earlier.ref for earlier in day.before}
    free = (ref for ref in itertools.count(day.refs_from - 1, -1) if ref not in taken)
    return [earlier.ref or ref for earlier, ref in zip(reversed(day.before), free, strict=False)][::-1]


def _check(connection: Connection, earlier: Earlier, house: House) -> None:
    """The report is what the file says; it is closed or withdrawn when it shall be."""
    row = connection.execute(select(REPORT).where(REPORT.c.ref == earlier.ref)).first()
    if row is None:
        raise DayError(earlier.line, f"the text of R{earlier.ref} made no report")
    for name in ("category", "place"):
        wanted, found = getattr(earlier, name), getattr(row, name)
        if wanted not in (None, found):
            raise DayError(earlier.line, f"the text of R{earlier.ref} was read with {name} {found} and not {wanted}")
    if earlier.state in ENDS:
        act(connection, row.id, Event(ENDS[earlier.state], house.clock(), "user:admin"), sealer=house.sealer)
