"""What a digest shows, already in the reader's language: the templates and the SMS only lay it out."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from gateway.locale import Translator


@dataclass(frozen=True, slots=True)
class Period:
    """From (inclusive) and to (exclusive), and the zone in which they are shown."""

    begin: datetime
    end: datetime
    zone: str

    def local(self, at: datetime) -> str:
        return f"{at.astimezone(ZoneInfo(self.zone)):%d/%m %H:%M}"

    @property
    def last_day(self) -> date:
        """The local day on which it ends."""
        return (self.end - timedelta(microseconds=1)).astimezone(ZoneInfo(self.zone)).date()

    def clock(self, at: datetime) -> str:
        """The hour alone on the last day, else with its day."""
        local = at.astimezone(ZoneInfo(self.zone))
        return f"{local:%H:%M}" if local.date() == self.last_day else f"{local:%d/%m %H:%M}"


@dataclass(frozen=True, slots=True)
class Line:
    """A report in a list: its number, what may be said of it, and notes (seen, late, verified, what changed)."""

    ref: str
    what: str
    place: str
    when: str = ""
    counts: str = ""
    notes: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        return ", ".join(filter(None, (self.what, self.place, self.when, self.counts)))


@dataclass(frozen=True, slots=True)
class Section:
    """A titled list of reports; `short` says in an SMS where each stands, `hidden` are left out for want of room."""

    title: str
    lines: Sequence[Line]
    urgent: bool = False
    hidden: int = 0
    short: str = ""


@dataclass(frozen=True, slots=True)
class Row:
    """A line of a count: what, how many, its share of the largest as 0 to 100, and how it stands to the usual."""

    label: str
    number: int
    share: int
    change: str = ""


@dataclass(frozen=True, slots=True)
class Counted:
    """A titled table of counts."""

    title: str
    rows: Sequence[Row]


@dataclass(frozen=True, slots=True)
class View:
    """Everything a digest shows, already in the reader's language. `is_calm`: nothing at all is to be told."""

    t: Translator
    begin: str
    end: str
    total: int
    urgent_total: int
    unverified: int
    urgent: Section
    waiting: Sequence[str]
    silent: Sequence[str]
    reserved: Sequence[Row]
    sections: Sequence[Section]
    counts: Sequence[Counted]
    polls: Sequence[str]
    outages: Sequence[str]
    is_calm: bool
    link: str
    stop_link: str = ""


@dataclass(frozen=True, slots=True)
class Room:
    """How many lines of each list and rows of each count there is room for."""

    lines: int
    rows: int


def rows_of(labels: Iterable[str], number: int) -> list[Row]:
    """The `number` most frequent labels, the largest first."""
    counted = Counter(labels).most_common(number)
    largest = counted[0][1] if counted else 1
    return [Row(label, number, round(100 * number / largest)) for label, number in counted]
