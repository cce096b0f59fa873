"""What is known, newest first, by form, category, place, state and day."""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, Connection, Row, select
from starlette.responses import Response

from gateway.models.report import STATES, VERIFICATIONS
from gateway.reports import COUNTS, REPORT
from gateway.web.access import in_places
from gateway.web.fields import Inputs
from gateway.web.labels import Labels
from gateway.web.paging import PAGE, Cursor, older, read_cursor
from gateway.web.visit import Page, Visit
from parsers import Codebook

FIRST_YEAR, LAST_YEAR = 1970, 2200
COLUMNS = (
    REPORT.c.id, REPORT.c.ref, REPORT.c.form, REPORT.c.category, REPORT.c.place, REPORT.c.event_date, REPORT.c.urgent,
    REPORT.c.practice, REPORT.c.state, REPORT.c.verification, REPORT.c.fields, REPORT.c.registered,
    REPORT.c.created_at,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Filters:
    """What the list is narrowed to; empty words narrow nothing, days are local and include both ends."""

    form: str = ""
    category: str = ""
    place: str = ""
    state: str = ""
    verification: str = ""
    urgent: str = ""
    since: str = ""
    until: str = ""

    def as_query(self) -> dict[str, str]:
        """As address parameters, only those that are set."""
        return {name: value for name in self.__slots__ if (value := getattr(self, name))}


async def show(visit: Visit) -> Response:
    ref = visit.query("ref").lstrip("Rr")
    if ref.isascii() and ref.isdigit():
        return visit.go(f"/reports/{ref}")
    filters = Filters(**{name: visit.query(name) for name in Filters.__slots__})
    cursor = read_cursor(visit.query("before"))

    def load(connection: Connection) -> tuple[list[Row[Any]], Labels]:
        codebook = visit.house.codebook(connection)
        return select_reports(connection, filters, cursor, visit.places, codebook), Labels(codebook, visit.t)

    rows, labels = await visit.house.read(load)
    more = Cursor(rows[PAGE - 1].created_at, rows[PAGE - 1].id) if len(rows) > PAGE else None
    return visit.render(
        "reports.html", rows=rows[:PAGE], labels=labels, filters=filters, more=more, counts=COUNTS, states=STATES,
        verifications=VERIFICATIONS, codebook=labels.codebook, inputs=Inputs(labels.codebook, labels),
    )  # fmt: skip


def select_reports(
    connection: Connection, filters: Filters, cursor: Cursor | None, places: tuple[str, ...] | None, codebook: Codebook
) -> list[Row[Any]]:
    """A page of reports and one more, if there is more."""
    conditions = [*_conditions(filters, codebook), *older(REPORT.c.created_at, REPORT.c.id, cursor)]
    bound = in_places(REPORT.c.place, places)
    if bound is not None:
        conditions.append(bound)
    newest = (REPORT.c.created_at.desc(), REPORT.c.id.desc())
    return list(connection.execute(select(*COLUMNS).where(*conditions).order_by(*newest).limit(PAGE + 1)))


def _conditions(filters: Filters, codebook: Codebook) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = [
        REPORT.c[name] == value
        for name in ("form", "category", "state", "verification")
        if (value := getattr(filters, name))
    ]
    code = filters.place.split(" ", 1)[0]
    place = in_places(REPORT.c.place, (code,))
    if code and place is not None:
        found.append(place)
    if filters.urgent:
        found.append(REPORT.c.urgent)
    zone = ZoneInfo(codebook.zone)
    since, until = _day(filters.since), _day(filters.until)
    if since:
        found.append(REPORT.c.created_at >= _midnight(since, zone))
    if until:
        found.append(REPORT.c.created_at < _midnight(until + timedelta(days=1), zone))
    return found


def _day(text: str) -> date | None:
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return None
    return day if FIRST_YEAR <= day.year < LAST_YEAR else None


def _midnight(day: date, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, time(), zone)


PAGES = (Page("GET", "/reports", "reports", show),)
