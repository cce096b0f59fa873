"""What came in, newest first and live; what waits to be read by hand stands on top."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Row, func, select
from starlette.responses import Response

from gateway.keeping import MESSAGE
from gateway.models.message import STATES
from gateway.reports import REPORT
from gateway.web import people
from gateway.web.labels import Labels
from gateway.web.paging import PAGE, Cursor, older, read_cursor
from gateway.web.visit import Page, Visit

UNREAD_ON_TOP = 15
SHOWN = 300


@dataclass(frozen=True, slots=True)
class Line:
    """A message opened for the list; `reports` are (id, ref, form, category, place) of what became of it."""

    row: Row[Any]
    who: str
    text: str
    reports: tuple[Row[Any], ...]


@dataclass(frozen=True, slots=True)
class Lines:
    """One page of the list; `more` is where the next begins."""

    waiting: list[Line]
    lines: list[Line]
    unread: int
    more: Cursor | None
    labels: Labels


async def show(visit: Visit) -> Response:
    return await _render(visit, "messages.html")


async def refresh(visit: Visit) -> Response:
    """The list alone, asked for again and again by the open page."""
    return await _render(visit, "messages_list.html")


async def _render(visit: Visit, template: str) -> Response:
    state, cursor = visit.query("state"), read_cursor(visit.query("before"))
    state = state if state in STATES else ""
    found = await visit.house.read(lambda connection: load(connection, visit, state, cursor))
    return visit.render(template, found=found, labels=found.labels, state=state, states=STATES, live=cursor is None)


def load(connection: Connection, visit: Visit, state: str, cursor: Cursor | None) -> Lines:
    """At most a page of texts is opened: the unread first, then the rest by time."""
    bound = people.seen_by(visit.places)
    base = select(MESSAGE) if bound is None else select(MESSAGE).where(bound)
    newest = (MESSAGE.c.heard_at.desc(), MESSAGE.c.id.desc())
    waiting: list[Row[Any]] = []
    if not state and cursor is None:
        unread = base.where(MESSAGE.c.state == "unread").order_by(*newest).limit(UNREAD_ON_TOP)
        waiting = list(connection.execute(unread))
    which = base.where(*older(MESSAGE.c.heard_at, MESSAGE.c.id, cursor))
    which = which.where(MESSAGE.c.state == state) if state else which.where(MESSAGE.c.state != "unread")
    room = PAGE - len(waiting)
    rows = list(connection.execute(which.order_by(*newest).limit(room + 1)))
    more = Cursor(rows[room - 1].heard_at, rows[room - 1].id) if len(rows) > room else None
    opened = _open(connection, [*waiting, *rows[:room]], visit)
    labels = Labels(visit.house.codebook(connection), visit.t)
    return Lines(opened[: len(waiting)], opened[len(waiting) :], count_unread(connection, visit), more, labels)


def count_unread(connection: Connection, visit: Visit) -> int:
    """How many texts wait to be read by hand by this person."""
    query = select(func.count()).select_from(MESSAGE).where(MESSAGE.c.state == "unread")
    bound = people.seen_by(visit.places)
    return int(connection.scalar(query if bound is None else query.where(bound)) or 0)


def _open(connection: Connection, rows: list[Row[Any]], visit: Visit) -> list[Line]:
    sealer = visit.house.sealer
    reports: dict[UUID, list[Any]] = {}
    columns = (REPORT.c.id, REPORT.c.ref, REPORT.c.message_id, REPORT.c.form, REPORT.c.category, REPORT.c.place)
    query = select(*columns).where(REPORT.c.message_id.in_([row.id for row in rows])).order_by(REPORT.c.ref)
    for report in connection.execute(query):
        reports.setdefault(report.message_id, []).append(report)
    known = people.names(connection, (row.contact_id for row in rows), sealer)
    return [
        Line(row, people.who(row, known, sealer), shown_text(row, visit)[:SHOWN], tuple(reports.get(row.id, ())))
        for row in rows
    ]


def shown_text(row: Row[Any], visit: Visit) -> str:
    """Subject and text of a message; what belongs to a poll is shown to nobody."""
    if row.form == "poll":
        return visit.t("(an answer to the poll)")
    sealer = visit.house.sealer
    subject = sealer.open_optional("message", "subject", row.id, row.subject_sealed)
    text = sealer.open("message", "text", row.id, row.text_sealed)
    return f"{subject}\n{text}" if subject else text


PAGES = (
    Page("GET", "/messages", "messages", show),
    Page("GET", "/messages/list", "messages", refresh, quiet=True),
)
