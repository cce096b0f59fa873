"""What came of the expectations of a played day. Pure: a record can be judged as often as one likes."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from gateway.days.model import Day, Step, Text
from gateway.days.player import CHECKS
from gateway.days.record import Record
from gateway.days.wishes import Wish
from gateway.days.wishes.base import View


@dataclass(frozen=True, slots=True)
class Failure:
    """An expectation that did not hold: its line in the file, the time and what happened then, and what was wrong."""

    line: int
    at: datetime
    what: str
    words: str


def failures(day: Day, record: Record) -> list[Failure]:
    """Everything that did not hold, in the order of the file."""
    found = [one for step in day.steps for one in failed(step.wishes, view_of(day, record, step), what_happens(step))]
    return found + list(failed(day.checks, view_of(day, record, None), "the checks at the end"))


def view_of(day: Day, record: Record, step: Step | None) -> View:
    """What the expectations of a step are held against, or those of the end."""
    if step is None:
        return View(record, day.ground, CHECKS, record.begin, record.end)
    return View(record, day.ground, step.number, step.at, record.ends[step.number])


def failed(wishes: Iterable[Wish], view: View, what: str) -> Iterator[Failure]:
    for wish in wishes:
        for words in wish.failures(view):
            yield Failure(wish.line, view.begin, what, words)


def count_wishes(day: Day) -> int:
    return len(day.checks) + sum(len(step.wishes) for step in day.steps)


def what_happens(step: Step) -> str:
    """A step in a few words."""
    action = step.action
    if action is None:
        return "nothing is done"
    if isinstance(action, Text):
        return f"{action.sender.name} writes {' '.join(action.body.split())[:60]!r}"
    return {"Outage": "a channel is away", "Power": "the power is cut", "Tick": "time passes"}.get(
        type(action).__name__, "an admin acts"
    )
